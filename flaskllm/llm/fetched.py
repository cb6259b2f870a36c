"""What an upstream tells of itself, fetched when somebody needs it and then kept.

There is no thread: who asks after it has grown old fetches it. One fetches at a
time; whoever has an older one goes on with it meanwhile.
"""

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from flaskllm.core.clock import Deadline
from flaskllm.core.errors import APIError

REFRESH_SECONDS = 300.0
_AFTER_FAILURE_SECONDS = 30.0

_Value = TypeVar("_Value")


class Fetched(Generic[_Value]):
    """The last good value, and when to fetch the next."""

    def __init__(
        self,
        fetch: Callable[[Deadline], _Value],
        tell: Callable[[APIError], None],
        refresh_seconds: float = REFRESH_SECONDS,
    ) -> None:
        """Fetch nothing yet.

        Args:
            fetch: Returns a new value by the deadline, or raises an APIError.
            tell: Hears why none could be fetched; the next is fetched after 30 s.
            refresh_seconds: How old a value may be.
        """
        self._fetch = fetch
        self._tell = tell
        self._refresh_seconds = refresh_seconds
        self._lock = threading.Lock()
        self._value: _Value | None = None
        self._good_until_seconds = float("-inf")

    def now(self, deadline: Deadline) -> _Value | None:
        """Return the value, a new one if it is old; None when there never was one.

        Who has none waits for whoever fetches it, but not beyond the deadline.
        """
        if self._is_old(deadline):
            self._refresh_once(deadline)
        return self._value

    def last(self) -> _Value | None:
        """Return what was fetched last, however old; nothing is fetched."""
        return self._value

    def _is_old(self, deadline: Deadline) -> bool:
        return deadline.clock.monotonic() >= self._good_until_seconds

    def _refresh_once(self, deadline: Deadline) -> None:
        # Who has a value need not wait for the next one.
        patience_seconds = deadline.remaining_seconds() if self._value is None else 0.0
        if not self._lock.acquire(timeout=patience_seconds):
            return
        try:
            self._refresh(deadline)
        finally:
            self._lock.release()

    def _refresh(self, deadline: Deadline) -> None:
        # Somebody else fetched it while we waited, or there is no time to do it.
        if not self._is_old(deadline) or deadline.passed():
            return
        wait_seconds = self._refresh_seconds
        try:
            self._value = self._fetch(deadline)
        except APIError as error:
            wait_seconds = min(wait_seconds, _AFTER_FAILURE_SECONDS)
            self._tell(error)
        self._good_until_seconds = deadline.clock.monotonic() + wait_seconds
