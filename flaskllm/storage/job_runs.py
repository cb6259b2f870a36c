"""Jobs under way: begun, and their steps.

An attempt of a job is done by whoever has its `runner`, a token that every run makes
anew. Whoever lost it to a later run, or to a cancellation, writes nothing any more.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, and_, func, or_, select

from flaskllm.core.clock import Clock
from flaskllm.storage import job_batches
from flaskllm.storage.database import Database
from flaskllm.storage.job_rows import DocumentRow, JobRow
from flaskllm.storage.jobs import is_ours, one_light, plus
from flaskllm.storage.moments import moment
from flaskllm.storage.tables import deliveries, documents, job_steps, jobs
from flaskllm.storage.upserts import insert_into


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt that is ours to do. `now` is the time by which deadlines count."""

    job: JobRow
    now: datetime


@dataclass(frozen=True, slots=True)
class Recalled:
    """What is known of a step; `outcome` None: it was not done yet."""

    is_held: bool
    outcome: bytes | None


class RunRows:
    """What a run of a job reads and writes until the job ends."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Keep the collaborators; nothing is opened."""
        self._database = database
        self._clock = clock

    def begin(self, job_id: str, attempt: int, runner: str) -> Begun | None:
        """Make an attempt of a job ours, and return it; None when it is not to be done.

        It is where it comes next, or where another run of the same attempt was left:
        that one can write nothing any more. Without the result and the callback.

        Raises:
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        columns = jobs.c
        is_next = and_(columns.state == "queued", columns.attempt == attempt - 1)
        is_left = and_(columns.state == "working", columns.attempt == attempt)
        is_ours = columns.id == job_id, or_(is_next, is_left)
        with self._database.transaction() as connection:
            found = one_light(connection, *is_ours)
            if found is None:
                return None
            now = moment(connection, self._clock)
            if found.batch_id is not None:
                job_batches.begin(connection, found.batch_id, now)
            values = {
                "state": "working",
                "attempt": attempt,
                "next_at": None,
                "runner": runner,
                "started_at": func.coalesce(columns.started_at, now),
            }
            taken = connection.execute(jobs.update().where(*is_ours).values(values))
            if not taken.rowcount:  # it was cancelled this very moment
                return None
            job = one_light(connection, columns.id == job_id)
        return None if job is None else Begun(job, now)

    def document(self, document_id: str) -> DocumentRow | None:
        """Return a document; None where there is none.

        Raises:
            ServiceUnavailable: It cannot be read, or not be unsealed.
        """
        query = select(documents).where(documents.c.id == document_id)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else DocumentRow(**row)

    def request_id(self, subject_id: str) -> str | None:
        """Return the request that brought a job, or the job of a delivery.

        None where there is none: a test event belongs to no job.

        Raises:
            ServiceUnavailable: It cannot be read.
        """
        of_delivery = select(deliveries.c.job_id).where(deliveries.c.id == subject_id)
        job_id = func.coalesce(of_delivery.scalar_subquery(), subject_id)
        query = select(jobs.c.request_id).where(jobs.c.id == job_id)
        with self._database.reading() as connection:
            found: str | None = connection.execute(query).scalar_one_or_none()
        return found

    def is_held(self, job_id: str, runner: str) -> bool:
        """Tell whether the job is still to be done, and by this runner.

        Raises:
            ServiceUnavailable: It cannot be read.
        """
        with self._database.reading() as connection:
            return _is_held(connection, job_id, runner)

    def recall(self, job_id: str, runner: str, name: str) -> Recalled:
        """Return what is known of a step.

        Raises:
            ServiceUnavailable: It cannot be read, or not be unsealed.
        """
        query = select(job_steps.c.outcome).where(
            job_steps.c.job_id == job_id, job_steps.c.name == name
        )
        with self._database.reading() as connection:
            if not _is_held(connection, job_id, runner):
                return Recalled(is_held=False, outcome=None)
            return Recalled(
                is_held=True, outcome=connection.execute(query).scalar_one_or_none()
            )

    def save_step(
        self,
        job_id: str,
        runner: str,
        name: str,
        outcome: bytes,
        cost_nanos: int | None,
    ) -> bool:
        """Store what a step brought and cost; tell whether the job is still ours.

        Nothing is stored for a job that somebody else has, or that was cancelled. To
        store it again is harmless: where only the answer to a commit was lost, what
        was stored stays, and its cost counts once.

        Raises:
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        step = {"job_id": job_id, "name": name, "outcome": outcome}
        ours = is_ours(job_id, runner)
        with self._database.transaction(durable=True) as connection:
            # Until the commit nobody else can take the job.
            if one_light(connection, ours, is_locked=True) is None:
                return False
            insert = insert_into(connection, job_steps).values(step)
            stored = insert.on_conflict_do_nothing().returning(job_steps.c.name)
            if connection.execute(stored).first() is not None:
                paid = jobs.update().where(ours).values(cost_nanos=plus(cost_nanos))
                connection.execute(paid)
        return True


def _is_held(connection: Connection, job_id: str, runner: str) -> bool:
    query = select(jobs.c.id).where(is_ours(job_id, runner))
    return connection.execute(query).first() is not None
