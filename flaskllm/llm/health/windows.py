"""How much there was in the last so many seconds."""


class SlidingCount:
    """A sum over the last `seconds`, in buckets of one second.

    It is never too small: what came less than `seconds` ago is in it for certain,
    what came up to a second earlier may be. It keeps `seconds` + 1 numbers at most,
    and a call costs the same however much was added. Not for several threads at once.
    """

    __slots__ = ("_buckets", "_seconds", "_total")

    def __init__(self, seconds: int) -> None:
        """Start with nothing."""
        self._seconds = seconds
        # By the second in which it came; the oldest first, since time only grows.
        self._buckets: dict[int, int] = {}
        self._total = 0

    def add(self, count: int, now_seconds: float) -> None:
        """Count something that comes now."""
        second = int(now_seconds)
        buckets = self._buckets
        if second in buckets:
            buckets[second] += count
        else:
            self._forget(second)
            buckets[second] = count
        self._total += count

    def take_back(self, count: int, at_seconds: float) -> None:
        """Uncount what was added at that moment, unless it is forgotten already."""
        second = int(at_seconds)
        if second in self._buckets:
            self._buckets[second] -= count
            self._total -= count

    def total(self, now_seconds: float) -> int:
        """Return the sum as of now."""
        if self._total:
            self._forget(int(now_seconds))
        return self._total

    def room_in_seconds(
        self, count: int, limit: int, now_seconds: float
    ) -> float | None:
        """Return when `count` more will fit under `limit`: 0.0 is now, None is never.

        The sum stays at or below the limit in every span of `seconds`, if nobody
        adds what does not fit.
        """
        surplus = self.total(now_seconds) + count - limit
        if surplus <= 0:
            return 0.0
        for second, came in self._buckets.items():
            surplus -= came
            if surplus <= 0:
                return second + 1 + self._seconds - now_seconds
        return None

    def clear(self) -> None:
        """Forget everything."""
        self._buckets.clear()
        self._total = 0

    def _forget(self, second: int) -> None:
        """Drop what is too old: all of a bucket came before the span."""
        last = second - self._seconds - 1
        while self._buckets:
            oldest = next(iter(self._buckets))
            if oldest > last:
                return
            self._total -= self._buckets.pop(oldest)
