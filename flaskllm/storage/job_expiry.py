"""Jobs that nobody needs any more, and jobs that should have ended."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from flaskllm.core.clock import Clock
from flaskllm.storage.database import Database
from flaskllm.storage.job_rows import OPEN
from flaskllm.storage.moments import moment
from flaskllm.storage.tables import documents, job_steps, jobs
from flaskllm.storage.workflows import Workflows

# Whoever is told of a job is told before it is removed: an open one is given up
# first. Where that fails for so long it goes all the same.
_OPEN_STAY = timedelta(hours=1)


class JobExpiry:
    """Finds and removes what is over."""

    def __init__(self, database: Database, workflows: Workflows, clock: Clock) -> None:
        """Keep the collaborators; nothing is opened."""
        self._database = database
        self._workflows = workflows
        self._clock = clock

    def overdue(self, margin: timedelta, most: int, after: str = "") -> tuple[str, ...]:
        """Return ids of digests that are open so long after their deadline, in order.

        Args:
            margin: How long after it.
            most: How many at most.
            after: Only those behind this id.

        Raises:
            ServiceUnavailable: They cannot be read.
        """
        columns = jobs.c
        with self._database.reading() as connection:
            late = moment(connection, self._clock) - margin
            query = select(columns.id).where(
                columns.state.in_(OPEN),
                columns.kind == "digest",
                columns.deadline_at <= late,
                columns.id > after,
            )
            query = query.order_by(columns.id).limit(most)
            return tuple(connection.execute(query).scalars())

    def remove(self, most: int) -> int:
        """Remove at most so many expired jobs with all that is theirs; return how many.

        Deliveries expire by themselves.

        Raises:
            ServiceUnavailable: Some may be left; a retry may help.
        """
        with self._database.reading() as connection:
            now = moment(connection, self._clock)
            query = select(jobs.c.id).where(_is_over(now)).limit(most)
            ids = tuple(connection.execute(query).scalars())
        if not ids:  # as nearly always: then nothing is imported for it
            return 0
        # First: jobs whose removal fails are found again, workflows would not be.
        self._workflows.prepare()
        self._workflows.delete(ids)
        with self._database.transaction() as connection:
            _remove(connection, ids, now)
        return len(ids)


def _remove(connection: Connection, ids: Sequence[str], now: datetime) -> None:
    columns = jobs.c
    # Others' replays may be made from the same document, which then stays longer.
    made_from = select(columns.document_id).where(columns.id.in_(ids))
    connection.execute(
        documents.delete().where(
            documents.c.id.in_(made_from), documents.c.expires_at <= now
        )
    )
    connection.execute(job_steps.delete().where(job_steps.c.job_id.in_(ids)))
    connection.execute(jobs.delete().where(columns.id.in_(ids), _is_over(now)))


def _is_over(now: datetime) -> ColumnElement[bool]:
    columns = jobs.c
    return or_(
        and_(columns.expires_at <= now, columns.state.not_in(OPEN)),
        columns.expires_at <= now - _OPEN_STAY,
    )
