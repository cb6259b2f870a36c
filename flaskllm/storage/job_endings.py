"""How jobs end: done, failed, given up, cancelled; or go into another attempt.

The end of a job, what is told of it, and the end of the batch whose last item it was
are one transaction. Who ends an item locks the batch first: so of two that end at
once the second one sees the first, and nobody waits in a circle.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, case, select

from flaskllm.core.clock import Clock
from flaskllm.storage import job_batches
from flaskllm.storage.database import Database
from flaskllm.storage.job_drafts import (
    ENDED_FOR_AT_LEAST,
    present_workflow_id,
    start_of,
)
from flaskllm.storage.job_rows import OPEN, JobRow, JobState
from flaskllm.storage.jobs import is_open, is_ours, one_light, plus
from flaskllm.storage.moments import moment
from flaskllm.storage.tables import jobs
from flaskllm.storage.workflows import Workflows


@dataclass(frozen=True, slots=True)
class End:
    """How a job ends; `result` and `error` are JSON.

    `cost_nanos` is what was paid and is not in the row yet; None is not known.
    """

    state: JobState
    result: bytes | None = field(default=None, repr=False)
    error: bytes | None = field(default=None, repr=False)
    error_code: str | None = None
    cost_nanos: int | None = 0


Tell = Callable[[Connection, JobRow, Sequence[JobRow]], None]
"""Writes, in the open transaction, who is told of a job that ended. It gets the items
of a batch in order, without their results where these are long."""


@dataclass(frozen=True, slots=True)
class Cancelled:
    """What was found when a job was to be cancelled.

    Attributes:
        was_open: It was; else nothing was changed.
        workflow_ids: Those that need not go on.
    """

    was_open: bool
    workflow_ids: tuple[str, ...] = ()


class JobEndings:
    """Where jobs end."""

    def __init__(
        self,
        database: Database,
        workflows: Workflows,
        clock: Clock,
        tell: Tell,
    ) -> None:
        """Keep the collaborators; nothing is opened."""
        self._database = database
        self._workflows = workflows
        self._clock = clock
        self._tell = tell

    def finish(self, job_id: str, runner: str, end: End) -> bool:
        """End a job that this runner still has; tell whether it did.

        Raises:
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        return self._end(job_id, is_ours(job_id, runner), end)

    def give_up(self, job_id: str, end: End) -> bool:
        """End a job whoever has it, unless it has ended; tell whether it had not.

        Raises:
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        return self._end(job_id, is_open(), end)

    def again(
        self,
        job_id: str,
        runner: str,
        *,
        failures: int,
        cost_nanos: int | None,
        delay_seconds: float,
        error_code: str | None = None,
    ) -> bool:
        """Give a job back to be begun once more; tell whether this runner had it.

        Args:
            job_id: Which job.
            runner: Who has it.
            failures: How often it has failed by now.
            cost_nanos: As in `End`.
            delay_seconds: What is waited before the next attempt.
            error_code: Why it is given back; it stands in the row until the end.

        Raises:
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        ours = is_ours(job_id, runner)
        self._workflows.prepare()
        values: dict[str, object] = {
            "state": "queued",
            "runner": None,
            "failures": failures,
            "error_code": error_code,
            "cost_nanos": plus(cost_nanos),
        }
        with self._database.transaction(durable=True) as connection:
            found = one_light(connection, ours, is_locked=True)
            if found is None:
                return False
            now = moment(connection, self._clock)
            values["next_at"] = now + timedelta(seconds=delay_seconds)
            connection.execute(jobs.update().where(ours).values(values))
            start = start_of(found, found.attempt + 1, delay_seconds)
            self._workflows.start(connection, start)
        return True

    def cancel(self, job_id: str, principal_id: str) -> Cancelled | None:
        """Cancel an own job, and of a batch its open items; None where there is none.

        Nobody is told of a job that was cancelled, but of the batch that it ends.

        Raises:
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        own = jobs.c.id == job_id, jobs.c.principal_id == principal_id
        self._workflows.prepare()
        with self._database.transaction(durable=True) as connection:
            job = one_light(connection, *own)
            if job is None:
                return None
            now = moment(connection, self._clock)
            job = _locked(connection, job)
            if job is None or job.state not in OPEN:
                return Cancelled(was_open=False)
            if job.kind == "batch":
                return Cancelled(True, _cancel_batch(connection, job, now))
            end = End("cancelled")
            self._end_in(connection, job, is_open(), end, now)
        return Cancelled(True, (present_workflow_id(job),))

    def _end(self, job_id: str, allowed: ColumnElement[bool], end: End) -> bool:
        self._workflows.prepare()
        with self._database.transaction(durable=True) as connection:
            job = one_light(connection, jobs.c.id == job_id)
            if job is None:
                return False
            now = moment(connection, self._clock)
            return self._end_in(connection, job, allowed, end, now)

    def _end_in(
        self,
        connection: Connection,
        job: JobRow,
        allowed: ColumnElement[bool],
        end: End,
        now: datetime,
    ) -> bool:
        batch = None
        if job.batch_id is not None:
            batch = one_light(connection, jobs.c.id == job.batch_id, is_locked=True)
        if not _write(connection, job.id, allowed, end, now):
            return False
        if batch is None:
            self._tell(connection, _whole(connection, job.id), ())
        elif batch.state in OPEN:
            self._end_batch(connection, batch, now)
        return True

    def _end_batch(self, connection: Connection, batch: JobRow, now: datetime) -> None:
        """End a batch, which is locked, unless items of it are open."""
        if job_batches.has_open_items(connection, batch.id):
            return
        items = job_batches.items(connection, batch.id)
        end = End("done", cost_nanos=job_batches.cost_nanos(items))
        if _write(connection, batch.id, is_open(), end, now):
            self._tell(connection, _whole(connection, batch.id), items)


def _whole(connection: Connection, job_id: str) -> JobRow:
    query = select(jobs).where(jobs.c.id == job_id)
    return JobRow(**connection.execute(query).mappings().one())


def _locked(connection: Connection, job: JobRow) -> JobRow | None:
    if job.batch_id is not None:
        one_light(connection, jobs.c.id == job.batch_id, is_locked=True)
    return one_light(connection, jobs.c.id == job.id, is_locked=True)


def _write(
    connection: Connection,
    job_id: str,
    allowed: ColumnElement[bool],
    end: End,
    now: datetime,
) -> bool:
    """End the row if that is allowed; tell whether it was."""
    least, columns = now + ENDED_FOR_AT_LEAST, jobs.c
    values = {
        "state": end.state,
        "result": end.result,
        "error": end.error,
        "error_code": end.error_code,
        "cost_nanos": plus(end.cost_nanos),
        "next_at": None,
        "runner": None,
        "finished_at": now,
        "expires_at": case(
            (columns.expires_at < least, least), else_=columns.expires_at
        ),
    }
    ended = jobs.update().where(columns.id == job_id, allowed).values(values)
    return connection.execute(ended).rowcount == 1


def _cancel_batch(
    connection: Connection, batch: JobRow, now: datetime
) -> tuple[str, ...]:
    """Cancel a batch and its open items; return the workflows of these."""
    left = job_batches.lock_open_items(connection, batch.id)
    for each in left:
        _write(connection, each.id, is_open(), End("cancelled"), now)
    paid_nanos = job_batches.cost_nanos(job_batches.light_items(connection, batch.id))
    _write(
        connection, batch.id, is_open(), End("cancelled", cost_nanos=paid_nanos), now
    )
    return tuple(map(present_workflow_id, left))
