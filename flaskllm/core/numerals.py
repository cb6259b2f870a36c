"""The numbers of a text, in digits and in words, each in every way it can be read.

`8.400` is 8400 to a German and 8.4 to an American, `two o'clock` may be 14:00: a
number has readings, and two texts agree on it when they share one. Words are read
in the languages of `number_words`, all at once.
"""

import re
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from itertools import groupby

from flaskllm.core import number_fractions, number_phrases, number_tables
from flaskllm.core.number_words import RULES

_GROUP = "[ .,'’\u00a0\u2009\u202f]"
_DIGITS = re.compile(
    rf"(?<!\d)(?:(?P<grouped>\d{{1,3}}(?P<mark>{_GROUP})\d{{3}}(?:(?P=mark)\d{{3}}){{0,12}})"
    r"(?P<fraction>[.,]\d{1,40})?(?!\d|[.,]\d)"
    r"|(?<!\d[.,])(?P<decimal>\d{1,40}[.,]\d{1,40})(?![.,]?\d)"
    r"|(?P<whole>\d{1,40}))"
)
_SCALE_LETTERS = {"k": 10**3, "m": 10**6, "mn": 10**6, "mio": 10**6, "b": 10**9}
_SCALE_LETTERS |= {"bn": 10**9, "mrd": 10**9, "tsd": 10**3, "t": 10**3}
_AFTER = re.compile(r"[ \u00a0]?([^\W\d_]+)")
_CLOCK = re.compile(
    r":\d{2}(?!\d)|[ \u00a0]?(?:[ap]\.?m\b|o['’]clock|uhr\b|h\b)", re.IGNORECASE
)
_MINUTES = re.compile(r"\d:$")
_DAY_AND_MONTH = re.compile(r"[0-3]?\d\.[01]?\d$")
# Words that mostly count nothing: "one of them", French "un", Italian "due".
_WEAK_WORDS = frozenset(
    """
    one first second ein eins erste ersten erster erstes zweite zweiten een eerste ett
    en un une uno una primer primera premier premiere primo um uma primeiro du dos due
    once sei neuf sept cent cents sex otto elf tre to andra
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Number:
    """One number of a text: code points from `start` up to, not with, `end`.

    `readings` are decimals without padding (`8400`, `8.4`). A `weak` one is
    mostly no number at all.
    """

    start: int
    end: int
    text: str
    readings: frozenset[str]
    weak: bool = False


def find(text: str) -> tuple[Number, ...]:
    """Return every number of a text, in order; those in words may overlap."""
    in_digits = tuple(_in_digits(text))
    # "Million" alone is a number, but not in "3 million".
    ends = {number.end for number in in_digits}
    in_words = (number for number in _in_words(text) if number.end not in ends)
    whole = (*in_digits, *in_words)
    return tuple(sorted((*whole, *_with_fractions(text, whole)), key=_order))


def numbers(text: str) -> frozenset[str]:
    """Return all readings of all numbers of a text.

    Example:
        >>> sorted(numbers("forty-five thousand, or 8.400"))
        ['45000', '8.4', '8400']
    """
    return frozenset[str]().union(*(number.readings for number in find(text)))


def unsupported(claim: str, source: str | frozenset[str]) -> tuple[str, ...]:
    """Return the numbers of a claim, as written, that the source does not hold.

    Args:
        claim: What somebody says of the source.
        source: The source, or its `numbers`: for many claims, read it once.
    """
    held = numbers(source) if isinstance(source, str) else source
    return tuple(
        number.text
        for number in _longest(find(claim))
        if not number.weak and not number.readings & held
    )


def _order(number: Number) -> tuple[int, int]:
    return number.start, -number.end


def _longest(found: Sequence[Number]) -> Iterator[Number]:
    """Yield the numbers that lie in no longer one; two readings of one are merged."""
    end = 0
    for (start, last), same in groupby(found, key=lambda one: (one.start, one.end)):
        if last <= end:
            continue
        end = last
        each = tuple(same)
        readings = frozenset[str]().union(*(number.readings for number in each))
        weak = any(number.weak for number in each)
        yield Number(start, last, each[0].text, readings, weak)


def _in_digits(text: str) -> Iterator[Number]:
    for match in _DIGITS.finditer(text):
        start, end = match.span()
        readings = {_canonical(reading) for reading in _read(match, text)}
        factor, scale_end, is_certain = _scale_after(text, end)
        scaled = {_canonical(Decimal(reading) * factor) for reading in readings}
        if _CLOCK.match(text, end):
            scaled |= {_canonical(hour) for hour in _other_half(readings)}
        every = scaled if is_certain else scaled | readings
        weak = bool(_MINUTES.search(text, max(0, start - 2), start)) and every == {"0"}
        yield Number(start, scale_end, text[start:scale_end], frozenset(every), weak)


def _read(match: re.Match[str], text: str) -> Iterator[Decimal]:
    """Yield each value that the digits can have."""
    if match["whole"]:
        yield Decimal(match["whole"])
    elif match["decimal"]:
        yield Decimal(match["decimal"].replace(",", "."))
        if _DAY_AND_MONTH.match(match["decimal"]) and text.startswith(".", match.end()):
            yield from map(Decimal, match["decimal"].split("."))
    else:
        yield from _read_grouped(match)


def _read_grouped(match: re.Match[str]) -> Iterator[Decimal]:
    mark, fraction = match["mark"], match["fraction"] or ""
    groups = match["grouped"].split(mark)
    if groups[0] != "0":
        yield Decimal("".join(groups) + fraction.replace(",", "."))
    if mark.isspace():
        # A space may also part two numbers.
        yield from map(Decimal, groups)
    if mark in ".," and len(groups) == 2 and not fraction:
        yield Decimal(".".join(groups))


def _scale_after(text: str, end: int) -> tuple[int, int, bool]:
    """Return the factor behind a number, where it ends, and whether it is sure.

    `3 million` is sure; `3m` may be metres.
    """
    match = _AFTER.match(text, end)
    if match is None:
        return 1, end, True
    word = number_tables.plain(match[1])
    if word in _scale_words():
        return _scale_words()[word], match.end(), True
    if word in _SCALE_LETTERS:
        return _SCALE_LETTERS[word], match.end(), False
    return 1, end, True


def _other_half(readings: Iterable[str]) -> Iterator[Decimal]:
    """Yield the hour twelve hours off: 2 o'clock may be 14:00, and back."""
    hours = (Decimal(reading) for reading in readings)
    return ((hour + 12) % 24 for hour in hours if 0 <= hour <= 24)


def _in_words(text: str) -> Iterator[Number]:
    for phrase in number_phrases.find(text):
        words = text[phrase.start : phrase.end]
        readings = {phrase.value}
        if _CLOCK.match(text, phrase.end):
            readings |= {(phrase.value + 12) % 24}
        is_weak = number_tables.plain(words) in _WEAK_WORDS
        yield Number(
            phrase.start, phrase.end, words, frozenset(map(str, readings)), is_weak
        )


def _with_fractions(text: str, whole: Sequence[Number]) -> Iterator[Number]:
    """Yield "two and a half million" and "three point five"."""
    found = [
        number_fractions.Found(Decimal(reading), number.start, number.end)
        for number in whole
        for reading in number.readings
    ]
    for each in number_fractions.find(text, found, _scale_words()):
        words = text[each.start : each.end]
        readings = frozenset({_canonical(each.value)})
        yield Number(each.start, each.end, words, readings)


@cache
def _scale_words() -> Mapping[str, int]:
    every = (number_tables.scales(language) for language in RULES)
    return dict(ChainMap(*map(dict, every)))


def _canonical(value: Decimal) -> str:
    """Return the value without padding or exponent."""
    written = format(value, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written
