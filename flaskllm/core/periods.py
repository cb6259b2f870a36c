"""Days, weeks and months of the one time zone in which money is counted. Pure."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Literal, get_args
from zoneinfo import ZoneInfo

Period = Literal["day", "week", "month"]

PERIODS: tuple[Period, ...] = get_args(Period)
"""The shortest first."""


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """Return the day on which an aware moment falls."""
    return moment.astimezone(zone).date()


def period_start(period: Period, day: date) -> date:
    """Return the first day of the period that the day lies in; weeks begin on Monday.

    Example:
        `period_start("week", date(2026, 8, 2))` is Monday, 27 July.
    """
    if period == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday() if period == "week" else 0)


def next_start(period: Period, day: date) -> date:
    """Return the first day of the period after the one that the day lies in."""
    start = period_start(period, day)
    if period == "month":
        # No month is longer than 31 days, and none is as long as 32.
        return (start + timedelta(days=31)).replace(day=1)
    return start + timedelta(days=7 if period == "week" else 1)


def period_end(period: Period, day: date, zone: ZoneInfo) -> datetime:
    """Return when the period that the day lies in is over, aware and in UTC.

    That is the first midnight of the day after it; where the clocks leap over
    midnight it is the moment of that leap.
    """
    midnight = datetime.combine(next_start(period, day), time.min, tzinfo=zone)
    return midnight.astimezone(UTC)
