"""Numbers in words in running text, in every language that we have the words of."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from flaskllm.core.number_tables import (
    Words,
    cardinals,
    ordinals,
    plain_words,
    read_glued,
    scales,
)
from flaskllm.core.number_words import RULES

_LONGEST_PHRASE = 5
_LONGEST_WORD = 60
_GAP = re.compile(r"[\s-]*")
# "Two hundred and five": they join after a scale only.
_LINKS = frozenset({"and", "und", "e"})
_TWO_DIGITS = range(10, 100)


@dataclass(frozen=True, slots=True)
class Phrase:
    """A number in words: code points from `start` up to, not with, `end`."""

    value: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """A number within a number, or a scale; `first` and `last` count words."""

    value: int
    is_scale: bool
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class _Spoken:
    """A text and its words, each with its start and end."""

    text: str
    words: Sequence[tuple[str, int, int]]

    def are_joined(self, first: int, last: int) -> bool:
        """Tell whether only spaces and hyphens stand between these words."""
        gaps = pairwise(self.words[first : last + 1])
        return all(
            _GAP.fullmatch(self.text, end, start) for (_, _, end), (_, start, _) in gaps
        )


def find(text: str) -> Iterator[Phrase]:
    """Yield the numbers in words, language by language, each in text order.

    "Twenty twenty-six" is 20, 26 and 2026.
    """
    spoken = _Spoken(text, tuple(plain_words(text)))
    known = {word for word, _, _ in spoken.words if len(word) <= _LONGEST_WORD}
    for language in RULES:
        singles = {word: one for word in known if (one := _single(language, word))}
        phrases = [
            Phrase(value, spoken.words[first][1], spoken.words[last][2])
            for run in _runs(_pieces(spoken, language, singles), spoken)
            for value, first, last in _sums(run)
        ]
        yield from phrases
        yield from _years(phrases, text)


def _single(language: str, word: str) -> tuple[int, bool] | None:
    """Return what a word alone is worth, and whether it is a scale."""
    if scale := scales(language).get(word):
        return scale, True
    value = _below_hundred(language).get((word,))
    value = read_glued(language, word) if value is None else value
    return None if value is None else (value, False)


def _pieces(
    spoken: _Spoken, language: str, singles: Mapping[str, tuple[int, bool]]
) -> Iterator[_Piece]:
    """Yield the numbers below a hundred, longer words and scales, in order.

    The first word of every phrase is a number by itself.
    """
    next_free = 0
    for index, (word, _, _) in enumerate(spoken.words):
        if index < next_free or word not in singles:
            continue
        phrase = _phrase_at(spoken, index, language)
        piece = phrase or _Piece(*singles[word], index, index)
        yield piece
        next_free = piece.last + 1


def _phrase_at(spoken: _Spoken, index: int, language: str) -> _Piece | None:
    """Return the longest number of several words that starts at a word."""
    table = _below_hundred(language)
    words = tuple(word for word, _, _ in spoken.words[index : index + _LONGEST_PHRASE])
    for length in range(len(words), 1, -1):
        value, last = table.get(words[:length]), index + length - 1
        if value is not None and spoken.are_joined(index, last):
            return _Piece(value, False, index, last)
    return None


@cache
def _below_hundred(language: str) -> Mapping[Words, int]:
    return {**ordinals(language), **cardinals(language)}


def _runs(pieces: Iterator[_Piece], spoken: _Spoken) -> Iterator[list[_Piece]]:
    """Yield the pieces that follow each other directly, or over a link."""
    run: list[_Piece] = []
    for piece in pieces:
        if run and not _goes_on(run[-1], piece, spoken):
            yield run
            run = []
        run.append(piece)
    if run:
        yield run


def _goes_on(before: _Piece, piece: _Piece, spoken: _Spoken) -> bool:
    between = spoken.words[before.last + 1 : piece.first]
    is_link = len(between) == 1 and between[0][0] in _LINKS and before.value >= 100
    return (not between or is_link) and spoken.are_joined(before.last, piece.first)


def _sums(run: Sequence[_Piece]) -> Iterator[tuple[int, int, int]]:
    """Yield each number of a run, with its first and last word.

    "Two hundred and five thousand six" is (2 x 100 + 5) x 1000 + 6. A piece that
    cannot go on where the last one ended opens the next number.
    """
    total, current, first = 0, 0, run[0].first
    before: _Piece | None = None
    for piece in run:
        if before and not _adds_up(current, before, piece):
            yield total + current, first, before.last
            total, current, first = 0, 0, piece.first
        if piece.is_scale and piece.value >= 1000:
            total, current = total + (current or 1) * piece.value, 0
        elif piece.is_scale:
            current = (current or 1) * piece.value
        else:
            current += piece.value
        before = piece
    yield total + current, first, run[-1].last


def _adds_up(current: int, before: _Piece, piece: _Piece) -> bool:
    if piece.is_scale:
        return not before.is_scale or piece.value > before.value or current == 0
    if current == 0:
        return before.is_scale
    return before.value >= 100 and current % 100 == 0 and piece.value < 100


def _years(phrases: Sequence[Phrase], text: str) -> Iterator[Phrase]:
    """Yield the years that are said as two numbers."""
    for one, other in pairwise(phrases):
        pair = one.value in _TWO_DIGITS and other.value in _TWO_DIGITS
        if pair and _GAP.fullmatch(text, one.end, other.start):
            yield Phrase(one.value * 100 + other.value, one.start, other.end)
