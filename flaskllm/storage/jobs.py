"""Jobs, and how they stand.

How they begin, are done and end is told in `job_intake`, `job_runs`, `job_endings`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    func,
    literal,
    or_,
    select,
)

from flaskllm.core.paging import Place
from flaskllm.storage.database import Database
from flaskllm.storage.job_rows import OPEN, JobRow, JobState
from flaskllm.storage.tables import jobs

_HEAVY = frozenset({"result", "error", "callback_url"})
LIGHT: Final = tuple(
    jobs.c[each.name] for each in fields(JobRow) if each.name not in _HEAVY
)
"""The columns that cost nothing to read: all but the sealed ones."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What the items of a batch come to.

    Attributes:
        counts: How many are in each state; none are left out.
        cost_nanos: Of all of them so far; None where one is not known.
    """

    counts: Mapping[JobState, int]
    cost_nanos: int | None


class JobRows:
    """The table of jobs, for those who look at it."""

    def __init__(self, database: Database) -> None:
        """Keep the database; nothing is opened."""
        self._database = database

    def find(self, job_id: str, principal_id: str) -> JobRow | None:
        """Return an own job with its result; None where there is none.

        Raises:
            ServiceUnavailable: It cannot be read, or not be unsealed.
        """
        own = jobs.c.id == job_id, jobs.c.principal_id == principal_id
        with self._database.reading() as connection:
            row = connection.execute(select(jobs).where(*own)).mappings().one_or_none()
        return None if row is None else JobRow(**row)

    def state(self, job_id: str, principal_id: str) -> JobState | None:
        """Return how an own job stands; None where there is none."""
        own = jobs.c.id == job_id, jobs.c.principal_id == principal_id
        with self._database.reading() as connection:
            found: JobState | None = connection.execute(
                select(jobs.c.state).where(*own)
            ).scalar_one_or_none()
        return found

    def tallies(self, batch_ids: Sequence[str]) -> dict[str, Tally]:
        """Return what the items of each batch come to; batches without are left out."""
        columns = jobs.c
        query = (
            select(
                columns.batch_id,
                columns.state,
                func.count().label("number"),
                func.count(columns.cost_nanos).label("known"),
                func.sum(columns.cost_nanos).label("cost_nanos"),
            )
            .where(columns.batch_id.in_(batch_ids))
            .group_by(columns.batch_id, columns.state)
        )
        groups: dict[str, list[Row[Any]]] = {}
        with self._database.reading() as connection:
            for row in connection.execute(query):
                groups.setdefault(row.batch_id, []).append(row)
        return {batch_id: _tally(rows) for batch_id, rows in groups.items()}

    def page(
        self,
        principal_id: str,
        state: JobState | None,
        most: int,
        after: Place | None = None,
    ) -> tuple[JobRow, ...]:
        """Return own jobs, the newest first, without results.

        Items of batches are left out.
        """
        columns = jobs.c
        query = _own(principal_id).where(columns.batch_id.is_(None)).limit(most)
        if state is not None:
            query = query.where(columns.state == state)
        if after is not None:
            same = and_(columns.created_at == after.at, columns.id < after.row_id)
            query = query.where(or_(columns.created_at < after.at, same))
        newest_first = columns.created_at.desc(), columns.id.desc()
        return self._read(query.order_by(*newest_first))

    def items(
        self,
        batch_id: str,
        principal_id: str,
        most: int,
        after_number: int = -1,
        *,
        is_light: bool = False,
    ) -> tuple[JobRow, ...]:
        """Return items of an own batch by their numbers, with results unless light."""
        columns = jobs.c
        query = select(*(LIGHT if is_light else columns)).where(
            columns.batch_id == batch_id,
            columns.principal_id == principal_id,
            columns.number > after_number,
        )
        return self._read(query.order_by(columns.number).limit(most))

    def _read(self, query: Select[*tuple[Any, ...]]) -> tuple[JobRow, ...]:
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(JobRow(**row) for row in rows)


def _tally(of: Sequence[Row[Any]]) -> Tally:
    """Return the sum of the groups of one batch, each of one state."""
    is_known = all(row.known == row.number for row in of)
    # PostgreSQL's sum of whole numbers is a decimal one.
    cost_nanos = sum(int(row.cost_nanos) for row in of) if is_known else None
    return Tally({row.state: row.number for row in of}, cost_nanos)


def one_light(
    connection: Connection, *wanted: ColumnElement[bool], is_locked: bool = False
) -> JobRow | None:
    """Return the one job that fits, without what is sealed; None where none does.

    With `is_locked` it stays as it is until the end of the transaction.
    """
    query = select(*LIGHT).where(*wanted)
    if is_locked:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else JobRow(**row)


def is_open() -> ColumnElement[bool]:
    """Return what holds of a job that has not ended."""
    return jobs.c.state.in_(OPEN)


def is_ours(job_id: str, runner: str) -> ColumnElement[bool]:
    """Return what holds of a job as long as this runner may write to it."""
    return and_(jobs.c.id == job_id, jobs.c.runner == runner, jobs.c.state == "working")


def plus(cost_nanos: int | None) -> ColumnElement[int]:
    """Return the cost in the row and this one; one that is not known makes it so."""
    return jobs.c.cost_nanos + literal(cost_nanos, BigInteger)


def _own(principal_id: str) -> Select[*tuple[Any, ...]]:
    return select(*LIGHT).where(jobs.c.principal_id == principal_id)
