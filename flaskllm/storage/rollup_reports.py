"""What the roll-ups tell: sums and durations of a span, in one query each.

Of the hours and days that are made of a time zone those are read, and behind them the
quarters of an hour: nobody sees where one ends and the other begins.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, Table, Text, func, select, union_all

from flaskllm.core.histograms import Histogram, empty
from flaskllm.storage.database import Database
from flaskllm.storage.rollup_filters import (
    DIMENSIONS,
    Grouping,
    RollupFilter,
    conditions,
    grain_of,
    level_of,
    slot_of,
    value_of,
)
from flaskllm.storage.rollup_rows import EVERYTHING
from flaskllm.storage.rollup_tables import (
    SUMMED,
    latency_quarters,
    latency_spans,
    usage_keys,
    usage_quarters,
    usage_spans,
)
from flaskllm.storage.rollups import DAYS

_KEYS = usage_keys.c


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


Histograms = Mapping[tuple[int, str], Histogram]
"""The durations of a slot and a value of a dimension; empty where there is none."""

# A bin and a count are one number of a text: to read two takes twice as long.
_BIN_BITS = 8


class RollupReports:
    """Reads the roll-ups; each call is one query."""

    def __init__(self, database: Database) -> None:
        """Keep the database; nothing is opened."""
        self._database = database

    def by_key(self, wanted: RollupFilter) -> Iterator[KeySums]:
        """Yield the sums of a span, whatever they have in common."""
        arms = [
            select(table.c.key, *_added(table))
            .where(*conditions(table, wanted, DAYS, EVERYTHING))
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
        grain, level = grain_of(grouping), level_of(wanted, grouping.by)
        arms = [
            _sums(table, grouping).where(*conditions(table, wanted, grain, keys))
            for table, keys in ((usage_spans, level), (usage_quarters, EVERYTHING))
        ]
        for slot, key, *parts in self._rows(union_all(*arms)):
            yield Cell(slot, key, tuple(map(int, parts)))

    def durations(
        self, wanted: RollupFilter, grouping: Grouping, measure: int
    ) -> Histograms:
        """Return the durations of a span by slot, and by what else is asked for.

        Source and tags are not told of them.
        """
        grain, level = grain_of(grouping), level_of(wanted, grouping.by)
        arms = [
            _histograms(table, grouping)
            .where(*conditions(table, wanted, grain, keys))
            .where(table.c.measure == measure)
            for table, keys in ((latency_spans, level), (latency_quarters, EVERYTHING))
        ]
        found = union_all(*arms).subquery()
        query = select(found.c.slot, value_of(grouping), found.c.numbers).join_from(
            found, usage_keys, _KEYS.id == found.c.key
        )
        histograms: dict[tuple[int, str], Histogram] = defaultdict(empty)
        for slot, key, numbers in self._rows(query):
            _add(numbers, histograms[slot, key])
        return histograms

    def _rows(self, query: Any) -> list[Any]:
        with self._database.reading() as connection:
            return list(connection.execute(query).all())


def _added(table: Table) -> list[ColumnElement[Any]]:
    return [func.sum(table.c[name]).label(name) for name in SUMMED]


def _sums(table: Table, grouping: Grouping) -> Select[Any]:
    """Return the query for sums by slot and value, without its conditions."""
    slot, key = slot_of(table, grouping), value_of(grouping)
    query = select(slot.label("slot"), key.label("key"), *_added(table))
    joined = query.join_from(table, usage_keys, _KEYS.id == table.c.key)
    grouped = joined.group_by(slot)
    return grouped if grouping.by is None else grouped.group_by(key)


def _histograms(table: Table, grouping: Grouping) -> Select[Any]:
    """Return the query for a text of bins by slot and key, without its conditions.

    In that order rows lie in the table. To sort them by names would take longest.
    """
    slot = slot_of(table, grouping)
    number = table.c.count * (1 << _BIN_BITS) + table.c.bin
    numbers = func.aggregate_strings(number.cast(Text), ",").label("numbers")
    query = select(table.c.key, slot.label("slot"), numbers)
    return query.group_by(table.c.key, slot)


def _add(numbers: str, histogram: Histogram) -> None:
    for number in map(int, numbers.split(",")):
        histogram[number & ((1 << _BIN_BITS) - 1)] += number >> _BIN_BITS
