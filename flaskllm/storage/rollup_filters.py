"""Which roll-ups are wanted, how finely, and the conditions of a query for them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import ColumnElement, Table, case, func, literal, select

from flaskllm.storage.rollup_rows import level_telling
from flaskllm.storage.rollup_tables import usage_keys, usage_zones
from flaskllm.storage.rollups import DAYS, HOURS
from flaskllm.storage.usage_conditions import wanted_values

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


def level_of(wanted: RollupFilter, by: Dimension | None) -> int:
    """Return the level of keys that tells all that is asked for."""
    names = {name for name in _FILTERS if getattr(wanted, name) is not None}
    tags = {"tags"} if wanted.tag is not None else set()
    return level_telling(names | tags | ({by} if by else set()))


def grain_of(grouping: Grouping) -> int:
    """Return what is made of quarters that a series reads: hours or days."""
    return HOURS if grouping.hourly else DAYS


def slot_of(table: Table, grouping: Grouping) -> ColumnElement[int]:
    """Return the slot that a row of this table is counted for."""
    if "zone" in table.c:
        return table.c.slot
    step, shift = grouping.step, grouping.shift
    return (table.c.slot + shift) // step * step - shift


def value_of(grouping: Grouping) -> ColumnElement[str]:
    """Return the value of a key that a row is counted for; '' where all are one."""
    return literal("") if grouping.by is None else _KEYS[grouping.by]


def conditions(
    table: Table, wanted: RollupFilter, grain: int, level: int
) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions for what is made of a span, or for what is not yet."""
    values = wanted_values(usage_keys, wanted, _FILTERS)
    keys = select(_KEYS.id).where(_KEYS.level == level, *values)
    yield table.c.key.in_(keys)
    yield table.c.slot < wanted.after
    mine = usage_zones.c.name == wanted.zone
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
