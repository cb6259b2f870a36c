"""Hours and days of a time zone, made of quarters of an hour once they are over."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from sqlalchemy import (
    Column,
    Connection,
    Row,
    Table,
    func,
    insert,
    literal,
    select,
    text,
)

from flaskllm.core.slots import day_start, day_with, hour_starts, quarter_of
from flaskllm.storage.database import Database
from flaskllm.storage.rollup_rows import (
    EVERYTHING,
    OF_DURATIONS,
    TEXTS,
    Key,
    id_of,
    views_of,
)
from flaskllm.storage.rollup_tables import (
    SUMMED,
    VIEWS,
    latency_quarters,
    latency_spans,
    usage_keys,
    usage_quarters,
    usage_spans,
    usage_zones,
)
from flaskllm.storage.rollups import DAYS, HOURS, SETTLED_AFTER, add_keys

_HOUR_QUARTERS = 4
_Zone = Row[tuple[int, str, int]]


@dataclass(frozen=True, slots=True)
class _Span:
    """What is made at once, of the quarters in `[first, after)`.

    They are one hour or day, or, of `step` quarters each, many.
    """

    zone_id: int
    grain: int
    first: int
    after: int
    step: int


class RollupBuilding:
    """Makes days one after the other; what came late is brought to them by writers."""

    def __init__(self, database: Database, zone: ZoneInfo) -> None:
        """Keep the database and the reporting time zone; nothing is opened."""
        self._database = database
        self._zone = zone

    def build_day(self, now: datetime) -> bool:
        """Make the hours and the day that come next; tell whether there was one.

        It is one transaction. To do it twice, or from two processes, is harmless.

        Args:
            now: Aware. A day is made once it has been over for two hours.

        Raises:
            ServiceUnavailable: Nothing was made; a retry may help.
        """
        # Nobody who writes shall wait for a look.
        with self._database.reading() as connection:
            known = self._find(connection)
        if known is not None and not self._next_day(known, now):
            return False
        with self._database.transaction() as connection:
            hold_writers(connection)
            known = self._find(connection) or self._begin(connection, now)
            next_day = self._next_day(known, now)
            if next_day is None:
                return False
            day, after = next_day
            if _is_used(connection, known.built_until, after):
                see_views(connection)
                for span in _spans(known.id, hour_starts(day, self._zone), after):
                    _make(connection, span)
            connection.execute(
                usage_zones.update()
                .where(usage_zones.c.id == known.id)
                .values(built_until=after)
            )
        return True

    def _next_day(self, known: _Zone, now: datetime) -> tuple[date, int] | None:
        """Return the day that is made next, and its end; None while it is young."""
        day = day_with(known.built_until, self._zone)
        after = day_start(day + timedelta(days=1), self._zone)
        return None if after > quarter_of(now - SETTLED_AFTER) else (day, after)

    def _find(self, connection: Connection) -> _Zone | None:
        """Return the row of this time zone."""
        query = select(usage_zones).where(usage_zones.c.name == self._zone.key)
        return connection.execute(query).one_or_none()

    def _begin(self, connection: Connection, now: datetime) -> _Zone:
        """Return the row of this time zone, which is new."""
        first = connection.execute(select(func.min(usage_quarters.c.slot))).scalar()
        begin = quarter_of(now) if first is None else min(first, quarter_of(now))
        begin = day_start(day_with(begin, self._zone), self._zone)
        number = select(func.coalesce(func.max(usage_zones.c.id), 0) + 1)
        values = {"name": self._zone.key, "built_until": begin}
        connection.execute(
            usage_zones.insert().values(id=number.scalar_subquery(), **values)
        )
        query = select(usage_zones).where(usage_zones.c.name == self._zone.key)
        return connection.execute(query).one()


def hold_writers(connection: Connection) -> None:
    """Wait for those who write roll-ups, and let in no other until the end.

    On SQLite nobody else writes anyway.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("LOCK TABLE usage_quarters IN SHARE ROW EXCLUSIVE MODE")
        )


def _is_used(connection: Connection, first: int, after: int) -> bool:
    quarters = usage_quarters.c
    query = select(quarters.slot).where(quarters.slot >= first, quarters.slot < after)
    return connection.execute(query.limit(1)).first() is not None


def _spans(zone_id: int, hours: Sequence[int], after: int) -> Iterator[_Span]:
    """Yield what is made of a day whose hours begin at these quarters."""
    edges = [*hours, after]
    yield _Span(zone_id, DAYS, edges[0], after, after - edges[0])
    if all(end - first == _HOUR_QUARTERS for first, end in pairwise(edges)):
        yield _Span(zone_id, HOURS, edges[0], after, _HOUR_QUARTERS)
        return
    for first, end in pairwise(edges):
        yield _Span(zone_id, HOURS, first, end, end - first)


def see_views(connection: Connection) -> None:
    """Give keys that are new the ids of those that tell less, and make these."""
    new = select(usage_keys).where(
        usage_keys.c.level == EVERYTHING, usage_keys.c.own.is_(None)
    )
    for row in connection.execute(new).all():
        views = views_of(Key(*(getattr(row, name) for name in TEXTS)))
        add_keys(connection, views)
        ids = dict(zip(VIEWS, map(id_of, views), strict=True))
        changing = usage_keys.update().where(usage_keys.c.id == row.id)
        connection.execute(changing.values(ids))


def _make(connection: Connection, span: _Span) -> None:
    keys = usage_keys.c
    for level, key in enumerate((keys.id, *(keys[name] for name in VIEWS))):
        _make_from(connection, span, key, (usage_quarters, usage_spans), [], SUMMED)
        if level in OF_DURATIONS:
            tables = (latency_quarters, latency_spans)
            _make_from(connection, span, key, tables, ["measure", "bin"], ["count"])


def _make_from(
    connection: Connection,
    span: _Span,
    key: Column[int],
    tables: tuple[Table, Table],
    by: Sequence[str],
    summed: Sequence[str],
) -> None:
    """Add up the quarters of a span for keys of one level.

    Args:
        connection: Inside a transaction.
        span: Which quarters, and for which hour or day.
        key: The column of their keys which says the id on that level.
        tables: Of the quarters, and of what is made of them.
        by: The columns that sums are kept apart by, beside the key.
        summed: The columns that are added up.
    """
    source, made = tables
    apart = [source.c[name] for name in by]
    sums = [func.sum(source.c[name]) for name in summed]
    slot = (source.c.slot - span.first) // span.step * span.step + span.first
    query = (
        select(literal(span.zone_id), literal(span.grain), slot, key, *apart, *sums)
        .select_from(source.join(usage_keys, usage_keys.c.id == source.c.key))
        .where(source.c.slot >= span.first, source.c.slot < span.after)
        .group_by(slot, key, *apart)
    )
    names = ("zone", "grain", "slot", "key", *by, *summed)
    connection.execute(insert(made).from_select(names, query))
