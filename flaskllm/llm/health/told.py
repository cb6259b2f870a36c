"""What is left of an upstream's limits, as its replies tell it."""

from collections.abc import Iterable

from flaskllm.llm.rate_limits import Kind, ToldLimit

# What was told is not believed for longer.
_LONGEST_SECONDS = 60.0


class _Allowance:
    """One limit. It fills up evenly until its reset, as token buckets do."""

    __slots__ = (
        "_counts_down",
        "_is_spent",
        "_left",
        "_limit",
        "_per_second",
        "_reset",
        "_told",
    )

    def __init__(self, told: ToldLimit, now_seconds: float) -> None:
        self._left = told.remaining
        self._limit = told.limit
        self._told = now_seconds
        self._reset = now_seconds + _LONGEST_SECONDS
        self._per_second = 0.0
        reset_seconds = told.reset_seconds
        if reset_seconds is not None:
            self._reset = now_seconds + min(reset_seconds, _LONGEST_SECONDS)
            if told.limit is not None and reset_seconds > 0.0:
                self._per_second = (told.limit - told.remaining) / reset_seconds
        # Only what has an end can be waited for.
        self._is_spent = told.remaining == 0 and reset_seconds is not None
        self._counts_down = told.kind == "requests" and reset_seconds is not None

    def take(self, count: int) -> None:
        self._left -= count

    def stop_waiting(self) -> None:
        self._is_spent = self._counts_down = False

    def wait_seconds(self, now_seconds: float) -> float:
        """Return how long it is known to be used up; 0.0 is not at all."""
        until_reset = self._reset - now_seconds
        if until_reset <= 0.0:
            return 0.0
        if self._is_spent:
            return until_reset
        missing = 1.0 - self._now_left(now_seconds)
        if not self._counts_down or missing <= 0.0:
            return 0.0
        if self._per_second <= 0.0:
            return until_reset
        return min(until_reset, missing / self._per_second)

    def headroom(self, now_seconds: float) -> float:
        """Return the free part in [0, 1]; 1 where the whole is not known."""
        if not self._limit or now_seconds >= self._reset:
            return 1.0
        return min(1.0, max(0.0, self._now_left(now_seconds) / self._limit))

    def _now_left(self, now_seconds: float) -> float:
        return self._left + (now_seconds - self._told) * self._per_second


class ToldAllowances:
    """The limits that one deployment's upstream told last, each by its kind.

    A limit that it says is used up is waited for until its reset. One of requests
    is also counted down with what we send since: of a last one that remains, two at
    the same time do not both make use. Tokens are only estimates before they are
    counted, so they bring headroom down and refuse nobody.
    """

    __slots__ = ("_allowances",)

    def __init__(self) -> None:
        """Start without any."""
        self._allowances: dict[Kind, _Allowance] = {}

    def heed(self, told: Iterable[ToldLimit], now_seconds: float) -> None:
        """Believe what a reply tells now, in place of what was told before."""
        for each in told:
            self._allowances[each.kind] = _Allowance(each, now_seconds)

    def take(self, tokens: int) -> None:
        """Count a request that is sent now, with so many tokens expected."""
        for kind, allowance in self._allowances.items():
            allowance.take(1 if kind == "requests" else tokens)

    def give_back(self, tokens: int) -> None:
        """Uncount a request that was not sent after all."""
        for kind, allowance in self._allowances.items():
            allowance.take(-1 if kind == "requests" else -tokens)

    def stop_waiting(self) -> None:
        """Wait for none of them: the upstream said itself when to come back.

        A reset is when all is free again, a `Retry-After` when something is.
        """
        for allowance in self._allowances.values():
            allowance.stop_waiting()

    def wait_seconds(self, now_seconds: float) -> float:
        """Return how long a limit is known to be used up; 0.0 is not at all."""
        return max(
            (each.wait_seconds(now_seconds) for each in self._allowances.values()),
            default=0.0,
        )

    def headroom(self, now_seconds: float) -> float:
        """Return the free part of the scarcest, in [0, 1]; 1 where none is known."""
        return min(
            (each.headroom(now_seconds) for each in self._allowances.values()),
            default=1.0,
        )
