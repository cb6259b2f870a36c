from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.slots import (
    BUCKET_SIZES,
    buckets_of,
    day_start,
    day_with,
    quarter_of,
)

ZONES = sorted(available_timezones() - {"localtime"})
DAYS = st.dates(date(2000, 1, 1), date(2037, 12, 1))


@given(st.sampled_from(ZONES), DAYS, st.integers(0, 40), st.sampled_from(BUCKET_SIZES))
def test_buckets_are_the_days_without_a_gap_or_an_overlap(name, first, more, size):
    zone, last = ZoneInfo(name), first + timedelta(days=more)
    found = list(buckets_of(size, first, last, zone))

    edges = [each.first for each in found] + [found[-1].after]
    assert edges == sorted(set(edges))
    assert [each.after for each in found] == edges[1:]
    assert edges[0] == day_start(first, zone)
    assert edges[-1] == day_start(last + timedelta(days=1), zone)


@given(st.sampled_from(ZONES), st.datetimes(datetime(2000, 1, 1), datetime(2037, 1, 1)))
def test_a_quarter_lies_in_the_day_that_begins_before_it(name, moment):
    zone, quarter = ZoneInfo(name), quarter_of(moment.replace(tzinfo=UTC))
    day = day_with(quarter, zone)

    assert day_start(day, zone) <= quarter < day_start(day + timedelta(days=1), zone)


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), 23),
        ("Europe/Berlin", date(2026, 10, 25), 25),
        ("Asia/Kathmandu", date(2026, 3, 29), 24),
        # Half an hour is put back: the hour of that is one and a half.
        ("Australia/Lord_Howe", date(2026, 4, 5), 24),
        # The night begins an hour late, or twice.
        ("America/Havana", date(2026, 3, 8), 23),
        ("America/Santiago", date(2026, 4, 4), 25),
    ],
)
def test_a_day_has_the_hours_that_its_clocks_strike(zone, day, hours):
    found = list(buckets_of("hour", day, day, ZoneInfo(zone)))

    assert len(found) == hours
    assert all(each.starts_at.minute == 0 for each in found)


def test_a_day_that_a_zone_has_left_out_has_no_bucket():
    samoa, left_out = ZoneInfo("Pacific/Apia"), date(2011, 12, 30)

    assert list(buckets_of("day", left_out, left_out, samoa)) == []
    assert list(buckets_of("hour", left_out, left_out, samoa)) == []


def test_weeks_and_months_are_cut_at_the_days_that_are_asked_for():
    berlin = ZoneInfo("Europe/Berlin")

    def starts(size):
        found = buckets_of(size, date(2026, 10, 28), date(2026, 11, 10), berlin)
        return [each.starts_at.date().isoformat() for each in found]

    assert starts("week") == ["2026-10-28", "2026-11-02", "2026-11-09"]
    assert starts("month") == ["2026-10-28", "2026-11-01"]


def test_clocks_that_leap_from_one_minute_past_midnight_have_their_days():
    # Newfoundland's did, until 2011: the night of the change begins twice.
    zone = ZoneInfo("America/St_Johns")
    first = day_start(date(2010, 11, 7), zone)

    days = [day_with(quarter, zone) for quarter in range(first - 8, first + 8)]

    assert days == sorted(days)
