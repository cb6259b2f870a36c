"""Days, weeks and months of one time zone, also where its clocks leap."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.periods import (
    PERIODS,
    day_of,
    next_start,
    period_end,
    period_start,
)

# Leaps at midnight (Cairo, Santiago, Beirut, Azores), half hours, far from UTC.
ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Europe/Berlin",
        "America/Santiago",
        "Africa/Cairo",
        "Asia/Beirut",
        "Atlantic/Azores",
        "Australia/Lord_Howe",
        "Asia/Kolkata",
        "Pacific/Kiritimati",
        "Pacific/Pago_Pago",
    )
]
DAYS = st.dates(date(1980, 1, 1), date(2100, 1, 1))
MOMENTS = st.datetimes(datetime(2013, 1, 1), datetime(2037, 1, 1)).map(
    lambda naive: naive.replace(tzinfo=UTC)
)

STARTS = {
    "a day begins with itself": ("day", date(2026, 8, 5), date(2026, 8, 5)),
    "a week begins on Monday": ("week", date(2026, 8, 5), date(2026, 8, 3)),
    "Monday begins its week": ("week", date(2026, 8, 3), date(2026, 8, 3)),
    "Sunday ends it": ("week", date(2026, 8, 2), date(2026, 7, 27)),
    "a week may begin last year": ("week", date(2027, 1, 2), date(2026, 12, 28)),
    "a month begins on its first": ("month", date(2026, 8, 31), date(2026, 8, 1)),
}
NEXT = {
    "after the last day of a year": ("day", date(2026, 12, 31), date(2027, 1, 1)),
    "after a leap day": ("day", date(2028, 2, 29), date(2028, 3, 1)),
    "the next Monday": ("week", date(2026, 8, 3), date(2026, 8, 10)),
    "after a short month": ("month", date(2026, 2, 1), date(2026, 3, 1)),
    "after a long month": ("month", date(2026, 1, 31), date(2026, 2, 1)),
    "after December": ("month", date(2026, 12, 31), date(2027, 1, 1)),
}
ENDS = {
    "in winter": ("Europe/Berlin", date(2026, 1, 5), "2026-01-05T23:00:00+00:00"),
    "in summer": ("Europe/Berlin", date(2026, 8, 5), "2026-08-05T22:00:00+00:00"),
    "a day of 23 hours": (
        "Europe/Berlin",
        date(2026, 3, 29),
        "2026-03-29T22:00:00+00:00",
    ),
    "a day of 25 hours": (
        "Europe/Berlin",
        date(2026, 10, 25),
        "2026-10-25T23:00:00+00:00",
    ),
    # 7 September 2025 began at one o'clock.
    "midnight leapt over": (
        "America/Santiago",
        date(2025, 9, 6),
        "2025-09-07T04:00:00+00:00",
    ),
}


@pytest.mark.parametrize(("period", "day", "start"), STARTS.values(), ids=STARTS)
def test_a_period_begins(period, day, start):
    assert period_start(period, day) == start


@pytest.mark.parametrize(("period", "day", "start"), NEXT.values(), ids=NEXT)
def test_the_next_period_begins(period, day, start):
    assert next_start(period, day) == start


@pytest.mark.parametrize(("zone", "day", "end"), ENDS.values(), ids=ENDS)
def test_a_day_ends_at_the_midnight_of_its_zone(zone, day, end):
    assert period_end("day", day, ZoneInfo(zone)).isoformat() == end


def test_the_day_is_that_of_the_zone_whatever_the_moment_s_own_offset():
    moment = datetime(2026, 1, 5, 23, 30, tzinfo=UTC)

    assert day_of(moment, ZoneInfo("UTC")) == date(2026, 1, 5)
    assert day_of(moment, ZoneInfo("Europe/Berlin")) == date(2026, 1, 6)
    there = moment.astimezone(ZoneInfo("America/New_York"))
    assert day_of(there, ZoneInfo("Europe/Berlin")) == date(2026, 1, 6)


@pytest.mark.parametrize("period", PERIODS)
@given(day=DAYS)
def test_every_day_lies_in_one_period_of_each_length(period, day):
    start, after = period_start(period, day), next_start(period, day)

    assert start <= day < after
    assert period_start(period, start) == start
    assert period_start(period, after) == after
    assert period_start(period, after - timedelta(days=1)) == start
    assert period != "week" or start.weekday() == 0


@pytest.mark.parametrize("zone", ZONES, ids=str)
@given(moment=MOMENTS)
def test_a_moment_lies_before_the_end_of_its_period_which_begins_the_next(zone, moment):
    day = day_of(moment, zone)

    for period in PERIODS:
        end = period_end(period, day, zone)

        assert end.tzinfo is UTC
        assert moment < end
        assert day_of(end, zone) == next_start(period, day)
        assert day_of(end - timedelta(microseconds=1), zone) < day_of(end, zone)
