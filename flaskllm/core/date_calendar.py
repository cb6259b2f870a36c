"""Which days of the calendar clues can mean, seen from a moment: sets, no guesses.

Each clue that can stand alone gives a set of days. The sets are intersected, and
what remains must fit every number and weekday that is named.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime

from flaskllm.core.date_clues import Clues
from flaskllm.core.date_spans import (
    DAY,
    WEEK,
    Days,
    Span,
    coming,
    edge_of,
    last_ended,
    months,
    nearest,
    next_two,
    shift,
    span_of,
    valid,
    weekdays,
)

_YEARS_AHEAD = 9  # the next 29 February may be eight years off
_MONTHS_AROUND = 4  # the next 31st may be two months off


def possible_days(clues: Clues, reference: datetime) -> Days:
    """Return every day that the clues can mean; none when they contradict.

    A date without a year is the next one, or the last one when that is at most 60
    days ago. A weekday is past only where the words say so.
    """
    try:
        return _possible_days(clues, reference)
    except (OverflowError, ValueError):
        return frozenset()  # before the year 1 or after 9999


def _possible_days(clues: Clues, reference: datetime) -> Days:
    today = reference.date()
    given = [source(clues, reference) for source in _SOURCES]
    told = [days for days in given if days is not None]
    if not told:
        told = [_from_little(clues, today)]
    fitting = frozenset(
        day for day in frozenset.intersection(*told) if _fits(day, clues, today)
    )
    return fitting | {day - DAY for day in fitting} if clues.eve else fitting


def _fits(day: date, clues: Clues, today: date) -> bool:
    """Tell whether the day has every number and the weekday that are named."""
    named = (
        (clues.year, day.year),
        (clues.month, day.month),
        (clues.day, day.day),
        (clues.weekday, day.weekday()),
        (clues.nth, _nth(day, clues.nth)),
    )
    if clues.turn and not _is_turned(day, clues.turn, today):
        return False
    return all(wanted is None or wanted == found for wanted, found in named)


def _is_turned(day: date, turn: int, today: date) -> bool:
    """Tell whether "next" or "last" does not speak against the day."""
    return day > today if turn > 0 else day < today


def _nth(day: date, wanted: int | None) -> int:
    """Return how many of its weekday the month had; -1 for the last, if wanted."""
    if wanted == -1 and (day + WEEK).month != day.month:
        return -1
    return (day.day - 1) // 7 + 1


def _from_readings(clues: Clues, reference: datetime) -> Days | None:
    if not clues.readings:
        return None
    today = reference.date()
    dated = (_dated(day, month, year, today) for year, month, day in clues.readings)
    return frozenset[date]().union(*dated)


def _from_day(clues: Clues, reference: datetime) -> Days | None:
    if clues.day is None or (clues.unit and clues.turn is not None):
        return None
    return _dated(clues.day, clues.month, clues.year, reference.date())


def _dated(day: int, month: int | None, year: int | None, today: date) -> Days:
    """Return the date, or the nearest ones where month or year are open."""
    if month is None:
        return _dated_by_day(day, today)
    if year is not None:
        return frozenset(valid([(year, month, day)]))
    years = range(today.year - 1, today.year + _YEARS_AHEAD)
    dates = valid((each, month, day) for each in years)
    return frozenset(
        first for first, _ in nearest([(each, each) for each in dates], today)
    )


def _dated_by_day(day: int, today: date) -> Days:
    """Return the coming day of that number, and the last one if that is nearer.

    "The nineteenth" said on the tenth is ahead; on the twenty-first, who knows.
    """
    first = today.year * 12 + today.month - 1
    every = range(first - _MONTHS_AROUND, first + _MONTHS_AROUND)
    dates = valid((index // 12, index % 12 + 1, day) for index in every)
    days = [first for first, _ in nearest([(each, each) for each in dates], today)]
    nearer = min(days, key=lambda each: abs(each - today), default=today)
    return frozenset(each for each in days if each >= today or each == nearer)


def _from_offset(clues: Clues, reference: datetime) -> Days | None:
    if clues.offset is None or _counts_weeks(clues):
        return None
    return frozenset({reference.date() + DAY * clues.offset})


def _from_lengths(clues: Clues, reference: datetime) -> Days | None:
    """Return today plus the lengths; "Friday in two weeks" is a Friday then."""
    if not clues.lengths:
        return None
    # "Tomorrow in a week" is counted from tomorrow.
    start = clues.offset if clues.offset and _counts_weeks(clues) else 0
    reached = reference + DAY * start
    for count, unit in clues.lengths:
        reached = shift(reached, -count if clues.past else count, unit)
    day = reached.date()
    if clues.weekday is None or clues.lengths[0][1] != "week":
        return frozenset({day})
    monday = day - DAY * day.weekday()
    return frozenset({coming(clues.weekday, day), monday + DAY * clues.weekday})


def _counts_weeks(clues: Clues) -> bool:
    return bool(clues.lengths) and clues.lengths[0][1] == "week"


def _from_unit(clues: Clues, reference: datetime) -> Days | None:
    """Return the days of "next week", "the end of the month", "the weekend"."""
    unit, turn = clues.unit, clues.turn
    told = (turn, clues.edge, clues.nth) != (None, None, None) or unit == "weekend"
    if unit is None or not told or (unit == "month" and clues.month is not None):
        return None
    if unit == "year" and clues.year is not None:
        return edge_of(months(clues.year * 12, 12), clues.edge)
    # "Next weekend" may be the coming one.
    turns = {0, 1} if (unit, turn) == ("weekend", 1) else {turn or 0}
    spans = (span_of(unit, each, reference.date()) for each in turns)
    return frozenset[date]().union(*(edge_of(span, clues.edge) for span in spans))


def _from_month(clues: Clues, reference: datetime) -> Days | None:
    if clues.month is None or clues.day is not None or clues.readings:
        return None
    return _nearest_parts(clues.month - 1, 1, clues, reference.date())


def _from_quarter(clues: Clues, reference: datetime) -> Days | None:
    if clues.quarter is None:
        return None
    return _nearest_parts((clues.quarter - 1) * 3, 3, clues, reference.date())


def _nearest_parts(offset: int, count: int, clues: Clues, today: date) -> Days:
    """Return the months from `offset` on in the year that is meant, or their part."""
    if clues.year is not None:
        spans = [months(clues.year * 12 + offset, count)]
    else:
        years = range(today.year - 2, today.year + 3)
        every = [months(year * 12 + offset, count) for year in years]
        turn = None if clues.weekday is not None else clues.turn
        spans = _TURNED.get(turn or 0, nearest)(every, today)
    return frozenset[date]().union(*(edge_of(span, clues.edge) for span in spans))


def _from_year(clues: Clues, reference: datetime) -> Days | None:
    smaller = (clues.month, clues.quarter, clues.unit)
    if clues.year is None or clues.edge is None or smaller != (None, None, None):
        return None
    return edge_of(months(clues.year * 12, 12), clues.edge)


def _from_week(clues: Clues, reference: datetime) -> Days | None:
    """Return the days of a numbered week, as ISO 8601 counts them."""
    if clues.week is None:
        return None
    today = reference.date()
    years = [clues.year] if clues.year else range(today.year - 1, today.year + 2)
    mondays = [monday for year in years for monday in _mondays(year, clues.week)]
    spans = [(monday, monday + DAY * 6) for monday in mondays]
    kept = spans if clues.year else nearest(spans, today)
    return frozenset[date]().union(*(edge_of(span, clues.edge) for span in kept))


def _mondays(year: int, week: int) -> list[date]:
    """Return the week's Monday; nothing for week 53 of a year that has 52."""
    monday = date.fromisocalendar(year, 1, 1) + WEEK * (week - 1)
    return [monday] if monday.isocalendar()[:2] == (year, week) else []


def _from_little(clues: Clues, today: date) -> Days:
    """Return the days of a weekday or a time of day that stands alone."""
    if clues.weekday is not None:
        return weekdays(clues.weekday, clues.turn or 0, today)
    if clues.dawn:
        return frozenset({today + DAY})
    alone = clues.timed and not clues.tells_day
    return frozenset({today}) if alone else frozenset()


_TURNED: Mapping[int, Callable[[Sequence[Span], date], list[Span]]] = {
    1: next_two,
    -1: last_ended,
}
_SOURCES: Sequence[Callable[[Clues, datetime], Days | None]] = (
    _from_readings,
    _from_day,
    _from_offset,
    _from_lengths,
    _from_unit,
    _from_month,
    _from_quarter,
    _from_year,
    _from_week,
)
