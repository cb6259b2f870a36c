"""Moving windows in memory, without a thread: what the limits per peer count in.

The memory storage of `limits` starts a timer thread when it is made. uWSGI forks
its workers after that, and a worker forked beside another thread may wait for
the interpreter's lock for ever. This storage forgets when it is asked.
"""

import threading
import time
from collections import deque
from dataclasses import dataclass, field

from limits.storage import MovingWindowSupport, Storage

SCHEME = "windows"
SECONDS_BETWEEN_SWEEPS = 60.0


@dataclass(slots=True)
class _Window:
    """The moments of the hits that still count, the oldest first."""

    seconds: float
    hits: deque[float] = field(default_factory=deque)

    def forget(self, now: float) -> None:
        while self.hits and self.hits[0] <= now - self.seconds:
            self.hits.popleft()


class Windows(Storage, MovingWindowSupport):
    """Counts for one process; made by `Limiter(storage_uri="windows://")`."""

    STORAGE_SCHEME = [SCHEME]  # noqa: RUF012  # the registry of `limits` reads it

    def __init__(
        self,
        uri: str | None = None,
        wrap_exceptions: bool = False,
        **options: float | str | bool,
    ) -> None:
        """Start with nothing counted."""
        super().__init__(uri, wrap_exceptions=wrap_exceptions, **options)
        self._lock = threading.Lock()
        self._windows: dict[str, _Window] = {}
        self._sweep_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """Return what counting may raise: nothing."""
        return ()

    def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` hits if `limit` within `expiry` seconds allows; tell so."""
        with self._lock:
            now = self._now()
            hits = self._window(key, expiry, now).hits
            if len(hits) + amount > limit:
                return False
            hits.extend([now] * amount)
            return True

    def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:
        """Return when the oldest hit that counts was, now if none, and how many do."""
        with self._lock:
            now = time.time()
            hits = self._seen(key, now)
            return (hits[0] if hits else now), len(hits)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count `amount` hits, and return how many count now."""
        with self._lock:
            now = self._now()
            hits = self._window(key, expiry, now).hits
            hits.extend([now] * amount)
            return len(hits)

    def get(self, key: str) -> int:
        """Return how many hits count now."""
        with self._lock:
            return len(self._seen(key, time.time()))

    def get_expiry(self, key: str) -> float:
        """Return when the oldest hit stops counting, now if there is none."""
        with self._lock:
            now = time.time()
            hits = self._seen(key, now)
            return hits[0] + self._windows[key].seconds if hits else now

    def check(self) -> bool:
        """Tell that it works."""
        return True

    def reset(self) -> int:
        """Forget everything, and return how many keys there were."""
        with self._lock:
            forgotten = len(self._windows)
            self._windows.clear()
            return forgotten

    def clear(self, key: str) -> None:
        """Forget one key."""
        with self._lock:
            self._windows.pop(key, None)

    def _now(self) -> float:
        """Return the time; once a minute drop the keys whose hits are all over."""
        now = time.time()
        if now >= self._sweep_at:
            self._sweep_at = now + SECONDS_BETWEEN_SWEEPS
            for key in list(self._windows):
                if not self._seen(key, now):
                    del self._windows[key]
        return now

    def _window(self, key: str, seconds: float, now: float) -> _Window:
        window = self._windows.setdefault(key, _Window(seconds))
        window.forget(now)
        return window

    def _seen(self, key: str, now: float) -> deque[float]:
        window = self._windows.get(key)
        if window is None:
            return deque()
        window.forget(now)
        return window.hits
