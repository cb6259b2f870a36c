"""A reservation that is to be written, and somebody who waits for it."""

import threading
from copy import copy

from flaskllm.core.errors import APIError, ServiceUnavailable
from flaskllm.storage.ledger import Reservation, Verdict

_RETRY_SECONDS = 1.0


class Ticket:
    """A reservation, and somebody who waits for the verdict on it, but not for ever."""

    def __init__(self, reservation: Reservation) -> None:
        """Nothing is decided yet."""
        self.reservation = reservation
        self._verdict: Verdict | APIError | None = None
        # Whoever gets hold of it first has the last word: the verdict, or that
        # nobody waits for one any more.
        self._last_word = threading.Lock()
        self._answered = threading.Lock()
        self._answered.acquire()

    @property
    def is_settled(self) -> bool:
        """Tell whether it was answered, or left."""
        return self._last_word.locked()

    def answer(self, verdict: Verdict | APIError) -> bool:
        """Give the verdict, and tell whether somebody still waits for it."""
        if not self._last_word.acquire(blocking=False):
            return False
        self._verdict = verdict
        self._answered.release()
        return True

    def wait(self, seconds: float) -> Verdict:
        """Return the verdict, at the latest after this time.

        Raises:
            ServiceUnavailable: There was none in time, or it cannot be written.
            InternalError: The reservation is wrong: our own fault.
        """
        if not self._answered.acquire(timeout=seconds):
            if self._last_word.acquire(blocking=False):
                raise ServiceUnavailable(
                    details="The ledger was not written in time.",
                    retry_after_seconds=_RETRY_SECONDS,
                )
            self._answered.acquire()  # the verdict comes at this very moment
        if isinstance(self._verdict, APIError):
            # Each thread raises its own.
            raise copy(self._verdict) from self._verdict
        assert self._verdict is not None
        return self._verdict
