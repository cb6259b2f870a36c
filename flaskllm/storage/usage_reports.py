"""What the usage table tells: requests in pages.

The newest row of a request among those that match stands for it: so every request
has one place in time, and a page can begin after any of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Alias,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    String,
    and_,
    column,
    func,
    not_,
    or_,
    select,
    tuple_,
    values,
)

from flaskllm.core.paging import Place
from flaskllm.storage.database import Database
from flaskllm.storage.tables import api_tokens, usage
from flaskllm.storage.usage_conditions import wanted_values

MOST_ATTEMPTS = 200
"""Rows that are told of one request at most: the latest."""

_FILTERS = ("principal_id", "model", "alias", "deployment", "source", "outcome")


@dataclass(frozen=True, slots=True)
class UsageFilter:
    """Which rows: made in `[since, until)`, both aware, and each value that is given.

    `tag` is one of the tags that a row carries.
    """

    since: datetime
    until: datetime
    principal_id: str | None = None
    model: str | None = None
    alias: str | None = None
    deployment: str | None = None
    source: str | None = None
    tag: str | None = None
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class RequestRows:
    """One request: where it stands, and all its rows as columns, the first first."""

    place: Place
    rows: tuple[Mapping[str, Any], ...]


class UsageReports:
    """Reads the usage table."""

    def __init__(self, database: Database) -> None:
        """Keep the database; nothing is opened."""
        self._database = database

    def names(self, principal_ids: Sequence[str]) -> dict[str, str]:
        """Return the names of these principals, as far as they are there."""
        query = select(api_tokens.c.id, api_tokens.c.name).where(
            api_tokens.c.id.in_(principal_ids)
        )
        with self._database.reading() as connection:
            return {row.id: row.name for row in connection.execute(query)}

    def requests(
        self, wanted: UsageFilter, most: int, before: Place | None = None
    ) -> tuple[RequestRows, ...]:
        """Return at most so many requests that have a matching row, the newest first.

        Each comes with its rows, the latest 200 of them, also those that do not match.
        `before` is the place of the last one of the page before.
        """
        query = _newest(wanted, before).limit(most)
        with self._database.reading() as connection:
            found = connection.execute(query).all()
            keys = [(each.principal_id, each.request_id) for each in found]
            rows = _rows_of(connection, keys)
        return tuple(
            RequestRows(
                Place(each.created_at, each.id),
                tuple(rows[each.principal_id, each.request_id]),
            )
            for each in found
        )


def _conditions(
    table: FromClause | Alias, wanted: UsageFilter
) -> Iterator[ColumnElement[bool]]:
    yield table.c.created_at >= wanted.since
    yield from _endings(table, wanted)


def _endings(
    table: FromClause | Alias, wanted: UsageFilter
) -> Iterator[ColumnElement[bool]]:
    yield table.c.created_at < wanted.until
    yield from wanted_values(table, wanted, _FILTERS)


def _newest(wanted: UsageFilter, before: Place | None) -> Select[Any]:
    """Return the query for the newest matching row of each request."""
    later = usage.alias("later")
    has_later = (
        select(later.c.id)
        .where(
            later.c.request_id == usage.c.request_id,
            later.c.principal_id == usage.c.principal_id,
            # As one value, in which an index can begin.
            tuple_(later.c.created_at, later.c.id)
            > tuple_(usage.c.created_at, usage.c.id),
            # Not when it begins: that follows, and would be a worse place to look.
            *_endings(later, wanted),
        )
        .exists()
    )
    query = (
        select(usage.c.id, usage.c.created_at, usage.c.principal_id, usage.c.request_id)
        .where(not_(has_later), *_conditions(usage, wanted))
        .order_by(usage.c.created_at.desc(), usage.c.id.desc())
    )
    if before is None:
        return query
    older = and_(usage.c.created_at == before.at, usage.c.id < before.row_id)
    return query.where(or_(usage.c.created_at < before.at, older))


def _rows_of(
    connection: Connection, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], list[Mapping[str, Any]]]:
    """Return the latest rows of these requests, in the order in which they were made.

    A caller who sends the same id again and again decides how many there are.
    """
    if not keys:
        return {}
    request = (usage.c.principal_id, usage.c.request_id)
    from_the_last = func.row_number().over(
        partition_by=request,
        order_by=(usage.c.created_at.desc(), usage.c.id.desc()),
    )
    # As a table: for a list of pairs SQLite would look through all rows that it has.
    names = column("principal_id", String), column("request_id", String)
    wanted = values(*names, name="wanted").data(list(keys)).cte()
    same = and_(*(wanted.c[each.name] == each for each in request))
    ranked = (
        select(usage, from_the_last.label("rank"))
        .select_from(wanted.join(usage, same))
        .subquery()
    )
    query = (
        select(*(ranked.c[column.name] for column in usage.c))
        .where(ranked.c.rank <= MOST_ATTEMPTS)
        .order_by(ranked.c.created_at, ranked.c.id)
    )
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {key: [] for key in keys}
    for row in connection.execute(query):
        columns = row._asdict()
        found[row.principal_id, row.request_id].append(columns)
    return found
