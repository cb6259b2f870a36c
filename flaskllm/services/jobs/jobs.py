"""Jobs, for those who have them: accepted, shown, waited for, cancelled, replayed."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from flaskllm.core import logs
from flaskllm.core.auth import Principal
from flaskllm.core.clock import Clock
from flaskllm.core.errors import Conflict, ServiceUnavailable
from flaskllm.core.paging import Place
from flaskllm.services.jobs.accepting import MOST_ITEMS, Accepting
from flaskllm.services.jobs.drafting import item_of, replay_of
from flaskllm.services.jobs.orders import Ordered
from flaskllm.services.jobs.reports import JobReport, report_of
from flaskllm.services.jobs.wanted import Accepted, Wanted
from flaskllm.services.own_ids import not_found, sane_id
from flaskllm.storage.job_endings import JobEndings
from flaskllm.storage.job_rows import ENDED, OPEN, JobRow, JobState
from flaskllm.storage.jobs import JobRows, Tally
from flaskllm.storage.workflows import Workflows

_log = logging.getLogger(__name__)

_FIRST_PAUSE_SECONDS: Final = 0.1
_LONGEST_PAUSE_SECONDS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Jobs:
    """Accepts jobs and tells how they stand. What others have reads as never there.

    Attributes:
        accepting: Takes jobs in.
        rows: How they stand.
        endings: Where they are cancelled.
        workflows: Of those that need not go on.
        clock: Times the waiting.
    """

    accepting: Accepting
    rows: JobRows
    endings: JobEndings
    workflows: Workflows
    clock: Clock

    def accept(
        self, ordered: Ordered, wanted: Wanted, principal: Principal
    ) -> Accepted:
        """Accept one digest. Once this returns it is not lost, whatever dies.

        An event that came before is answered with its job, at work or done, unless
        that failed or `wanted.force` is given.

        Raises:
            JobsDisabled: No job is accepted here; `details` says what to do.
            InvalidInputError: The order cannot be carried out; the field is named.
            UnsupportedMediaType: The content type is not read here.
            RateLimitExceeded: Too many jobs of this principal wait.
            ServiceUnavailable: Nothing was accepted; a retry may help.
        """
        return self.accepting.accept(ordered, wanted, principal)

    def accept_batch(
        self, items: Sequence[Ordered], wanted: Wanted, principal: Principal
    ) -> Accepted:
        """Accept up to 500 digests as one job, otherwise as `accept`.

        What is wrong with an item shows when it is worked on, and only fails it.
        """
        return self.accepting.accept_batch(items, wanted, principal)

    def find(self, job_id: str, principal: Principal) -> JobReport:
        """Return how an own job stands.

        Raises:
            NotFound: There is none of this id, or it is not this principal's.
            ServiceUnavailable: It cannot be read.
        """
        job = self._find(job_id, principal)
        if job.kind != "batch":
            return report_of(job)
        tally = self.rows.tallies([job.id]).get(job.id, Tally({}, 0))
        return report_of(_so_far(job, tally), tally.counts)

    def wait(
        self,
        job_id: str,
        principal: Principal,
        seconds: float,
        is_gone: Callable[[], bool] = lambda: False,
    ) -> JobReport:
        """Return how an own job stands once it has ended, or the time is over.

        Args:
            job_id: Which job.
            principal: Whose it is.
            seconds: How long to wait at most.
            is_gone: Tells whether nobody waits for it any more.

        Raises:
            NotFound: As `find`.
            ServiceUnavailable: As `find`.
        """
        until_seconds = self.clock.monotonic() + seconds
        pause = _FIRST_PAUSE_SECONDS
        while self.rows.state(sane_id("job", job_id), principal.id) not in {
            *ENDED,
            None,
        }:
            left = until_seconds - self.clock.monotonic()
            if left <= 0 or is_gone():
                break
            self.clock.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
        return self.find(job_id, principal)

    def page(
        self,
        principal: Principal,
        state: JobState | None,
        most: int,
        after: Place | None = None,
    ) -> tuple[JobReport, ...]:
        """Return own jobs, the newest first, without results and items of batches.

        Dead letters are those in the state `dead`.
        """
        rows = self.rows.page(principal.id, state, most, after)
        opened = [row.id for row in rows if row.kind == "batch" and row.state in OPEN]
        tallies = self.rows.tallies(opened) if opened else {}
        return tuple(report_of(_so_far(row, tallies.get(row.id))) for row in rows)

    def items(
        self, batch_id: str, principal: Principal, most: int, after_number: int = -1
    ) -> tuple[JobReport, ...]:
        """Return items of an own batch by their numbers, with results and errors.

        Raises:
            NotFound: There is no such job, or it is no batch.
        """
        if self._find(batch_id, principal).kind != "batch":
            raise not_found("job", batch_id)
        rows = self.rows.items(batch_id, principal.id, most, after_number)
        return tuple(map(report_of, rows))

    def cancel(self, job_id: str, principal: Principal) -> JobReport:
        """Cancel an own job, and of a batch what is open; return how it stands.

        A model call that is under way is not stopped; what it brings is thrown away.

        Raises:
            NotFound: As `find`.
            Conflict: It has ended.
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        cancelled = self.endings.cancel(sane_id("job", job_id), principal.id)
        if cancelled is None:
            raise not_found("job", job_id)
        if not cancelled.was_open:
            details = "Only a job that has not ended can be cancelled."
            raise Conflict("The job has ended.", details=details)
        self._stop(cancelled.workflow_ids)
        return self.find(job_id, principal)

    def replay(self, job_id: str, principal: Principal, request_id: str) -> Accepted:
        """Accept a new job from what an own one was made from; it runs anew.

        Of a batch all items are. Whoever was told of the old one is told of it.

        Raises:
            NotFound: As `find`.
            Conflict: It has not ended, or its document is not kept any more.
            JobsDisabled: As `accept`.
            RateLimitExceeded: As `accept`.
            ServiceUnavailable: Nothing was accepted; a retry may help.
        """
        job = self._find(job_id, principal)
        self.accepting.check(Wanted(job.source, request_id))
        if job.state not in ENDED:
            details = "Only what has ended is replayed: wait for it, or cancel it."
            raise Conflict("The job has not ended.", details=details)
        draft = replay_of(job, request_id, self.accepting.settings)
        if job.kind != "batch":
            return self.accepting.add([draft])
        rows = self.rows.items(job.id, principal.id, MOST_ITEMS, is_light=True)
        items = (item_of(draft, n, row.document_id) for n, row in enumerate(rows))
        return self.accepting.add([draft, *items])

    def _stop(self, workflow_ids: Sequence[str]) -> None:
        """Let workflows not go on; where that fails they find nothing to do."""
        try:
            self.workflows.cancel(workflow_ids)
        except ServiceUnavailable as error:
            logs.event(
                _log,
                logging.WARNING,
                "workflows_not_cancelled",
                error=None,
                reason=error.details,
            )

    def _find(self, job_id: str, principal: Principal) -> JobRow:
        job = self.rows.find(sane_id("job", job_id), principal.id)
        if job is None:
            raise not_found("job", job_id)
        return job


def _so_far(job: JobRow, tally: Tally | None) -> JobRow:
    """Return a batch with what its items have cost; its row has it from its end on."""
    if tally is None or job.state not in OPEN:
        return job
    return replace(job, cost_nanos=tally.cost_nanos)
