"""Who proved good: remembered until somebody changes any API token, anywhere.

A counter in the store grows with every change. While it stands still, what was read
since still holds, so a busy API token costs no look at all. The counter is read at
most once a second in each process: that is how long the others may not know.
"""

import logging
import threading
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime

from flaskllm.core import logs
from flaskllm.core.auth import Principal
from flaskllm.core.clock import Clock
from flaskllm.core.errors import ServiceUnavailable

EVERY_SECONDS = 1.0
HOLDS_SECONDS = 60.0
"""How long those who are known may go on while the store cannot be read."""
MOST_KNOWN = 4096

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Proven:
    """A principal whose API token proved good.

    Attributes:
        principal: Who it is.
        until: When the proof ends by the wall clock, aware; None is never.
        used_at: The last use that was noted, aware; None before the first.
    """

    principal: Principal
    until: datetime | None = None
    used_at: datetime | None = None

    def holds_at(self, now: datetime) -> bool:
        """Tell whether the proof has not ended by then; `now` is aware."""
        return self.until is None or now < self.until


@dataclass(slots=True)
class _Generation:
    """What was learned since the counter had this value, by the whole digest.

    Another value makes another generation. What is put into an old one late, by a
    thread that read before the change, is lost with it.
    """

    counter: int
    known: dict[bytes, Proven] = field(default_factory=dict)

    def put(self, digest: bytes, proven: Proven) -> None:
        if len(self.known) >= MOST_KNOWN:
            self.known.clear()
        self.known[digest] = proven


class Principals:
    """Principals that proved good, for one process."""

    def __init__(self, read_counter: Callable[[], int], clock: Clock) -> None:
        """Keep the collaborators; nothing is read yet.

        Args:
            read_counter: Returns the store's counter of changes; raises
                `ServiceUnavailable` when it cannot.
            clock: Tells when to read it again, and whether a proof has ended.
        """
        self._read_counter = read_counter
        self._clock = clock
        self._generation: _Generation | None = None
        self._read_seconds = float("-inf")  # when the last good reading began
        self._due_seconds = float("-inf")
        self._failure: ServiceUnavailable | None = None
        self._turn = threading.Lock()

    def find(self, digest: bytes, prove: Callable[[], Proven]) -> Proven:
        """Return who has this digest, from memory where that still holds.

        Args:
            digest: All 32 bytes of it.
            prove: Looks into the store, and raises for whoever is not good.

        Raises:
            ServiceUnavailable: The counter could not be read for more than a
                minute, or never; a retry may help.
        """
        generation = self._present()
        proven = generation.known.get(digest)
        if proven is None or not proven.holds_at(self._clock.now()):
            proven = prove()
            generation.put(digest, proven)
        return proven

    def forget(self) -> None:
        """Forget all: this process has just changed an API token."""
        generation = self._generation
        if generation is not None:
            self._generation = _Generation(generation.counter)

    def _present(self) -> _Generation:
        """Return the generation that stands; at most one thread reads for it."""
        now_seconds = self._clock.monotonic()
        is_usable = self._is_usable(now_seconds)
        # Who has something to go by does not wait for the one who reads, nor does
        # anybody where the last reading failed.
        waits = not is_usable and self._failure is None
        if (now_seconds >= self._due_seconds or not is_usable) and (
            self._turn.acquire(blocking=waits)
        ):
            try:
                self._read_if_due()
            finally:
                self._turn.release()
        generation = self._generation
        if generation is None or not self._is_usable(self._clock.monotonic()):
            raise self._unreadable()
        return generation

    def _is_usable(self, now_seconds: float) -> bool:
        return now_seconds - self._read_seconds <= HOLDS_SECONDS

    def _read_if_due(self) -> None:
        begun_seconds = self._clock.monotonic()
        if begun_seconds < self._due_seconds:  # another thread was faster
            return
        self._due_seconds = begun_seconds + EVERY_SECONDS
        try:
            counter = self._read_counter()
        except ServiceUnavailable as failure:
            self._tell(failure)
            # From now, not from when it began: it may have taken long to fail.
            self._due_seconds = self._clock.monotonic() + EVERY_SECONDS
            return
        self._failure = None
        generation = self._generation
        if generation is None or generation.counter != counter:
            self._generation = _Generation(counter)
        self._read_seconds = begun_seconds

    def _tell(self, failure: ServiceUnavailable) -> None:
        if self._failure is None:  # a line a second would tell no more
            logs.event(
                _log,
                logging.WARNING,
                "api_tokens_not_read",
                reason=failure.details,
                holds_seconds=HOLDS_SECONDS,
            )
        self._failure = failure

    def _unreadable(self) -> ServiceUnavailable:
        """Return the store's own failure anew, so that each request has its own."""
        return copy(self._failure) if self._failure else ServiceUnavailable()
