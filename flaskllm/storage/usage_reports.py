"""What the usage table tells: sums by what they are asked by, and requests in pages.

The newest row of a request among those that match stands for it: so every request
has one place in time, and a page can begin after any of them.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import (
    Alias,
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    case,
    func,
    literal,
    not_,
    or_,
    select,
    tuple_,
)

from flaskllm.core.paging import Place
from flaskllm.storage.database import Database
from flaskllm.storage.tables import api_tokens, usage

Dimension = Literal["model", "alias", "deployment", "principal_id", "source", "tags"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
MOST_GROUPS = 1000
MOST_ATTEMPTS = 200
"""Rows that are told of one request at most: the latest."""


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
class Sums:
    """The sums of some rows; `key` is what they have in common, empty for all.

    `cost_nanos` adds up what has a price, `unpriced` counts the attempts that used
    tokens and have none, `estimated` those whose cost is an estimate.
    """

    key: str
    requests: int
    attempts: int
    tokens_input: int
    tokens_output: int
    cost_nanos: int
    unpriced: int
    estimated: int


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

    def sums(
        self, wanted: UsageFilter, dimensions: Sequence[Dimension]
    ) -> tuple[Sums, dict[Dimension, tuple[Sums, ...]]]:
        """Return the sums of all rows, and those by each dimension; one state of all.

        Within a dimension the dearest stands first, and the thousand dearest only.
        `tags` is the whole text of a row's tags.
        """
        with self._database.reading() as connection:
            (total,) = _sums(connection, wanted, None)
            by = {each: tuple(_sums(connection, wanted, each)) for each in dimensions}
        return total, by

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
        `before` is the
        place of the last one of the page before.
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


def _sums(
    connection: Connection, wanted: UsageFilter, dimension: Dimension | None
) -> Iterator[Sums]:
    key = literal("") if dimension is None else usage.c[dimension]
    cost = func.coalesce(func.sum(usage.c.cost_nanos), 0)
    query = select(key.label("key"), *_totals(), cost.label("cost_nanos"))
    query = query.where(*_conditions(usage, wanted))
    if dimension is not None:
        query = query.group_by(key).order_by(cost.desc(), key).limit(MOST_GROUPS)
    for row in connection.execute(query).mappings():
        # Sums of large numbers come as decimals from some databases.
        counts = {name: int(row[name] or 0) for name in row if name != "key"}
        yield Sums(key=row["key"], **counts)


def _totals() -> Iterator[ColumnElement[Any]]:
    tokens_input = (
        usage.c.input_uncached + usage.c.input_cache_read + usage.c.input_cache_write
    )
    tokens_output = usage.c.output_text + usage.c.output_reasoning
    is_unpriced = and_(usage.c.cost_nanos.is_(None), tokens_input + tokens_output > 0)
    request = usage.c.principal_id + literal(" ") + usage.c.request_id
    yield func.count(request.distinct()).label("requests")
    yield func.count().label("attempts")
    yield func.sum(tokens_input).label("tokens_input")
    yield func.sum(tokens_output).label("tokens_output")
    yield func.sum(case((is_unpriced, 1), else_=0)).label("unpriced")
    yield func.sum(case((usage.c.is_estimated, 1), else_=0)).label("estimated")


def _conditions(
    table: FromClause | Alias, wanted: UsageFilter
) -> Iterator[ColumnElement[bool]]:
    yield table.c.created_at >= wanted.since
    yield from _endings(table, wanted)


def _endings(
    table: FromClause | Alias, wanted: UsageFilter
) -> Iterator[ColumnElement[bool]]:
    yield table.c.created_at < wanted.until
    for name in (
        "principal_id",
        "model",
        "alias",
        "deployment",
        "source",
        "outcome",
    ):
        value = getattr(wanted, name)
        if value is not None:
            yield table.c[name] == value
    if wanted.tag is not None:
        spaced = literal(" ") + table.c.tags + literal(" ")
        yield spaced.contains(f" {wanted.tag} ", autoescape=True)


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
    request = (usage.c.principal_id, usage.c.request_id)
    from_the_last = func.row_number().over(
        partition_by=request,
        order_by=(usage.c.created_at.desc(), usage.c.id.desc()),
    )
    ranked = (
        select(usage, from_the_last.label("rank"))
        .where(tuple_(*request).in_(keys))
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
