"""The words of a text in any script, and those that say what it is about."""

import re
from functools import cache

from flaskllm.core.folding import CONTINUOUS, mark_class
from flaskllm.core.languages import stop_words

_DENSE_RUN = re.compile(f"[{CONTINUOUS}]+")
_RUN = re.compile(f"[{CONTINUOUS}]+|[^{CONTINUOUS}]+")
_HIRAGANA = re.compile("[\u3040-\u309f]+")
# Speech recognition writes them down; lists of stop words lack most of them.
_SOUNDS = """
    ah ahm eh ehm er erm euh hm hmm huh mhm mm oh okay uh uhm um yeah yep äh ähm öh
    ööh øh cuz dunno gonna gotta kinda lemme wanna
"""
_HESITATIONS = frozenset(_SOUNDS.split())


def split_words(text: str) -> list[str]:
    """Return the words in folded case; dense scripts give pairs of characters.

    Two characters of a script without spaces stand for a word: they overlap, so
    that the real words are among them.
    """
    return [
        word
        for match in word_pattern().finditer(text.casefold())
        for run in _RUN.findall(match[0])
        for word in (_pairs(run) if _DENSE_RUN.match(run) else (run,))
    ]


def find_terms(text: str, language: str) -> list[str]:
    """Return the words that say something of the subject, in order."""
    empty = empty_words(language)
    return [
        word
        for word in split_words(text)
        if word not in empty and not is_bare(word) and not _HIRAGANA.fullmatch(word)
    ]


def is_bare(word: str) -> bool:
    """Tell whether a word has one letter only, or none: a number, a sign."""
    letters = sum(letter.isalpha() for letter in word)
    return letters < 1 + (not _DENSE_RUN.match(word))


def count_words(text: str) -> int:
    """Return the length of a text in words; two dense characters count as one."""
    runs = _DENSE_RUN.findall(text)
    spaced = len(_DENSE_RUN.sub(" ", text).split()) if runs else len(text.split())
    return spaced + (sum(map(len, runs)) + 1) // 2


def is_dense(text: str) -> bool:
    """Tell whether a text begins in a script that is written without spaces."""
    return _DENSE_RUN.match(text) is not None


@cache
def empty_words(language: str) -> frozenset[str]:
    """Return the stop words of a language, in pieces too, and the hesitations."""
    whole = stop_words(language)
    pieces = {piece for word in whole for piece in word_pattern().findall(word)}
    return whole | pieces | _HESITATIONS


@cache
def word_pattern() -> re.Pattern[str]:
    r"""Return what a word is: a letter or digit, then those and their marks.

    `\w` knows no combining marks, which would cut the words of most scripts of
    India and of every text in decomposed form.
    """
    return re.compile(rf"[^\W_](?:[^\W_]|[{mark_class()}\u200c\u200d])*")


def _pairs(run: str) -> list[str]:
    return [run[index : index + 2] for index in range(max(1, len(run) - 1))]
