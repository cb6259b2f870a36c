"""What the roll-ups tell: sums and durations of a span, in one query each.

Of the hours and days that are made of a time zone those are read, and behind them the
quarters of an hour: nobody sees where one ends and the other begins.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import (
    ColumnElement,
    Select,
    Table,
    case,
    func,
    literal,
    select,
    union_all,
)

from flaskllm.storage.database import Database
from flaskllm.storage.rollup_rows import EVERYTHING, level_telling
from flaskllm.storage.rollup_tables import (
    SUMMED,
    latency_quarters,
    latency_spans,
    usage_keys,
    usage_quarters,
    usage_spans,
    usage_zones,
)
from flaskllm.storage.rollups import DAYS, HOURS

Dimension = Literal["model", "alias", "deployment", "principal_id", "source", "tags"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)

_KEYS = usage_keys.c
_FILTERS = ("principal_id", "model", "alias", "deployment", "source")


@dataclass(frozen=True, slots=True)
class RollupFilter:
    """Which roll-ups: quarters in `[first, after)`, and each value that is given.

    Both are the beginning of a day in the time zone of this name. `tag` is one of the
    tags that an attempt carried.
    """

    zone: str
    first: int
    after: int
    principal_id: str | None = None
    model: str | None = None
    alias: str | None = None
    deployment: str | None = None
    source: str | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Grouping:
    """How finely a series is read.

    A quarter that is in no hour or day yet is counted for the first one of its step:
    of so many quarters, each beginning where one lies that is `shift` before a
    multiple of them. `by` is what else sums are kept apart by.
    """

    hourly: bool
    step: int
    shift: int
    by: Dimension | None


@dataclass(frozen=True, slots=True)
class KeySums:
    """The sums of a span for one key; `sums` are in the order of `SUMMED`."""

    principal_id: str
    alias: str
    deployment: str
    model: str
    source: str
    tags: str
    price: str
    sums: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Cell:
    """The sums of a slot for one value of a dimension; empty where there is none."""

    slot: int
    key: str
    sums: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Durations:
    """How many durations of a slot and a value lie in one bin."""

    slot: int
    key: str
    bin: int
    count: int


class RollupReports:
    """Reads the roll-ups; each call is one query."""

    def __init__(self, database: Database) -> None:
        """Keep the database; nothing is opened."""
        self._database = database

    def by_key(self, wanted: RollupFilter) -> Iterator[KeySums]:
        """Yield the sums of a span, whatever they have in common."""
        arms = [
            select(table.c.key, *_added(table))
            .where(
                *_span(table, wanted, DAYS), table.c.key.in_(_ids(wanted, EVERYTHING))
            )
            .group_by(table.c.key)
            for table in (usage_spans, usage_quarters)
        ]
        found = union_all(*arms).subquery()
        texts = [_KEYS[each] for each in (*DIMENSIONS, "price")]
        sums = [found.c[name] for name in SUMMED]
        query = select(*texts, *sums).join(usage_keys, _KEYS.id == found.c.key)
        for row in self._rows(query):
            model, alias, deployment, principal, source, tags, price, *parts = row
            yield KeySums(
                principal,
                alias,
                deployment,
                model,
                source,
                tags,
                price,
                tuple(map(int, parts)),
            )

    def series(self, wanted: RollupFilter, grouping: Grouping) -> Iterator[Cell]:
        """Yield the sums of a span by slot, and by what else is asked for.

        A slot may come twice, once of what is made and once of what is not yet.
        """
        level = level_telling(_told(wanted, grouping.by))
        arms = [
            _grouped(table, grouping, _added(table)).where(
                *_span(table, wanted, _grain(grouping)),
                table.c.key.in_(_ids(wanted, keys)),
            )
            for table, keys in ((usage_spans, level), (usage_quarters, EVERYTHING))
        ]
        for slot, key, *parts in self._rows(union_all(*arms)):
            yield Cell(slot, key, tuple(map(int, parts)))

    def durations(
        self, wanted: RollupFilter, grouping: Grouping, measure: int
    ) -> Iterator[Durations]:
        """Yield the durations of a span by slot, and by what else is asked for.

        Source and tags are not told of them. A slot may come twice, as in `series`.
        """
        level = level_telling(_told(wanted, grouping.by))
        arms = []
        for table, keys in ((latency_spans, level), (latency_quarters, EVERYTHING)):
            count = func.sum(table.c.count).label("count")
            arms.append(
                _grouped(table, grouping, [table.c.bin, count])
                .group_by(table.c.bin)
                .where(*_span(table, wanted, _grain(grouping)))
                .where(table.c.key.in_(_ids(wanted, keys)))
                .where(table.c.measure == measure)
            )
        for slot, key, number, count in self._rows(union_all(*arms)):
            if count:
                yield Durations(slot, key, number, int(count))

    def _rows(self, query: Any) -> list[Any]:
        with self._database.reading() as connection:
            return list(connection.execute(query).all())


def _grain(grouping: Grouping) -> int:
    return HOURS if grouping.hourly else DAYS


def _added(table: Table) -> list[ColumnElement[Any]]:
    return [func.sum(table.c[name]).label(name) for name in SUMMED]


def _grouped(
    table: Table, grouping: Grouping, columns: list[ColumnElement[Any]]
) -> Select[Any]:
    """Return the query for these columns by slot and key, without its conditions."""
    slot: ColumnElement[int] = table.c.slot
    if "zone" not in table.c:
        step, shift = grouping.step, grouping.shift
        slot = (table.c.slot + shift) // step * step - shift
    key = literal("") if grouping.by is None else _KEYS[grouping.by]
    query = select(slot.label("slot"), key.label("key"), *columns)
    joined = query.join_from(table, usage_keys, _KEYS.id == table.c.key)
    grouped = joined.group_by(slot)
    return grouped if grouping.by is None else grouped.group_by(key)


def _span(
    table: Table, wanted: RollupFilter, grain: int
) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions for what is made of a span, or for what is not yet."""
    mine = usage_zones.c.name == wanted.zone
    yield table.c.slot < wanted.after
    if "zone" in table.c:
        known = select(usage_zones.c.id).where(mine).scalar_subquery()
        yield table.c.zone == known
        yield table.c.grain == grain
        yield table.c.slot >= wanted.first
        return
    built = usage_zones.c.built_until
    # One bound, not the greater of two: an index begins at one.
    later = select(case((built > wanted.first, built), else_=wanted.first)).where(mine)
    yield table.c.slot >= func.coalesce(later.scalar_subquery(), wanted.first)


def _told(wanted: RollupFilter, by: Dimension | None) -> set[str]:
    """Return which texts of keys matter."""
    names = {name for name in _FILTERS if getattr(wanted, name) is not None}
    tags = {"tags"} if wanted.tag is not None else set()
    return names | tags | ({by} if by else set())


def _ids(wanted: RollupFilter, level: int) -> Select[Any]:
    conditions = _key_conditions(wanted)
    return select(_KEYS.id).where(_KEYS.level == level, *conditions)


def _key_conditions(wanted: RollupFilter) -> Iterator[ColumnElement[bool]]:
    for name in _FILTERS:
        value = getattr(wanted, name)
        if value is not None:
            yield _KEYS[name] == value
    if wanted.tag is not None:
        spaced = literal(" ") + _KEYS.tags + literal(" ")
        yield spaced.contains(f" {wanted.tag} ", autoescape=True)
