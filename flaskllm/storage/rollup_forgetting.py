"""Roll-ups that are too old, or that nobody asks for any more, are removed."""

from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    Table,
    delete,
    func,
    select,
)

from flaskllm.core.slots import day_start, day_with
from flaskllm.storage.database import Database
from flaskllm.storage.rollup_building import hold_writers, see_views
from flaskllm.storage.rollup_rows import ANSWER, EVERYTHING, FIRST_TOKEN
from flaskllm.storage.rollup_tables import (
    VIEWS,
    latency_quarters,
    latency_spans,
    usage_keys,
    usage_quarters,
    usage_spans,
    usage_zones,
)
from flaskllm.storage.rollups import DAYS, HOURS

_FORGOTTEN_AFTER = 35 * 96
"""So many quarters behind another time zone, one that nobody makes any more is gone."""


class RollupForgetting:
    """Removes whole days, the oldest first, and time zones that are not used."""

    def __init__(self, database: Database, zone: ZoneInfo) -> None:
        """Keep the database and the reporting time zone; nothing is opened."""
        self._database = database
        self._zone = zone

    def forget_day(self, first: date) -> bool:
        """Remove the oldest day that there is, if it is before the first to be kept.

        What attempts had in common goes too, once no sum names it. It is one
        transaction; to do it twice, or from two processes, is harmless.

        Args:
            first: The first day that is kept, in the reporting time zone.

        Returns:
            Whether there was such a day.

        Raises:
            ServiceUnavailable: Nothing was removed; a retry may help.
        """
        # Nobody who writes shall wait for a look.
        with self._database.reading() as connection:
            oldest = connection.execute(select(func.min(usage_quarters.c.slot)))
            slot = oldest.scalar()
        if slot is None or slot >= day_start(first, self._zone):
            return False
        following = day_with(slot, self._zone) + timedelta(days=1)
        with self._database.transaction() as connection:
            hold_writers(connection)
            see_views(connection)
            _forget_before(connection, day_start(following, self._zone))
            self._forget_keys(connection)
        return True

    def forget_others(self) -> int:
        """Remove what was made for time zones that have not been reported in for long.

        Returns:
            How many time zones were removed.

        Raises:
            ServiceUnavailable: Nothing was removed; a retry may help.
        """
        with self._database.reading() as connection:
            ids = connection.execute(self._others()).scalars().all()
        if not ids:
            return 0
        with self._database.transaction() as connection:
            hold_writers(connection)
            for table in (usage_spans, latency_spans):
                connection.execute(delete(table).where(table.c.zone.in_(ids)))
            connection.execute(delete(usage_zones).where(usage_zones.c.id.in_(ids)))
        return len(ids)

    def _others(self) -> Select[tuple[int]]:
        zones = usage_zones.c
        mine = select(zones.built_until).where(zones.name == self._zone.key)
        return select(zones.id).where(
            zones.built_until < mine.scalar_subquery() - _FORGOTTEN_AFTER
        )

    def _forget_keys(self, connection: Connection) -> None:
        """Remove keys that no sum names any more, then those that tell less of them.

        What is not named is found by `EXCEPT`: PostgreSQL looks through the whole list
        for each key where a `NOT IN` is too long for its memory, and SQLite does where
        a `NOT EXISTS` has no index.
        """
        keys, is_full = usage_keys.c, usage_keys.c.level == EVERYTHING
        full = select(keys.id).where(is_full, ~self._in_day().exists())
        _forget_all(connection, full.except_(self._young()))
        seen = (keys[name] for name in VIEWS)
        named = (select(each).where(each.is_not(None)) for each in seen)
        _forget_all(connection, select(keys.id).where(~is_full).except_(*named))

    def _in_day(self) -> Select[tuple[int]]:
        """Return the days that a sum of a key is kept of."""
        zones, spans = usage_zones.c, usage_spans.c
        mine = select(zones.id).where(zones.name == self._zone.key)
        return (
            select(spans.key)
            .where(spans.zone == mine.scalar_subquery(), spans.grain == DAYS)
            .where(spans.key == usage_keys.c.id)
        )

    def _young(self) -> Select[tuple[int]]:
        """Return the keys of sums that are not made to days yet."""
        zones, quarters = usage_zones.c, usage_quarters.c
        mine = select(zones.built_until).where(zones.name == self._zone.key)
        until = func.coalesce(mine.scalar_subquery(), 0)
        return select(quarters.key).where(quarters.slot >= until)


def _forget_all(connection: Connection, ids: CompoundSelect[tuple[int]]) -> None:
    connection.execute(delete(usage_keys).where(usage_keys.c.id.in_(ids)))


def _forget_before(connection: Connection, after: int) -> None:
    """Remove all sums that begin before a quarter.

    Hours and days of every time zone are told by all of their key, so that SQLite
    finds them without reading the others.
    """
    for table in (usage_quarters, latency_quarters):
        connection.execute(delete(table).where(table.c.slot < after))
    zones, keys = select(usage_zones.c.id), select(usage_keys.c.id)
    measures = (latency_spans.c.measure.in_((ANSWER, FIRST_TOKEN)),)
    each: tuple[tuple[Table, tuple[ColumnElement[bool], ...]], ...] = (
        (usage_spans, ()),
        (latency_spans, measures),
    )
    for table, more in each:
        told = (table.c.zone.in_(zones), table.c.grain.in_((HOURS, DAYS)), *more)
        within = (table.c.key.in_(keys), table.c.slot < after)
        connection.execute(delete(table).where(*told, *within))
