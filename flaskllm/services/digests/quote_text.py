"""A text as the words that quotes are compared by."""

import re
from collections.abc import Iterable, Sequence
from functools import cache, cached_property
from itertools import accumulate
from typing import NamedTuple

from flaskllm.core.folding import CONTINUOUS, Folded, fold, mark_class

# The first are words in none of our languages. The others are (German "um",
# "er"): they count as fillers only with a pause on both sides. Folding has parted
# the dots from "äh" and "öh".
_FILLER = re.compile(
    r"(?<![\w'-])(?:uh|uhm|umm|erm|hmm|a\u0308hm?|o\u0308hm?|euh|ehm)(?![\w'-])"
    r"|(?:(?<=[,.;:!?—-])|(?<=[,.;:!?—-] )|^)(?:um|er|ah|eh|hm|you know)"
    r"(?= ?[,.;:!?—-])"
)
_PUNCTUATION = r""".,;:!?'"()\[\]{}_*¡¿·•|、。「」『』《》【】—-"""
# Runs of tokens are found as strings; no token holds this.
_SEAM = "\n"


class Token(NamedTuple):
    """A word, number or sign; how many came before it, and where it stands."""

    text: str
    number: int
    start: int
    end: int


class Text:
    """A text that is searched for many quotes: it is taken apart once, at need."""

    def __init__(self, plain: str) -> None:
        """Keep the text as it is."""
        self.plain = plain

    @cached_property
    def folded(self) -> Folded:
        """The plain form, with the way back."""
        return fold(self.plain)

    @cached_property
    def tokens(self) -> "Tokens":
        """Every word, number and sign."""
        return Tokens(tokenize(self.folded.text))

    @cached_property
    def spoken(self) -> "Tokens":
        """The same without fillers."""
        return Tokens(without_fillers(self.tokens.every, self.folded.text))


class Tokens:
    """Tokens, and the one string in which runs of them are found."""

    def __init__(self, every: Sequence[Token]) -> None:
        """Join them: `begins` tells where each begins in `joined`."""
        self.every = every
        self.joined = join(every)
        lengths = (len(token.text) + 1 for token in every)
        self.begins = list(accumulate(lengths, initial=0))


def tokenize(text: str) -> list[Token]:
    """Return the words, numbers and signs of a folded text."""
    return [
        Token(match[0], number, *match.span())
        for number, match in enumerate(_token().finditer(text))
    ]


def without_fillers(tokens: Sequence[Token], text: str) -> list[Token]:
    """Return the tokens of a folded text that are no fillers."""
    fillers = (match.span() for match in _FILLER.finditer(text))
    covered = {index for start, end in fillers for index in range(start, end)}
    return [token for token in tokens if token.start not in covered]


def join(tokens: Iterable[Token]) -> str:
    """Return the tokens as one string, a seam before and after each."""
    return _SEAM + "".join(token.text + _SEAM for token in tokens)


@cache
def _token() -> re.Pattern[str]:
    """Match one word, number or sign that changes what is said.

    A number keeps its sign and separators (`1,000.50`, `2026-06-24`), a word its
    apostrophes (`can't`). A script without spaces gives a token a character.
    """
    marks = mark_class()
    letter = rf"(?:(?![{CONTINUOUS}_])[\w{marks}])"
    return re.compile(
        rf"(?:(?<!\w)[+-](?=\d))?{letter}+"
        rf"(?:(?:'|(?<=\d)[.,:/-](?=\d)){letter}+)*"
        rf"|[{CONTINUOUS}][{marks}]*"
        rf"|[^\s{_PUNCTUATION}]"
    )
