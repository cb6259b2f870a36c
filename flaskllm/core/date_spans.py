"""The calendar's arithmetic: weeks and months around a day, and what is near it."""

from calendar import monthrange
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta

Days = frozenset[date]
Span = tuple[date, date]

DAY = timedelta(days=1)
WEEK = timedelta(days=7)
MONTHS_IN: Mapping[str, int] = {"month": 1, "quarter": 3, "year": 12}
_LENGTHS: Mapping[str, timedelta] = {
    "hour": timedelta(hours=1),
    "day": DAY,
    "week": WEEK,
    "weekend": WEEK,
}
_LONGEST_COUNT = 5000
# What has no year may have just passed; beyond this the next one is meant.
_LOOK_BACK = timedelta(days=60)
_FRIDAY = 4


def valid(dates: Iterable[tuple[int, int, int]]) -> list[date]:
    """Return those of year, month and day that the calendar has."""
    return [
        date(year, month, day)
        for year, month, day in dates
        if 1 <= month <= 12 and 1 <= day <= monthrange(year, month)[1]
    ]


def days_between(first: date, last: date) -> Days:
    """Return all days from the first to the last."""
    return frozenset(first + DAY * index for index in range((last - first).days + 1))


def nearest(spans: Sequence[Span], today: date) -> list[Span]:
    """Return the span that is next, and the one before it if that has just passed.

    The spans of this and the next two functions are in order.
    """
    ahead = [span for span in spans if span[1] >= today][:1]
    past = [span for span in spans if today - _LOOK_BACK <= span[1] < today][-1:]
    return ahead + past


def next_two(spans: Sequence[Span], today: date) -> list[Span]:
    """Return the two spans that begin after today."""
    return [span for span in spans if span[0] > today][:2]


def last_ended(spans: Sequence[Span], today: date) -> list[Span]:
    """Return the last span that is over."""
    return [span for span in spans if span[1] < today][-1:]


def coming(weekday: int, today: date) -> date:
    """Return the next such weekday; today when it is one."""
    return today + DAY * ((weekday - today.weekday()) % 7)


def weekdays(weekday: int, turn: int, today: date) -> Days:
    """Return the days that "Friday", "next Friday", "last Friday" can be.

    On a Friday, "Friday" is today or in a week. "Next" and "last" are the nearest
    or the one beyond it: people do not agree.
    """
    ahead = coming(weekday, today)
    is_today = ahead == today
    if turn < 0:
        return frozenset({ahead - WEEK, ahead - WEEK * 2})
    if turn == 0:
        return frozenset({ahead, today + WEEK} if is_today else {ahead})
    first = ahead + WEEK * (turn if is_today else turn - 1)
    return frozenset({first, first + WEEK})


def span_of(unit: str, turn: int, today: date) -> Span:
    """Return the week, month ... that comes `turn` of them after today's."""
    if unit in MONTHS_IN:
        count = MONTHS_IN[unit]
        index = (today.year * 12 + today.month - 1) // count + turn
        return months(index * count, count)
    monday = today - DAY * today.weekday() + WEEK * turn
    spans = {"week": (0, 6), "weekend": (5, 6)}
    if unit not in spans:
        return today + DAY * turn, today + DAY * turn
    first, last = spans[unit]
    return monday + DAY * first, monday + DAY * last


def months(index: int, count: int) -> Span:
    """Return the span of some months; `index` counts months from the year 0."""
    year, month = divmod(index + count - 1, 12)
    first = date(index // 12, index % 12 + 1, 1)
    return first, date(year, month + 1, monthrange(year, month + 1)[1])


def edge_of(span: Span, edge: int | None) -> Days:
    """Return the days at the start, in the middle or at the end of a span.

    The end begins with the last working day; start and middle are thirds, of a week
    those of its working days.
    """
    first, last = span
    if edge is None:
        return days_between(first, last)
    if edge == 1:
        workday = last
        while workday.weekday() > _FRIDAY and workday > first:
            workday -= DAY
        return days_between(workday, last)
    count = min((last - first).days + 1, 5 if last - first < WEEK else 366)
    if edge == -1:
        return days_between(first, first + DAY * (-(-count // 3) - 1))
    return days_between(
        first + DAY * (count // 3), first + DAY * (count - count // 3 - 1)
    )


def shift(moment: datetime, count: int, unit: str) -> datetime:
    """Return the moment some units later, or earlier for a negative count.

    The 31st plus a month is that month's last day.

    Raises:
        OverflowError: No calendar or diary reaches that far.
    """
    if abs(count) > _LONGEST_COUNT:
        raise OverflowError
    if unit in MONTHS_IN:
        index = moment.year * 12 + moment.month - 1 + count * MONTHS_IN[unit]
        year, month = index // 12, index % 12 + 1
        day = min(moment.day, monthrange(year, month)[1])
        return moment.replace(year=year, month=month, day=day)
    if unit == "workday":
        return _shift_workdays(moment, count)
    return moment + _LENGTHS[unit] * count


def _shift_workdays(moment: datetime, count: int) -> datetime:
    step = DAY if count > 0 else -DAY
    for _ in range(abs(count)):
        moment += step
        while moment.weekday() > _FRIDAY:
            moment += step
    return moment
