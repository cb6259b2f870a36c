"""The claims that this process runs, and the thread that lengthens their leases."""

import logging
import os
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from flaskllm.core import logs
from flaskllm.core.clock import Clock, Deadline
from flaskllm.services.background import Rounds
from flaskllm.storage.idempotency import IdempotencyRows, Place

LEASE_SECONDS: Final = 20.0
RENEW_SECONDS: Final = 5.0

# A request ends with its deadline, but for the reading of its last bytes.
_MARGIN_SECONDS: Final = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run a request and to store its answer.

    `owner` is unlike that of every other claim; `ends` is when it is given up.
    """

    place: Place
    owner: str
    request_id: str
    ends: Deadline


class RunningClaims:
    """Knows what runs, so that it is kept as long as the process lives.

    A lease is short: when the process dies its keys are free after 20 seconds. A host
    without threads gives leases as long as a request may take.
    """

    def __init__(
        self,
        rows: IdempotencyRows,
        clock: Clock,
        *,
        threaded: bool,
        deadline_seconds: float,
    ) -> None:
        """Keep the collaborators; nothing is started, see `Idempotency`."""
        self._rows = rows
        self._clock = clock
        self._most_seconds = deadline_seconds + _MARGIN_SECONDS
        self._lease_seconds = LEASE_SECONDS if threaded else self._most_seconds
        self._rounds = (
            Rounds(self.renew, RENEW_SECONDS, "idempotency-leases")
            if threaded
            else None
        )
        self._lock = threading.Lock()
        # With the process that made each: a fork must not lengthen its parent's.
        self._running: dict[str, tuple[int, Claim]] = {}

    def ends(self) -> Deadline:
        """Return when a claim that is made now is given up."""
        return Deadline.after(self._most_seconds, self._clock)

    def lease_until(self) -> datetime:
        """Return until when a lease of now holds."""
        return self._clock.now() + timedelta(seconds=self._lease_seconds)

    def begin(self) -> None:
        """Return once this process can lengthen leases; cheap when it can.

        Raises:
            ServiceUnavailable: It cannot, so nothing may be claimed; a retry helps.
        """
        if self._rounds is not None:
            self._rounds.begin()

    def enter(self, claim: Claim) -> None:
        """Lengthen the lease of this claim from now on; `begin` was called before."""
        with self._lock:
            self._running[claim.owner] = os.getpid(), claim

    def leave(self, claim: Claim) -> None:
        """Do so no more."""
        with self._lock:
            self._running.pop(claim.owner, None)

    def renew(self) -> None:
        """Lengthen the leases of all that runs; never raises.

        What runs longer than any request may was forgotten by whoever had it.
        """
        owned = self._owned()
        if not owned:
            return
        try:
            self._rows.renew(owned, self.lease_until())
        except Exception as error:  # the one thread that does it must live on
            logs.event(
                _log,
                logging.WARNING,
                "idempotency_leases_not_renewed",
                claims=len(owned),
                reason=getattr(error, "details", type(error).__name__),
            )

    def _owned(self) -> list[tuple[Place, str]]:
        with self._lock:
            self._running = {
                owner: (pid, claim)
                for owner, (pid, claim) in self._running.items()
                if pid == os.getpid() and not claim.ends.passed()
            }
            return [(claim.place, owner) for owner, (_, claim) in self._running.items()]
