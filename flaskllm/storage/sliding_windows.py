"""What limits that are counted in a store have in common, whichever it is."""

from abc import abstractmethod

from limits.storage import SlidingWindowCounterSupport, Storage

from flaskllm.core.clock import Clock
from flaskllm.core.errors import APIError
from flaskllm.core.sliding import Window, start_of
from flaskllm.core.windows import Windows


class SlidingWindows(Storage, SlidingWindowCounterSupport):
    """Sliding windows that all processes share; the time is that of the host.

    Whatever it sees of a window it tells `mirror`, so that how a limit stands can
    be told without another look, and counting can go on there when the store is gone.
    """

    STORAGE_SCHEME = None

    def __init__(self, clock: Clock, mirror: Windows) -> None:
        """Keep the collaborators; nothing is opened."""
        super().__init__()
        self._clock = clock
        self._mirror = mirror

    @property
    def base_exceptions(self) -> type[Exception] | tuple[type[Exception], ...]:
        """Return what counting may raise: ServiceUnavailable above all."""
        return APIError

    @abstractmethod
    def correct(self, key: str, expiry: int, amount: int, counted_at: float) -> None:
        """Count `amount` more, whatever the limit; less where it is negative.

        What is less is taken from the window in which `counted_at` lies.

        Raises:
            ServiceUnavailable: The store does not work.
        """

    def get_sliding_window(
        self, key: str, expiry: int
    ) -> tuple[int, float, int, float]:
        """Return the count of the window before and for how long it still counts.

        Then the same of the window that runs.
        """
        found, now = self._find(key), self._now()
        window = (found or Window(start_of(now, expiry))).moved_to(now, expiry)
        left_seconds = window.left_seconds(now, expiry)
        return window.previous, left_seconds, window.present, left_seconds + expiry

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget one key."""
        self.clear(key)

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """Count `amount`, and return the count of the window that runs."""
        self.correct(key, expiry, amount, self._now())
        return self.get(key)

    def check(self) -> bool:
        """Tell whether the store answers."""
        try:
            self._check()
        except APIError:
            return False
        return True

    def clear(self, key: str) -> None:
        """Forget one key."""
        self._forget(key)
        self._mirror.clear(key)

    @abstractmethod
    def _find(self, key: str) -> Window | None: ...

    @abstractmethod
    def _check(self) -> None: ...

    @abstractmethod
    def _forget(self, key: str) -> None: ...

    def _now(self) -> float:
        return self._clock.now().timestamp()
