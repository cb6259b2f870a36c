"""Limits counted in memory, without a thread: for one process.

The memory storage of `limits` starts a timer thread when it is made. uWSGI forks
its workers after that, and a worker forked beside another thread may wait for
the interpreter's lock for ever. This storage forgets when it is asked.
"""

import threading
from collections import deque
from dataclasses import dataclass, field

from limits.storage import MovingWindowSupport, SlidingWindowCounterSupport, Storage

from flaskllm.core.clock import Clock, SystemClock
from flaskllm.core.sliding import Window, start_of

SCHEME = "windows"
SECONDS_BETWEEN_SWEEPS = 60.0


@dataclass(slots=True)
class _Hits:
    """The moments of the hits that still count, the oldest first."""

    seconds: float
    moments: deque[float] = field(default_factory=deque)

    def forget(self, now: float) -> None:
        while self.moments and self.moments[0] <= now - self.seconds:
            self.moments.popleft()


@dataclass(frozen=True, slots=True)
class _Counted:
    """A sliding window of so many seconds."""

    seconds: int
    window: Window

    def is_over(self, now: float) -> bool:
        return self.window.started_at + 2 * self.seconds <= now


class Windows(Storage, MovingWindowSupport, SlidingWindowCounterSupport):
    """Counts for one process; made by `Limiter(storage_uri="windows://")`.

    A key has either moving windows, whose hits are remembered one by one, or a
    sliding one of two numbers, see `sliding`.
    """

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012  # the registry of `limits` reads it

    def __init__(
        self,
        uri: str | None = None,
        wrap_exceptions: bool = False,
        clock: Clock | None = None,
        **options: float | str | bool,
    ) -> None:
        """Start with nothing counted; the clock is the machine's own when omitted."""
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._hits: dict[str, _Hits] = {}
        self._counted: dict[str, _Counted] = {}
        self._sweep_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """Return what counting may raise: nothing."""
        return ()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` hits if `limit` within `expiry` seconds allows; tell so."""
        with self._lock:
            now = self._swept()
            hits = self._moving(key, expiry, now)
            if len(hits) + amount > limit:
                return False
            hits.extend([now] * amount)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return when the oldest hit that counts was, now if none, and how many do."""
        with self._lock:
            now = self._now()
            hits = self._seen(key, now)
            return (hits[0] if hits else now), len(hits)

    def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        """Count `amount` if `limit` in a window of `expiry` seconds has room for it."""
        with self._lock:
            now = self._swept()
            window = self._sliding(key, expiry, now)
            if not window.has_room(amount, limit, now, expiry):
                return False
            self._counted[key] = _Counted(expiry, window.plus(amount))
            return True

    def get_sliding_window(
        self, key: str, expiry: int
    ) -> tuple[int, float, int, float]:
        """Return the count of the window before and for how long it still counts.

        Then the same of the window that runs.
        """
        with self._lock:
            now = self._now()
            window = self._sliding(key, expiry, now)
        left_seconds = window.left_seconds(now, expiry)
        return window.previous, left_seconds, window.present, left_seconds + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget one key."""
        self.clear(key)

    def correct(self, key: str, expiry: int, amount: int, counted_at: float) -> None:
        """Count `amount` more, whatever the limit; less where it is negative.

        What is less is taken from the window in which `counted_at` lies.
        """
        with self._lock:
            window = self._sliding(key, expiry, self._swept())
            if amount < 0:
                window = window.less(-amount, counted_at, expiry)
            else:
                window = window.plus(amount)
            self._counted[key] = _Counted(expiry, window)

    def window(self, key: str, seconds: int) -> Window | None:
        """Return a sliding window as it is now, None where nothing was counted."""
        with self._lock:
            now = self._now()
            counted = self._counted.get(key)
            if counted is None or counted.is_over(now):
                return None
            return counted.window.moved_to(now, seconds)

    def put(self, key: str, seconds: int, window: Window) -> None:
        """Take over how a sliding window stands elsewhere."""
        with self._lock:
            self._swept()
            self._counted[key] = _Counted(seconds, window)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count `amount` hits, and return how many count now."""
        with self._lock:
            now = self._swept()
            hits = self._moving(key, expiry, now)
            hits.extend([now] * amount)
            return len(hits)

    def get(self, key: str) -> int:
        """Return how many hits count now."""
        with self._lock:
            return len(self._seen(key, self._now()))

    def get_expiry(self, key: str) -> float:
        """Return when the oldest hit stops counting, now if there is none."""
        with self._lock:
            now = self._now()
            hits = self._seen(key, now)
            return hits[0] + self._hits[key].seconds if hits else now

    def check(self) -> bool:
        """Tell that it works."""
        return True

    def reset(self) -> int:
        """Forget everything, and return how many keys there were."""
        with self._lock:
            forgotten = len(self._hits) + len(self._counted)
            self._hits.clear()
            self._counted.clear()
            return forgotten

    def clear(self, key: str) -> None:
        """Forget one key."""
        with self._lock:
            self._hits.pop(key, None)
            self._counted.pop(key, None)

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _swept(self) -> float:
        """Return the time; once a minute drop the keys whose hits are all over."""
        now = self._now()
        if now >= self._sweep_at:
            self._sweep_at = now + SECONDS_BETWEEN_SWEEPS
            for key in [key for key in self._hits if not self._seen(key, now)]:
                del self._hits[key]
            over = [key for key, each in self._counted.items() if each.is_over(now)]
            for key in over:
                del self._counted[key]
        return now

    def _moving(self, key: str, seconds: float, now: float) -> deque[float]:
        hits = self._hits.setdefault(key, _Hits(seconds))
        hits.forget(now)
        return hits.moments

    def _seen(self, key: str, now: float) -> deque[float]:
        hits = self._hits.get(key)
        if hits is None:
            return deque()
        hits.forget(now)
        return hits.moments

    def _sliding(self, key: str, seconds: int, now: float) -> Window:
        counted = self._counted.get(key)
        if counted is None:
            return Window(start_of(now, seconds))
        return counted.window.moved_to(now, seconds)
