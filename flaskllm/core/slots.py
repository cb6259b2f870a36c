"""Quarters of an hour since 1970, and the hours, days, weeks and months made of them.

The offset of every time zone from UTC is a whole number of quarters, so that hours and
days of any of them are whole numbers of quarters too. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from flaskllm.core.periods import Period, day_of, next_start

BucketSize = Literal["hour", "day", "week", "month"]
BUCKET_SIZES: tuple[BucketSize, ...] = get_args(BucketSize)

QUARTER_SECONDS = 900
_HOUR = 4
"""Quarters of an hour."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """A piece of time that is reported as one: quarters in `[first, after)`.

    `starts_at` is its beginning, in the time zone that it belongs to.
    """

    starts_at: datetime
    first: int
    after: int


def quarter_of(moment: datetime) -> int:
    """Return the quarter that an aware moment lies in."""
    return int(moment.timestamp() // QUARTER_SECONDS)


def quarter_start(quarter: int, zone: ZoneInfo) -> datetime:
    """Return when a quarter begins, aware and in this zone."""
    return datetime.fromtimestamp(quarter * QUARTER_SECONDS, UTC).astimezone(zone)


@lru_cache(maxsize=4096)
def day_start(day: date, zone: ZoneInfo) -> int:
    """Return the first quarter of a day; where it has none, that of the next one."""
    return quarter_of(datetime.combine(day, time.min, tzinfo=zone))


def day_with(quarter: int, zone: ZoneInfo) -> date:
    """Return the day that a quarter belongs to: the last that begins by then."""
    day = day_of(quarter_start(quarter, zone), zone)
    # Where clocks are put back over midnight the date alone would tell twice.
    if quarter < day_start(day, zone):
        return day - timedelta(days=1)
    while quarter >= day_start(day + timedelta(days=1), zone):
        day += timedelta(days=1)
    return day


def hour_starts(day: date, zone: ZoneInfo) -> list[int]:
    """Return the first quarters of the hours of a day, as its clocks strike them.

    They begin with the day. Where clocks are changed by half an hour, the hour of the
    change is a longer or a shorter one.
    """
    quarter, after = day_start(day, zone), day_start(day + timedelta(days=1), zone)
    starts = [quarter] if quarter < after else []
    while (quarter := _next_hour(quarter, zone)) < after:
        starts.append(quarter)
    return starts


def buckets_of(
    size: BucketSize, first: date, last: date, zone: ZoneInfo
) -> Iterator[Bucket]:
    """Yield the buckets of these days, both included; together they are all of them.

    A week or a month that begins earlier or ends later is cut at the days.
    """
    after = last + timedelta(days=1)
    end = day_start(after, zone)
    starts = [
        quarter
        for day in _period_starts(size, first, after)
        for quarter in (
            hour_starts(day, zone) if size == "hour" else [day_start(day, zone)]
        )
    ]
    for quarter, following in pairwise([*starts, end]):
        if quarter < following:
            yield Bucket(quarter_start(quarter, zone), quarter, following)


def _period_starts(size: BucketSize, first: date, after: date) -> Iterator[date]:
    period: Period = "day" if size == "hour" else size
    day = first
    while day < after:
        yield day
        day = next_start(period, day)


def _next_hour(quarter: int, zone: ZoneInfo) -> int:
    """Return the next quarter at which a clock strikes."""
    usual = quarter + _HOUR
    if _strikes(usual, zone):
        return usual
    following = quarter + 1
    while not _strikes(following, zone):
        following += 1
    return following


def _strikes(quarter: int, zone: ZoneInfo) -> bool:
    return quarter_start(quarter, zone).minute < QUARTER_SECONDS // 60
