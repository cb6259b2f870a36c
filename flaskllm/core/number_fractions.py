"""Halves and decimals in words: "two and a half million", "drei Komma fünf".

They are made of numbers that are already found. A language joins them with its own
words, which are read in all languages at once.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from flaskllm.core.number_tables import cardinals, plain, read_glued
from flaskllm.core.number_words import RULES

# Points: English, German, French, Spanish, Italian, Portuguese.
_POINT = re.compile(r" (?:point|punkt|komma|virgule|coma|punto|virgola|vírgula) ", re.I)
_AND_A_HALF = re.compile(
    r"[ -](?:and a half|et demie?|y medi[oa]|e mezz[oa]|e mei[oa])(?!\w)", re.I
)
_HALF_A = re.compile(
    r"(?<!\w)(?:half an?|halbe[nr]?|demi|medio|media|mezzo|mezza|meio|meia)"
    r"[ -](?P<scale>[^\W\d_]+)",
    re.I,
)
# "anderthalb" and "eineinhalb" are one and a half, "zweieinhalb" is two and a half.
_GLUED_HALF = re.compile(
    r"(?<!\w)(?:(?P<other>ander)thalb|(?P<count>[^\W\d_]{3,20}?)einhalb)"
    r"(?:e[mnrs]?)?(?!\w)",
    re.I,
)
_SCALE = re.compile(r"[ -]([^\W\d_]+)")
_WORD = re.compile(r"[^\W\d_]{1,12}(?!\w)")
_MOST_DECIMALS = 4
_TEN = 10
_BIG = (10**9, 10**6, 10**3)
_LARGEST = 10**15  # nobody adds a half to more, and remainders are exact below it


@dataclass(frozen=True, slots=True)
class Found:
    """A number that was found: its value, and where it stands in code points."""

    value: Decimal
    start: int
    end: int


Scales = Mapping[str, int]


def find(text: str, found: Sequence[Found], scales: Scales) -> Iterator[Found]:
    """Yield the numbers with a half or with decimals in words.

    Args:
        text: The text.
        found: Its whole numbers, in any order.
        scales: What the words that multiply are worth, by their plain form.
    """
    for reader in _READERS:
        yield from reader(text, found, scales)


def _with_half(text: str, found: Sequence[Found], scales: Scales) -> Iterator[Found]:
    for number in found:
        half = _AND_A_HALF.match(text, number.end)
        if half:
            value = number.value + _unit_of(number.value) / 2
            yield _scaled(text, Found(value, number.start, half.end()), scales)


def _unit_of(value: Decimal) -> Decimal:
    """Return what the half is of: "two million and a half" are 2,500,000."""
    sizes = _BIG if 0 < value < _LARGEST else ()
    whole = (big for big in sizes if value % big == 0)
    return Decimal(next(whole, 1))


def _half_of_scale(
    text: str, found: Sequence[Found], scales: Scales
) -> Iterator[Found]:
    for match in _HALF_A.finditer(text):
        scale = scales.get(plain(match["scale"]))
        if scale:
            yield Found(Decimal(scale) / 2, *match.span())


def _glued(text: str, found: Sequence[Found], scales: Scales) -> Iterator[Found]:
    for match in _GLUED_HALF.finditer(text):
        count = 1 if match["other"] else read_glued("de", plain(match["count"]))
        if count is not None:
            value = Decimal(count) + Decimal("0.5")
            yield _scaled(text, Found(value, *match.span()), scales)


def _with_decimals(
    text: str, found: Sequence[Found], scales: Scales
) -> Iterator[Found]:
    """Yield "three point five", digit by digit behind the point."""
    for number in found:
        point = _POINT.match(text, number.end)
        digits = tuple(_digits_at(text, point.end())) if point else ()
        if digits:
            decimals = "".join(digit for digit, _ in digits)
            value = number.value + Decimal(f"0.{decimals}")
            yield _scaled(text, Found(value, number.start, digits[-1][1]), scales)


def _digits_at(text: str, start: int) -> Iterator[tuple[str, int]]:
    """Yield each digit in words, and where it ends."""
    for _ in range(_MOST_DECIMALS):
        word = _WORD.match(text, start)
        digit = _digit_words().get(plain(word[0])) if word else None
        if word is None or digit is None:
            return
        yield str(digit), word.end()
        start = word.end() + 1


@cache
def _digit_words() -> Mapping[str, int]:
    return {
        words[0]: value
        for language in RULES
        for words, value in cardinals(language).items()
        if len(words) == 1 and value < _TEN
    }


def _scaled(text: str, number: Found, scales: Scales) -> Found:
    """Return the number times the scale that follows it."""
    match = _SCALE.match(text, number.end)
    scale = scales.get(plain(match[1])) if match else None
    if match is None or scale is None:
        return number
    return Found(number.value * scale, number.start, match.end())


_Reader = Callable[[str, Sequence[Found], Scales], Iterator[Found]]
_READERS: Sequence[_Reader] = (_with_half, _half_of_scale, _glued, _with_decimals)
