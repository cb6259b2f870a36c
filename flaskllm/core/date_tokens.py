"""Read a text as what matters for days: numeric dates, times and known words."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from flaskllm.core.date_lexicon import WORD, Entry, Lexicon
from flaskllm.core.number_tables import plain

Day = tuple[int | None, int, int]

_FULL_YEARS = range(1900, 2200)
_CENTURY = 2000
_PIECE = re.compile(
    rf"""
    (?P<word>(?!\d)(?:{WORD.pattern}))
    # 2026-06-24, also with a time
    | (?<![\w.])(?P<iso>(?P<year_1>\d{{4}})(?P<sign_1>[-/.])(?P<month_1>\d\d?)
        (?P=sign_1)(?P<day_1>\d\d?)(?:T[\d:.]+(?:Z|[+-]\d\d:?\d\d)?)?)(?!\w)
    # 2026年6月24日
    | (?P<asian>(?:(?P<year_2>\d{{4}})\s?[年년]\s?)?(?P<month_2>\d\d?)\s?[月월]\s?
        (?P<day_2>\d\d?)\s?[日일号號])
    # 24.06.2026, 6/24/26, 24. 6. 2026
    | (?<![\w.,/-])(?P<full>(?P<one_1>\d\d?)(?P<sign_2>[./-])\s?(?P<two_1>\d\d?)
        (?P=sign_2)\s?(?P<year_3>\d{{4}}|\d\d))(?!\w|[./-]\d)
    | (?<!\w)(?P<clock>\d\d?[:.]\d\d(?::\d\d)?\s?(?:[ap]\.m\.|(?:[ap]m|uhr|h)\b)
        |\d\d?:\d\d(?::\d\d)?|\d\d?\s?(?:[ap]\.m\.|(?:[ap]m|uhr)\b)|\d\d?h(?:\d\d)?\b)
    # 24.06. and 6/24
    | (?<![\w.,/-])(?P<short>(?P<one_2>\d\d?)(?P<sign_3>(?P<slash>/)|\.)(?P<two_2>\d\d?)
        (?(slash)(?!\w|[./,-]\d)|(?:\.(?!\d)|(?!\w|[./,-]\d))))
    # 24th, 1er, 24:e, 24.
    | (?<![\w.,/-])(?P<ordinal>\d\d?)(?:(?:st|nd|rd|th|er|re|e|:e|:a)\b|[ºª°]|\.(?!\d))
    | (?<![\w.,])(?P<number>\d{{1,4}})(?!\w|[.,]\d)
    | (?P<digits>\d+)
    | (?P<blank>\n[ \t\r]*\n)
    | (?P<mark>[^\w\s])
    """,
    re.VERBOSE | re.IGNORECASE,
)
_KINDS_OF_MARKS = {
    **dict.fromkeys("-–—/&", "or"),
    **dict.fromkeys(",:()[]*_'’\"“”„", "link"),
    **dict.fromkeys(".!?;…。", "stop"),
}
# "Mid-June" is one thing, "3-6 April" and "Monday - Friday" are two.
_HYPHEN_WITHIN = re.compile(r"(?<=[^\W\d])[-‐](?=[^\W\d])")
_NAMES = frozenset({"month", "weekday"})
_WITHIN_PHRASE = frozenset("-‐'’")


@dataclass(frozen=True, slots=True)
class Token:
    """One thing that a text says about a day.

    `kind` is one of `date_words`, or `day` (of a month), `year`, `dates` (`days`
    holds the readings of a numeric date: year or None, month, day), `stop` (the end
    of a sentence) or `unknown`. A `weak` name is mostly something else, a `small`
    one lacks the capital letter of its language.
    """

    kind: str
    start: int
    end: int
    value: int = 0
    unit: str = ""
    days: tuple[Day, ...] = ()
    weak: bool = False
    abbreviated: bool = False
    small: bool = False


def read(text: str, words: Lexicon) -> Iterator[Token]:
    """Yield the tokens of a text in order; what says nothing of days is `unknown`."""
    pieces = tuple(_PIECE.finditer(text))
    index = 0
    before: Token | None = None
    while index < len(pieces):
        tokens, length = _read_at(pieces, index, words)
        for token in tokens:
            yield _without_stop(token, before)
            before = token
        index += length
        if _ends_with_number(pieces, index, words):
            yield Token("stop", pieces[index - 1].end(), pieces[index - 1].end())


def _without_stop(token: Token, before: Token | None) -> Token:
    """Return a link for the full stop of an abbreviated name."""
    follows = before is not None and before.end == token.start
    if token.kind == "stop" and before and follows and before.abbreviated:
        return token if before.small else replace(token, kind="link")
    return token


def _ends_with_number(
    pieces: Sequence[re.Match[str]], index: int, words: Lexicon
) -> bool:
    """Tell whether a full stop after a number ends a sentence: "the 24. We go"."""
    if index >= len(pieces) or not pieces[index - 1][0].endswith("."):
        return False
    after = pieces[index]
    if pieces[index - 1].lastgroup != "ordinal" or not after[0][0].isupper():
        return False
    entries = words.get(plain(after[0]), ())
    return all(entry.meanings[0].kind not in _NAMES for entry in entries)


def _read_at(
    pieces: Sequence[re.Match[str]], index: int, words: Lexicon
) -> tuple[Sequence[Token], int]:
    """Return what stands at a piece, and how many pieces say it."""
    piece = pieces[index]
    if piece.lastgroup != "word":
        return (_READERS[piece.lastgroup or ""](piece),), 1
    for entry in words.get(plain(piece[0]), ()):
        if length := _phrase_length(pieces, index, entry):
            return _tokens(entry, piece, pieces[index + length - 1].end()), length
    return (Token("unknown", *piece.span()),), 1


def _phrase_length(
    pieces: Sequence[re.Match[str]], index: int, entry: Entry
) -> int | None:
    """Return how many pieces the phrase takes here, None when it does not stand."""
    position = index
    for word in entry.words[1:]:
        position += 1
        if position < len(pieces) and pieces[position][0] in _WITHIN_PHRASE:
            position += 1
        if position >= len(pieces) or plain(pieces[position][0]) != word:
            return None
    return position - index + 1


def _tokens(entry: Entry, piece: re.Match[str], end: int) -> Sequence[Token]:
    token = Token(
        "unknown",
        piece.start(),
        end,
        weak=entry.weak,
        abbreviated=entry.abbreviated,
        small=entry.capital and piece[0].islower(),
    )
    return tuple(
        replace(token, kind=kind, value=value, unit=unit)
        for kind, value, unit in entry.meanings
    )


def _read_iso(piece: re.Match[str]) -> Token:
    day = int(piece["year_1"]), int(piece["month_1"]), int(piece["day_1"])
    return Token("dates", *piece.span(), days=(day,))


def _read_asian(piece: re.Match[str]) -> Token:
    year = int(piece["year_2"]) if piece["year_2"] else None
    day = year, int(piece["month_2"]), int(piece["day_2"])
    return Token("dates", *piece.span(), days=(day,))


def _read_full(piece: re.Match[str]) -> Token:
    year = int(piece["year_3"])
    full_year = year if year >= 100 else _CENTURY + year
    pair = int(piece["one_1"]), int(piece["two_1"])
    days = _readings(full_year, pair, piece["sign_2"])
    return Token("dates", *piece.span(), days=days)


def _read_short(piece: re.Match[str]) -> Token:
    days = _readings(None, (int(piece["one_2"]), int(piece["two_2"])), piece["sign_3"])
    return Token("dates", *piece.span(), days=days, weak=True)


def _readings(year: int | None, pair: tuple[int, int], sign: str) -> tuple[Day, ...]:
    """Return day before month, and with slash or dash the other order, too."""
    first, second = pair
    if sign == "." or first == second:
        return ((year, second, first),)
    return ((year, second, first), (year, first, second))


def _read_ordinal(piece: re.Match[str]) -> Token:
    return Token("day", *piece.span(), int(piece["ordinal"]))


def _read_number(piece: re.Match[str]) -> Token:
    value = int(piece[0])
    kind = "year" if value in _FULL_YEARS else "number"
    return Token(kind, *piece.span(), value)


def _read_mark(piece: re.Match[str]) -> Token:
    if _HYPHEN_WITHIN.match(piece.string, piece.start()):
        return Token("link", *piece.span())
    return Token(_KINDS_OF_MARKS.get(piece[0], "unknown"), *piece.span())


_READERS: Mapping[str, Callable[[re.Match[str]], Token]] = {
    "iso": _read_iso,
    "asian": _read_asian,
    "full": _read_full,
    "short": _read_short,
    "ordinal": _read_ordinal,
    "number": _read_number,
    "mark": _read_mark,
    "clock": lambda piece: Token("time", *piece.span()),
    "digits": lambda piece: Token("unknown", *piece.span()),
    "blank": lambda piece: Token("stop", *piece.span()),
}
