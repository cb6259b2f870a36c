"""Find a quote in a text: the whole of it, word for word, or not at all.

Three tiers, each tried only when the one before found nothing:

- `exact`: the quote as it is written;
- `folded`: case, white space, quote marks, dashes and compatible characters
  aside (`core/folding.py`);
- `aligned`: every word, number and sign of the quote in its order; punctuation may
  differ, and the text may hold a few fillers ("uh") that the quote leaves out.

No tier accepts a changed, missing, added or reordered word. A match starts and
ends where words do.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from flaskllm.core.folding import Folded, fold, is_border, next_border
from flaskllm.services.digests.quote_text import (
    Text,
    Token,
    Tokens,
    join,
    tokenize,
    without_fillers,
)

__all__ = ["Match", "Text", "Tier", "locate", "locate_anywhere"]

Tier = Literal["exact", "folded", "aligned"]
IdT = TypeVar("IdT")
_Place = tuple[int, int]

_TIERS: Sequence[Tier] = ("exact", "folded", "aligned")
_FEWEST_WORDS = 2
_FEWEST_CHARACTERS = 8
_WORDS_PER_FILLER = 5
_ELISION = re.compile(r"\w\W*?\.(?: ?\.){2}(?=\W*\w)")


@dataclass(frozen=True, slots=True)
class Match:
    """Where a quote stands: `offset` and `length` in code points of the text."""

    offset: int
    length: int
    tier: Tier


_Run = tuple[Token, Token]


def locate(quote: str, text: str | Text) -> Match | None:
    """Return where the whole quote stands in the text, None when it does not.

    The first place in the strictest tier. A quote without any word or sign
    stands nowhere; one of a single word or under eight characters is never
    aligned.
    """
    source = Text(text) if isinstance(text, str) else text
    stripped = quote.strip()
    wanted = fold(stripped).text.strip()
    words = tokenize(wanted)
    if not words:
        return None
    if place := _find(stripped, source.plain):
        return _match(place, "exact")
    folded = source.folded
    if (place := _find(wanted, folded.text)) and not _splits(place, folded):
        return _match(folded.span(*place), "folded")
    if _is_alignable(wanted, words) and (place := _align(words, wanted, source)):
        return _match(folded.span(*place), "aligned")
    return None


def locate_anywhere(
    quote: str, parts: Iterable[tuple[IdT, str | Text]]
) -> tuple[IdT, Match] | None:
    """Return the part that holds the quote, and where; None when none does.

    A stricter tier in a later part wins over a looser one in an earlier part.
    """
    best: tuple[IdT, Match] | None = None
    for part_id, text in parts:
        match = locate(quote, text)
        if match is None:
            continue
        if match.tier == "exact":
            return part_id, match
        if best is None or _TIERS.index(match.tier) < _TIERS.index(best[1].tier):
            best = part_id, match
    return best


def _match(place: _Place, tier: Tier) -> Match:
    start, end = place
    return Match(start, end - start, tier)


def _find(quote: str, text: str) -> _Place | None:
    """Return the first place where the quote stands as whole words."""
    start = text.find(quote)
    while start >= 0:
        place = start, start + len(quote)
        if _stands_free(place, text):
            return place
        start = text.find(quote, next_border(text, start))
    return None


def _stands_free(place: _Place, text: str) -> bool:
    return is_border(text, place[0]) and is_border(text, place[1])


def _splits(place: _Place, folded: Folded) -> bool:
    return any(map(folded.splits_character, place))


def _is_alignable(quote: str, words: Sequence[Token]) -> bool:
    return len(words) >= _FEWEST_WORDS and len(quote) >= _FEWEST_CHARACTERS


def _align(words: Sequence[Token], quote: str, source: Text) -> _Place | None:
    """Return the first place where the words of the quote follow each other."""
    text = source.folded.text
    # A lie mostly holds a word that is nowhere: then the text is not taken apart.
    if not all(word.text in text for word in words):
        return None
    runs = _alignments(words, quote, source)
    places = ((first.start, last.end) for first, last in runs)
    free = (place for place in places if _stands_free(place, text))
    return next((place for place in free if _elides_no_more(quote, text, place)), None)


def _elides_no_more(quote: str, text: str, place: _Place) -> bool:
    """Tell whether every "..." between words of the quote is one of the text's."""
    elisions = len(_ELISION.findall(quote))
    return not elisions or elisions <= len(_ELISION.findall(text, *place))


def _alignments(words: Sequence[Token], quote: str, source: Text) -> Iterator[_Run]:
    """Yield the runs of words that read like the quote.

    First as they are, then with the fillers of both taken out. Each is a search
    for one string in another, so that the time is linear.
    """
    tokens = source.tokens.every
    yield from _runs(words, source.tokens)
    if len(source.spoken.every) == len(tokens):
        return
    for first, last in _runs(without_fillers(words, quote), source.spoken):
        extra = last.number - first.number + 1 - len(words)
        if not 0 < extra <= _most_fillers(words):
            continue
        if _reads_as(words, tokens[first.number : last.number + 1]):
            yield first, last


def _runs(words: Sequence[Token], tokens: Tokens) -> Iterator[_Run]:
    """Yield the first and the last token of each run that reads as the words."""
    needle = join(words)
    position = tokens.joined.find(needle) if words else -1
    while position >= 0:
        first = bisect_left(tokens.begins, position)
        yield tokens.every[first], tokens.every[first + len(words) - 1]
        position = tokens.joined.find(needle, position + 1)


def _most_fillers(words: Sequence[Token]) -> int:
    return -(-len(words) // _WORDS_PER_FILLER)


def _reads_as(words: Sequence[Token], run: Iterable[Token]) -> bool:
    """Tell whether the fillers that the quote does have stand in their places.

    All other words are known to be the same.
    """
    heard = iter(token.text for token in run)
    return all(word.text in heard for word in words)
