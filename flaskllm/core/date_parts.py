"""Part words for days into days, and find out what each number counts.

Beside the kinds of `date_tokens` a token may then be a `length` of time (its number
is left as `counted`), a `week_number`, `nth` (a weekday's place in its month), or
`unknown` when it counts nothing that matters.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from flaskllm.core.date_tokens import Token

_TOLD_ONCE = frozenset({"weekday", "month", "offset", "dates", "unit"})
_LEADING = frozenset({"turn", "edge"})
_END = Token("end", 0, 0)
_PARTING = frozenset({"or", "not"})
_AFTER_DAY = frozenset({*_PARTING, "stop", "month", "number", "time", "year"})
_ABOVE_ANY_DAY = 100
_WEEKS = range(1, 54)
_WEEKDAYS_OF_MONTH = range(1, 6)
_NEAR_NAME = frozenset({"day", "number", "year"})


@dataclass(frozen=True, slots=True)
class Part:
    """What is said of one day, links left out, each number in its role.

    `meant` is False where the words exclude the day: "not Friday", "after Friday".
    """

    tokens: tuple[Token, ...]
    meant: bool


def parts(tokens: Sequence[Token]) -> Iterator[Part]:
    """Yield what is said of each day, in order; a part may say nothing."""
    part: list[Token] = []
    meant = True
    for token in _without_links(tokens):
        parting = token.kind in _PARTING
        if parting or _tells_again(part, token):
            carried = [] if parting else _carried(part, token)
            yield Part(tuple(_settle(part[: len(part) - len(carried)])), meant)
            part, meant = carried, token.kind != "not"
        if token.kind in ("unknown", "time") and not part:
            meant = True  # "not sure, Friday", "after lunch on Friday"
        if not parting:
            part.append(token)
    yield Part(tuple(_settle(part)), meant)


def _without_links(tokens: Sequence[Token]) -> Iterator[Token]:
    """Yield all but links and articles; numbers that must be days become days."""
    kept = [token for token in tokens if token.kind != "link"]
    for index, token in enumerate(kept):
        if token.kind == "number" and _is_day(kept, index):
            yield replace(token, kind="day")
        elif token.kind != "article":
            yield token


def _is_day(kept: Sequence[Token], index: int) -> bool:
    """Tell whether a number is a day: "le 24", and the 3 of "3 to 6 April"."""
    kinds = [token.kind for token in kept[max(0, index - 3) : index + 4]]
    here = min(index, 3)
    before, after = kinds[:here][::-1], kinds[here + 1 :]
    if before[:1] == ["article"] and (not after or after[0] in _AFTER_DAY):
        return True
    return any(
        tuple(side[:3]) in (("or", "number", "month"), ("or", "day", "month"))
        for side in (before, after)
    )


def _tells_again(part: Sequence[Token], token: Token) -> bool:
    """Tell whether a token opens the next day: a second weekday, a second span."""
    told = {each.kind for each in part}
    if token.kind == "offset" and "dawn" in told:
        return True  # "Guten Morgen, heute"
    if token.kind == "unit" and part and part[-1].kind not in _LEADING:
        return False  # "two weeks and a day"
    return token.kind in _TOLD_ONCE and token.kind in told


def _carried(part: Sequence[Token], token: Token) -> list[Token]:
    """Return what belongs to the next day already, at the end of this one.

    The 17 of "24 June, 17 July" and the "next" of "last Friday, next Monday", but
    not that of French "vendredi prochain, lundi".
    """
    start = len(part)
    if token.kind == "month" and _has_day_first(part):
        start -= 1
    while start and part[start - 1].kind in _LEADING and not _follows(part, start - 1):
        start -= 1
    return list(part[start:])


def _has_day_first(part: Sequence[Token]) -> bool:
    """Tell whether a number before a month is its day, as in "24 June, 17"."""
    kinds = ["number" if each.kind == "day" else each.kind for each in part]
    months = [index for index, kind in enumerate(kinds) if kind == "month"]
    leads = bool(months) and "number" in kinds[max(0, months[0] - 1) : months[0]]
    return leads and kinds[-1] == "number"


def _follows(part: Sequence[Token], index: int) -> bool:
    return index > 0 and part[index].start - part[index - 1].end == 1


def _settle(part: Sequence[Token]) -> Iterator[Token]:
    """Yield the tokens once each number has found what it counts."""
    padded = (_END, *part, _END, _END)
    skip = False
    for index in range(1, len(part) + 1):
        before, token, after, beyond = padded[index - 1 : index + 3]
        if skip:
            skip = False
        elif _counts_units(token, after, beyond):
            skip = True
            unit, other = (after, token) if after.kind == "unit" else (token, after)
            yield replace(unit, kind="length", value=max(token.value, 1))
            yield replace(other, kind="ago" if other.kind == "ago" else "counted")
        elif _adds_week(before, token, after):
            yield replace(token, kind="length", value=1)
        else:
            yield replace(token, kind=_role(before, token, after, part))


def _counts_units(token: Token, after: Token, beyond: Token) -> bool:
    """Tell whether the two are a length of time: "two weeks", Polish "za tydzień"."""
    if token.kind == "number":
        return after.kind == "unit"
    kinds = {token.kind, after.kind}
    bare = kinds == {"in", "unit"} or (token.kind, after.kind) == ("unit", "ago")
    # "In week 24" counts nothing, and "in the week" is a certain one.
    return bare and after.start - token.end == 1 and beyond.kind != "number"


def _adds_week(before: Token, token: Token, after: Token) -> bool:
    """Tell whether it is the week of British "Friday week" and "tomorrow week"."""
    if token.unit != "week" or token.start - before.end != 1:
        return False
    is_ahead = before.kind == "weekday" or (
        before.kind == "offset" and before.value >= 0
    )
    # "Friday week 42" is another matter, and so is French "lundi semaine prochaine".
    return is_ahead and after.kind not in ("number", "turn")


def _role(before: Token, token: Token, after: Token, part: Sequence[Token]) -> str:
    """Return what a token turns out to be between its neighbours."""
    decide = _ROLES.get(token.kind)
    return decide(before, token, after, part) if decide else token.kind


def _role_of_number(
    before: Token, token: Token, after: Token, part: Sequence[Token]
) -> str:
    kinds = (before.kind, after.kind)
    is_week = before.kind == "week" or before.unit == "week"
    rules = (
        (after.kind == "clock" or before.kind == "at", "time"),
        ("month" in kinds and token.value < _ABOVE_ANY_DAY, "day"),
        (is_week and token.value in _WEEKS, "week_number"),
        (before.kind == "weekday" and after.kind in ("end", "month", "year"), "day"),
    )
    return next((role for holds, role in rules if holds), "unknown")


def _role_of_ordinal(
    before: Token, token: Token, after: Token, part: Sequence[Token]
) -> str:
    if after.kind == "unit":
        return "unknown"  # "the third week"
    is_nth = after.kind == "weekday" and token.value in _WEEKDAYS_OF_MONTH
    return "nth" if is_nth and _tells_month(part) else "day"


def _role_of_turn(
    before: Token, token: Token, after: Token, part: Sequence[Token]
) -> str:
    has_day = any(each.kind in ("day", "number") for each in part)
    is_last = token.value == -1 and after.kind == "weekday"
    return "nth" if is_last and _tells_month(part) and not has_day else "turn"


def _tells_month(part: Sequence[Token]) -> bool:
    return any(each.kind == "month" or each.unit == "month" for each in part)


def _role_of_name(
    before: Token, token: Token, after: Token, part: Sequence[Token]
) -> str:
    """Drop "may" and "sat" without a capital letter, unless a number is near."""
    doubtful = token.small and (token.weak or token.abbreviated)
    near = before.kind in _NEAR_NAME or after.kind in _NEAR_NAME
    return "unknown" if doubtful and not near else token.kind


_ROLES: Mapping[str, Callable[[Token, Token, Token, Sequence[Token]], str]] = {
    "number": _role_of_number,
    "day": _role_of_ordinal,
    "turn": _role_of_turn,
    "month": _role_of_name,
    "weekday": _role_of_name,
}
