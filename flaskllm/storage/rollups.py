"""What one transaction adds to the roll-ups, so that they are the sums of usage rows.

By the quarter of an hour everything is added at once. The hours and days of a time
zone are made later, see `rollup_building`; only what comes to them after that, which
is rare, is added to them here too.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from flaskllm.core.slots import day_start, day_with, hour_starts, quarter_of
from flaskllm.storage.rollup_rows import (
    OF_DURATIONS,
    TEXTS,
    Key,
    durations_of,
    id_of,
    key_of,
    parts_of,
    views_of,
)
from flaskllm.storage.rollup_tables import (
    SUMMED,
    latency_quarters,
    latency_spans,
    usage_keys,
    usage_quarters,
    usage_spans,
    usage_zones,
)
from flaskllm.storage.rows import Row, Rows
from flaskllm.storage.usage import UsageRow

HOURS = 1
DAYS = 2
SETTLED_AFTER = timedelta(hours=2)
"""So long after its end at least a day is made; what is young cannot come too late."""

# Half of that: clocks of hosts may differ by the other half.
_YOUNG = SETTLED_AFTER / 2

_DURATION = ("key", "slot", "bin", "count")
_KEYS = Rows(usage_keys, ("id", "level", *TEXTS), ignores_known=True)
_QUARTERS = Rows(usage_quarters, ("slot", "key", *SUMMED), summed=SUMMED)
_LATENCIES = Rows(
    latency_quarters, ("slot", "key", "measure", "bin", "count"), summed=("count",)
)
_SPANS = Rows(usage_spans, ("zone", "grain", "key", "slot", *SUMMED), summed=SUMMED)
_LATENCY_SPANS = Rows(
    latency_spans, ("zone", "grain", "measure", *_DURATION), summed=("count",)
)

_Sums = dict[tuple[int, ...], list[int]]
_Counts = dict[tuple[int, ...], int]
_NOTHING = [0] * len(SUMMED)


class Rollups:
    """What one transaction adds, gathered before it is written."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._keys: dict[int, Key] = {}
        self._sums: _Sums = {}
        self._durations: _Counts = {}

    def add(self, row: UsageRow, sign: int = 1) -> None:
        """Add a usage row; with a sign of -1 it is taken away again."""
        slot, key = quarter_of(row.created_at), key_of(row)
        number = id_of(key)
        self._keys[number] = key
        sums = self._sums.setdefault((slot, number), [*_NOTHING])
        for place, part in enumerate(parts_of(row)):
            sums[place] += sign * part
        for measured in durations_of(row):
            at = (slot, number, *measured)
            self._durations[at] = self._durations.get(at, 0) + sign

    def write(self, connection: Connection, now: datetime) -> None:
        """Add it to the tables, whose rows are locked in the order of their keys.

        Args:
            connection: Inside a transaction.
            now: Aware; what is young by then belongs to no hour or day yet.
        """
        if not self._sums:
            return
        # Who makes days, or forgets keys, holds off all inserts of these meanwhile: so
        # what follows is told of what they did.
        _QUARTERS.insert(connection, _flat(self._sums))
        add_keys(connection, self._keys.values())
        _LATENCIES.insert(connection, _counted(self._durations))
        if min(slot for slot, _ in self._sums) < quarter_of(now - _YOUNG):
            for zone in connection.execute(select(usage_zones)).all():
                made = _Late(zone.id, ZoneInfo(zone.name), zone.built_until)
                made.write(connection, self._keys, self._sums, self._durations)


def add_keys(connection: Connection, keys: Iterable[Key]) -> None:
    """Add those of these keys that are not there."""
    rows = [(id_of(key), key.level, *_texts_of(key)) for key in keys]
    _KEYS.insert(connection, sorted(rows))


class _Late:
    """Brings what came late into the hours and days that are made already."""

    def __init__(self, zone_id: int, zone: ZoneInfo, built_until: int) -> None:
        self._zone_id = zone_id
        self._zone = zone
        self._built_until = built_until

    def write(
        self,
        connection: Connection,
        keys: Mapping[int, Key],
        sums: Mapping[tuple[int, ...], Sequence[int]],
        durations: Mapping[tuple[int, ...], int],
    ) -> None:
        """Add what lies before the end of what is made."""
        added: _Sums = {}
        for (slot, number), parts in sums.items():
            for *span, start in self._spans(slot):
                for each in (keys[number], *views_of(keys[number])):
                    at = (*span, id_of(each), start)
                    added[at] = list(map(int.__add__, added.get(at, _NOTHING), parts))
        counts: _Counts = {}
        for (slot, number, measure, duration), count in durations.items():
            for *span, start in self._spans(slot):
                for each in views_of(keys[number]):
                    if each.level in OF_DURATIONS:
                        at = (*span, measure, id_of(each), start, duration)
                        counts[at] = counts.get(at, 0) + count
        if added:
            views = {each for key in keys.values() for each in views_of(key)}
            add_keys(connection, views)
        _SPANS.insert(connection, _flat(added))
        _LATENCY_SPANS.insert(connection, _counted(counts))

    def _spans(self, slot: int) -> list[tuple[int, int, int]]:
        """Return (zone, grain, first quarter) of the hour and the day of a quarter."""
        if slot >= self._built_until:
            return []
        day = day_with(slot, self._zone)
        hour = max(each for each in hour_starts(day, self._zone) if each <= slot)
        return [
            (self._zone_id, HOURS, hour),
            (self._zone_id, DAYS, day_start(day, self._zone)),
        ]


_texts_of = attrgetter(*TEXTS)


def _flat(sums: Mapping[tuple[int, ...], Iterable[int]]) -> list[Row]:
    return [(*place, *sums[place]) for place in sorted(sums)]


def _counted(counts: Mapping[tuple[int, ...], int]) -> list[Row]:
    return [(*place, counts[place]) for place in sorted(counts) if counts[place]]
