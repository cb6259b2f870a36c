"""Bring together what words say of one day: weekday, day, month, span, length.

"Next Thursday, the nineteenth" is one day with two clues; "3 to 6 April" are two
days, and the first borrows its month.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from flaskllm.core.date_parts import parts
from flaskllm.core.date_tokens import Day, Token


@dataclass(frozen=True, slots=True)
class Clues:
    """What is said of one day; None where nothing is.

    `readings` are those of a numeric date. Each of `lengths` is a count of units
    from today, or back when `past`. `turn` is 1 for next, 0 for this, -1 for last,
    2 for the one after next; it is told of the unit if there is one, else of the
    weekday, else of the month. `edge` is -1 for the start of a span, 0 for its
    middle, 1 for its end. `nth` counts the weekdays of a month; -1 is the last.
    `eve` lets the day before count, too. `dawn` is "morgen", which is tomorrow or
    the morning of another day; `timed` tells that a time of day is named.
    """

    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    nth: int | None = None
    readings: tuple[Day, ...] = ()
    offset: int | None = None
    lengths: tuple[tuple[int, str], ...] = ()
    past: bool = False
    unit: str | None = None
    turn: int | None = None
    edge: int | None = None
    quarter: int | None = None
    week: int | None = None
    eve: bool = False
    dawn: bool = False
    timed: bool = False

    @property
    def tells_day(self) -> bool:
        """Tell whether there is more than a time of day."""
        return replace(self, timed=False, eve=False, past=False) != Clues()


def gather(tokens: Sequence[Token]) -> tuple[Clues, ...]:
    """Return the clues of each day that is meant, in order.

    A time of day counts only when there is nothing else.
    """
    found = [_take_all(part.tokens) for part in parts(tokens) if part.meant]
    telling = [clues for clues in found if clues.tells_day]
    return tuple(_borrow(telling)) or tuple(clues for clues in found if clues.timed)


def _borrow(found: Sequence[Clues]) -> Iterator[Clues]:
    """Yield the clues; a bare day takes the month of the nearest that has one."""
    for index, clues in enumerate(found):
        bare = replace(Clues(), day=clues.day) == clues and clues.day is not None
        others = (*found[index + 1 :], *reversed(found[:index])) if bare else ()
        lender = next((other for other in others if other.month is not None), clues)
        yield replace(clues, month=lender.month, year=lender.year)


def _take_all(tokens: Sequence[Token]) -> Clues:
    clues = Clues()
    for token in tokens:
        take = _TAKERS.get(token.kind)
        clues = take(clues, token) if take else clues
    if clues.past and not clues.lengths:
        # German "vor": two weeks ago, but before Friday.
        return replace(clues, past=False, eve=True)
    return clues


def _take_number(clues: Clues, token: Token) -> Clues:
    """Set the field of the token's kind; the first of a kind counts."""
    field = _FIELDS[token.kind]
    if getattr(clues, field) is not None:
        return clues
    changed: dict[str, Any] = {field: token.value}
    return replace(clues, **changed)


def _take_length(clues: Clues, token: Token) -> Clues:
    return replace(clues, lengths=(*clues.lengths, (token.value, token.unit)))


_FIELDS = {
    **{name: name for name in ("weekday", "month", "day", "year", "offset", "turn")},
    **{name: name for name in ("edge", "quarter", "nth")},
    "week_number": "week",
}
_TAKERS: Mapping[str, Callable[[Clues, Token], Clues]] = {
    **dict.fromkeys(_FIELDS, _take_number),
    "length": _take_length,
    "dates": lambda clues, token: replace(clues, readings=token.days),
    "unit": lambda clues, token: replace(clues, unit=clues.unit or token.unit),
    "ago": lambda clues, token: replace(clues, past=True),
    "before": lambda clues, token: replace(clues, eve=True),
    "dawn": lambda clues, token: replace(clues, dawn=True),
    "time": lambda clues, token: replace(clues, timed=True),
}
