"""What may fail for a while, and how often it is asked whether it works again."""

import threading

from flaskllm.core.clock import Clock

SECONDS_BETWEEN_TRIES = 1.0
# Who asks may never come back to say how it went.
_LONGEST_TRY_SECONDS = 60.0


class Recovery:
    """Remembers whether something works.

    While it works anybody may ask it. After a failure one at a time may, a second
    or more after the last that failed.
    """

    def __init__(self, clock: Clock) -> None:
        """Take it to work."""
        self._clock = clock
        self._lock = threading.Lock()
        self._works = True
        self._ask_at_seconds = 0.0

    @property
    def works(self) -> bool:
        """Tell whether it worked the last time."""
        return self._works

    def may_ask(self) -> bool:
        """Tell whether to ask it now; who does says how that went."""
        if self._works:
            return True
        with self._lock:
            now_seconds = self._clock.monotonic()
            if now_seconds < self._ask_at_seconds:
                return False
            self._ask_at_seconds = now_seconds + _LONGEST_TRY_SECONDS
            return True

    def failed(self) -> bool:
        """Note that it did not work, and tell whether that is news."""
        with self._lock:
            was_working, self._works = self._works, False
            self._ask_at_seconds = self._clock.monotonic() + SECONDS_BETWEEN_TRIES
            return was_working

    def succeeded(self) -> bool:
        """Note that it worked, and tell whether that is news."""
        if self._works:
            return False
        with self._lock:
            was_working, self._works = self._works, True
            return not was_working
