"""What the roll-ups must be: told by the usage rows themselves, one by one."""

from collections import Counter
from zoneinfo import ZoneInfo

from sqlalchemy import select

from flaskllm.core.slots import day_start, day_with, hour_starts, quarter_of
from flaskllm.storage.rollup_rows import (
    OF_DURATIONS,
    durations_of,
    id_of,
    key_of,
    parts_of,
    views_of,
)
from flaskllm.storage.rollups import DAYS, HOURS
from flaskllm.storage.tables import (
    latency_quarters,
    latency_spans,
    usage,
    usage_keys,
    usage_quarters,
    usage_spans,
    usage_zones,
)
from flaskllm.storage.usage import UsageRow

TABLES = (
    "usage_keys",
    "usage_quarters",
    "latency_quarters",
    "usage_zones",
    "usage_spans",
    "latency_spans",
)


def unlike_usage(database):
    """Return what is wrong in the roll-ups; empty where they are those of the rows."""
    with database.reading() as connection:
        rows = [UsageRow(**row) for row in connection.execute(select(usage)).mappings()]
        zones = connection.execute(select(usage_zones)).all()
        told = {
            table.name: _held(connection, table)
            for table in (usage_quarters, latency_quarters, usage_spans, latency_spans)
        }
        ids = set(connection.execute(select(usage_keys.c.id)).scalars())
    must = {name: Counter() for name in told}
    needed = set()
    for row in rows:
        slot, key = quarter_of(row.created_at), key_of(row)
        needed.add(id_of(key))
        _add(must, "quarters", (slot, id_of(key)), row)
        for zone in zones:
            for zone_id, grain, start in _spans(zone, slot):
                for each in (key, *views_of(key)):
                    needed.add(id_of(each))
                    place = zone_id, grain, id_of(each), start
                    _add(must, "spans", place, row, each.level)
    wrong = [
        f"{name}: {place} is {held.get(place)}, not {must[name].get(place)}"
        for name, held in told.items()
        for place in held.keys() | must[name].keys()
        if held.get(place, 0) != must[name].get(place, 0)
    ]
    return wrong + [f"no key {each}" for each in needed - ids]


def _spans(zone, slot):
    if slot >= zone.built_until:
        return
    here = ZoneInfo(zone.name)
    day = day_with(slot, here)
    hour = max(each for each in hour_starts(day, here) if each <= slot)
    yield zone.id, HOURS, hour
    yield zone.id, DAYS, day_start(day, here)


def _add(must, kind, place, row, level=None):
    for number, part in enumerate(parts_of(row)):
        must[f"usage_{kind}"][*place, number] += part
    if level is not None and level not in OF_DURATIONS:
        return
    for measure, duration in durations_of(row):
        at = (*place, measure, duration)
        if level is not None:
            zone, grain, key, start = place
            at = zone, grain, measure, key, start, duration
        must[f"latency_{kind}"][at] += 1


def _held(connection, table):
    """Return what a table holds by its key, column by column where it has many."""
    keys = [each.name for each in table.primary_key]
    names = [each.name for each in table.c if each.name not in keys]
    held = {}
    for row in connection.execute(select(table)).mappings():
        at = tuple(row[name] for name in keys)
        if names == ["count"]:
            held[at] = row["count"]
            continue
        held |= {(*at, number): row[name] for number, name in enumerate(names)}
    return held
