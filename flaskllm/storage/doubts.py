"""Whether what was written is on the disk: after an error of the disk it is in doubt.

Who can read may not be able to write, and a disk that failed once may say later that
all is well although it has lost what it was given. So a failure is remembered until
the opposite is shown: a write went well, the log lies in the file, nothing is damaged.
"""

import threading
from copy import copy

from flaskllm.core.clock import Clock
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage.driver_errors import (
    DAMAGED,
    DISK,
    FULL,
    READ_ONLY,
    unavailable,
)

PROOF_EVERY_SECONDS = 2.0
"""How often a proof is tried at most."""

READING_EVERY_SECONDS = 60.0
"""How often at most where it has to read all of a file."""

_OF_WRITING = frozenset((FULL[0], READ_ONLY[0]))
_LASTING = frozenset((DISK[0], DAMAGED))


class Doubt:
    """What one process has against its database; nothing at first."""

    def __init__(self, clock: Clock) -> None:
        """Have no doubt."""
        self._clock = clock
        self._lock = threading.Lock()
        self._failure: ServiceUnavailable | None = None
        self._proof_at_seconds = 0.0

    def __bool__(self) -> bool:
        """Tell whether there is one."""
        return self._failure is not None

    @property
    def is_lasting(self) -> bool:
        """Tell whether only a proof ends it: the disk failed, or lost something."""
        failure = self._failure
        return failure is not None and failure.details in _LASTING

    @property
    def is_of_damage(self) -> bool:
        """Tell whether something read was damaged."""
        failure = self._failure
        return failure is not None and failure.details == DAMAGED

    def note(self, failure: ServiceUnavailable, *, to_write: bool) -> None:
        """Take note of what failed; what passes by itself leaves no doubt."""
        is_ours = to_write and failure.details in _OF_WRITING
        if (is_ours or failure.details in _LASTING) and not self.is_lasting:
            self._failure = failure

    def wrote(self) -> None:
        """Take note that a write went well."""
        if not self.is_lasting:
            self._failure = None

    def proved(self) -> None:
        """Take note that all is well."""
        self._failure = None

    def may_prove(self) -> bool:
        """Tell whether to try it now; who is told so does."""
        with self._lock:
            now_seconds = self._clock.monotonic()
            if now_seconds < self._proof_at_seconds:
                return False
            pause_seconds = (
                READING_EVERY_SECONDS if self.is_of_damage else PROOF_EVERY_SECONDS
            )
            self._proof_at_seconds = now_seconds + pause_seconds
            return True

    def again(self) -> ServiceUnavailable:
        """Return what failed, anew: each thread raises its own."""
        failure = self._failure
        if failure is None:  # it was proved at this very moment
            return unavailable(FULL[0], 1.0)
        return copy(failure)
