"""Duties beside the requests: each done when it is due, by one process of all."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.errors import APIError
from flaskllm.core.ids import random_base62
from flaskllm.services.background import Errand
from flaskllm.storage.leases import Lease, Leases

EVERY_SECONDS = 60.0
"""How often a process looks whether a duty is due, while requests come."""

LEASE_SECONDS = 300.0
"""After so long somebody else does a duty whose holder has not come back."""

# Where there are no threads, a request's connection waits for it.
_INLINE_SECONDS = 1.0

State = Literal["done", "not_due", "failed"]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Duty:
    """Something to be done every so often.

    `run` returns how many things it saw to. To do it twice, or while somebody else
    does, must be harmless: a holder that is slow loses its lease. `name` has at
    most 40 characters.
    """

    name: str
    every_seconds: float
    run: Callable[[], int]


@dataclass(frozen=True, slots=True)
class Report:
    """What became of one duty; `count` is 0 unless it was done.

    `not_due`: it was done lately, or somebody else is at it.
    """

    name: str
    state: State
    count: int = 0


class Housekeeping:
    """Does what is due. Several processes and hosts may try: each duty is done once."""

    def __init__(
        self,
        leases: Leases,
        duties: Sequence[Duty],
        clock: Clock,
        holder: str,
        *,
        threaded: bool = True,
    ) -> None:
        """Keep the collaborators; nothing is opened or started.

        Args:
            leases: The table.
            duties: What there is to do, in this order.
            clock: Tells what is due.
            holder: Names this machine, in at most 30 characters.
            threaded: Whether a thread may do it; else whoever asks does.
        """
        self._leases = leases
        self._duties = duties
        self._clock = clock
        self._holder = holder
        self._errand = Errand(self._try_due, "housekeeping") if threaded else None
        self._looked_seconds = clock.monotonic()

    def run_due(self) -> Mapping[str, int]:
        """Do what is due, and return how many things each duty has seen to.

        A duty that fails is logged and does not stop the others.

        Raises:
            ServiceUnavailable: The database cannot be read; a retry may help.
        """
        reports = self.run()
        return {each.name: each.count for each in reports if each.state == "done"}

    def run(self, *, regardless: bool = False) -> tuple[Report, ...]:
        """Do what is due, or everything that nobody is at, and tell of each duty.

        Raises:
            ServiceUnavailable: As `run_due`.
        """
        return tuple(self._each(regardless))

    def keep_house(self) -> None:
        """See to what is due, at most once a minute in this process; never raises.

        It is for the end of a request, after the answer. With threads it returns at
        once; without, it begins no further duty after a second.
        """
        now_seconds = self._clock.monotonic()
        if now_seconds - self._looked_seconds < EVERY_SECONDS:
            return
        # Two threads that come here at once ask twice; leases keep them apart.
        self._looked_seconds = now_seconds
        if self._errand is not None:
            self._errand.ask()
            return
        self._try_due(now_seconds + _INLINE_SECONDS)

    def _try_due(self, until_seconds: float = float("inf")) -> None:
        try:
            for _ in self._each(regardless=False):
                if self._clock.monotonic() >= until_seconds:
                    return
        except Exception as error:  # whoever serves requests must live on
            _tell("housekeeping_failed", error, None)

    def _each(self, regardless: bool) -> Iterator[Report]:
        """Do duty after duty, and yield what became of each."""
        known = self._leases.list()
        for duty in self._duties:
            yield self._turn(duty, known.get(duty.name), regardless)

    def _turn(self, duty: Duty, known: Lease | None, regardless: bool) -> Report:
        now = self._clock.now()
        period = timedelta(seconds=0 if regardless else duty.every_seconds)
        # Most are not due, which shows without a transaction that writes.
        if known is not None and not known.lets(now, now - period):
            return Report(duty.name, "not_due")
        until = now + timedelta(seconds=LEASE_SECONDS)
        wanted = Lease(duty.name, self._unique_holder(), until, None)
        try:
            if not self._leases.take(wanted, now, now - period):
                return Report(duty.name, "not_due")
            return self._do(duty, wanted)
        except Exception as error:  # the other duties are still to be done
            _tell("duty_failed", error, duty.name)
            return Report(duty.name, "failed")

    def _do(self, duty: Duty, taken: Lease) -> Report:
        try:
            count = duty.run()
        except Exception:
            self._leases.release(taken, self._clock.now())
            raise
        self._leases.finish(taken, self._clock.now())
        return Report(duty.name, "done", count)

    def _unique_holder(self) -> str:
        # Also apart from itself: what a lost lease gives back is somebody else's.
        return f"{self._holder}:{os.getpid()}:{random_base62(12)}"


def _tell(event: str, error: Exception, duty: str | None) -> None:
    # Of an error that is not ours only the kind: its text may quote anything.
    code = error.code if isinstance(error, APIError) else type(error).__name__
    reason = error.details if isinstance(error, APIError) else ""
    logs.event(_log, logging.ERROR, event, code=code, reason=reason, duty=duty)
