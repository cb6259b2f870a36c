"""Jobs as they are accepted: all that belongs to one is written at once, or nothing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, Literal

from sqlalchemy import ColumnElement, Connection, and_, case, func, not_, select

from flaskllm.core.clock import Clock
from flaskllm.storage.database import Database
from flaskllm.storage.job_drafts import Draft, Event, document_of, job_of, start_of
from flaskllm.storage.job_rows import OPEN, JobRow
from flaskllm.storage.jobs import LIGHT
from flaskllm.storage.moments import moment
from flaskllm.storage.repeats import once_more
from flaskllm.storage.tables import documents, jobs
from flaskllm.storage.upserts import insert_into
from flaskllm.storage.workers import is_any_fresh
from flaskllm.storage.workflows import Workflows

# Two that bring the same event at once get in each other's way, never for long.
_MOST_TRIES: Final = 5
_ANSWERING = frozenset({*OPEN, "done"})
# The same is needed again; where it no longer is, the event can be digested now.
_ANSWERING_NEED = frozenset({*_ANSWERING, "needs_fetch"})


@dataclass(frozen=True, slots=True)
class Added:
    """What became of drafts.

    Attributes:
        job: The first of them as it was stored, or the one that answers for it.
        is_new: Whether they were stored.
        is_worker_seen: Whether somebody is there to work on them.
    """

    job: JobRow
    is_new: bool
    is_worker_seen: bool


NotAdded = Literal["too_many", "document_gone", "contended"]
"""Why nothing was stored: too many wait already, the document of a replay is not kept
any more, or others brought the same event at the same moment again and again."""


class JobIntake:
    """Where jobs, their documents and their workflows begin."""

    def __init__(self, database: Database, workflows: Workflows, clock: Clock) -> None:
        """Keep the collaborators; nothing is opened."""
        self._database = database
        self._workflows = workflows
        self._clock = clock

    @once_more
    def add(self, drafts: Sequence[Draft], most_waiting: int) -> Added | NotAdded:
        """Store jobs, their documents and their workflows, all or nothing.

        A job that brings an event is not stored where another one answers for it:
        one that is open or done, within the event's life; or one in `needs_fetch`,
        unless this one has what was needed. An event that is forced, or whose job
        failed, goes over to the new job.

        Args:
            drafts: Of one principal. Only the first may bring an event; the others
                are items of that one.
            most_waiting: So many jobs of a principal may wait at once.

        Raises:
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        self._workflows.prepare()
        for _ in range(_MOST_TRIES):
            with self._database.transaction(durable=True) as connection:
                added = self._add(connection, drafts, most_waiting)
            if added is not None:
                return added
        return "contended"

    def _add(
        self, connection: Connection, drafts: Sequence[Draft], most_waiting: int
    ) -> Added | NotAdded | None:
        """Return what became of them; None where another one was faster."""
        now, first = moment(connection, self._clock), drafts[0]
        seen = is_any_fresh(connection, now)
        if first.event is not None:
            known = _answering(connection, first, first.event, now)
            if known is not None:
                return Added(known, is_new=False, is_worker_seen=seen)
        if _waiting(connection, first.principal_id) + len(drafts) > most_waiting:
            return "too_many"
        if not all(_is_kept(connection, each, now) for each in drafts):
            return "document_gone"
        if first.event is not None:
            _free(connection, first, first.event, now)
        rows = [job_of(each, now) for each in drafts]
        if not _insert(connection, rows):
            return None
        kept = [row for each in drafts if (row := document_of(each, now))]
        if kept:
            connection.execute(documents.insert(), [asdict(row) for row in kept])
        starts = [start_of(row, 1) for row in rows if row.kind == "digest"]
        self._workflows.start(connection, *starts)
        return Added(rows[0], is_new=True, is_worker_seen=seen)


def _answering(
    connection: Connection, draft: Draft, event: Event, now: datetime
) -> JobRow | None:
    """Return the job that answers for this event, if one does."""
    if event.is_forced:
        return None
    query = select(*LIGHT).where(_has(draft, event), _answers(event, now))
    row = connection.execute(query.limit(1)).mappings().first()
    return None if row is None else JobRow(**row)


def _free(connection: Connection, draft: Draft, event: Event, now: datetime) -> None:
    """Take the event from the job that has it, unless that one answers for it.

    It may do so by now, where another one was faster.
    """
    freed = jobs.update().where(_has(draft, event)).values(event_digest=None)
    if not event.is_forced:
        freed = freed.where(not_(_answers(event, now)))
    connection.execute(freed)


def _has(draft: Draft, event: Event) -> ColumnElement[bool]:
    return and_(
        jobs.c.principal_id == draft.principal_id,
        jobs.c.event_digest.in_(event.digests),
    )


def _answers(event: Event, now: datetime) -> ColumnElement[bool]:
    states = _ANSWERING if event.is_complete else _ANSWERING_NEED
    return and_(jobs.c.state.in_(states), jobs.c.repeats_until > now)


def _waiting(connection: Connection, principal_id: str) -> int:
    """Return how many jobs of a principal wait for a worker."""
    query = select(func.count()).where(
        jobs.c.state == "queued", jobs.c.principal_id == principal_id
    )
    return int(connection.execute(query).scalar_one())


def _is_kept(connection: Connection, draft: Draft, now: datetime) -> bool:
    """Tell whether there is a document; one that is there already stays long enough."""
    if draft.document_id is None or draft.document is not None:
        return True
    until, columns = draft.expires_at(now), documents.c
    longer = case((columns.expires_at < until, until), else_=columns.expires_at)
    kept = documents.update().where(columns.id == draft.document_id)
    return connection.execute(kept.values(expires_at=longer)).rowcount == 1


def _insert(connection: Connection, rows: Sequence[JobRow]) -> bool:
    """Store jobs; tell that none was where another one has the event of the first."""
    first, *others = map(asdict, rows)
    insert = insert_into(connection, jobs).values(first).on_conflict_do_nothing()
    # Asked for what was stored: how many rows that were is not told of an insert.
    if connection.execute(insert.returning(jobs.c.id)).first() is None:
        return False
    if others:
        connection.execute(jobs.insert(), others)
    return True
