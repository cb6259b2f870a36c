"""Look-up tables for numbers in words, keyed by plain words.

Plain words are in small letters without accents and parted at hyphens:
`Twenty-first` is looked up as `("twenty", "first")`.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache

from flaskllm.core.number_words import RULES, Rules

Words = tuple[str, ...]

_WORD = re.compile(r"(?:[^\W\d_]|[\u0300-\u036f])+")
_MARK = re.compile(r"[\u0300-\u036f]")
# Letters with a stroke have no accent that could be taken off.
_STROKES = str.maketrans("łøđ", "lod")


def plain_words(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each word in its plain form, with its start and end in the text."""
    for match in _WORD.finditer(text):
        yield plain(match[0]), match.start(), match.end()


def plain(word: str) -> str:
    """Return the word in small letters and without accents."""
    return word.lower() if word.isascii() else _plain(word)


@cache
def cardinals(language: str) -> Mapping[Words, int]:
    """Return the numbers from 0 to 99 of a language, as they stand alone."""
    rules = RULES[language]
    units = [forms.split("/") for forms in rules.units.split()]
    table = {_key(unit[0]): value for value, unit in enumerate(units)}
    for ten_value, ten in _tens(rules):
        table.setdefault(_key(ten), ten_value)
        count = 20 if ten_value in rules.tens_with_teens else 10
        for value, forms in enumerate(units[1:count], start=1):
            for unit in forms:
                for pattern in rules.compounds:
                    key = _key(pattern.format(ten=ten, unit=unit))
                    table.setdefault(key, ten_value + value)
    return table


@cache
def ordinals(language: str) -> Mapping[Words, int]:
    """Return the ordinals from 1 to 31 of a language, in all their forms."""
    rules = RULES[language]
    return {
        _key(form + ending): value
        for value, forms in enumerate(rules.ordinals.split(), start=1)
        for form in forms.split("/")
        for ending in rules.endings
    }


@cache
def scales(language: str) -> Mapping[str, int]:
    """Return the words of a language that multiply what stands before them."""
    return {plain(word): value for word, value in RULES[language].scales.items()}


def read_glued(language: str, word: str) -> int | None:
    """Return the value of a plain word of several numbers, below a million.

    `dreitausendzweihundert` is 3200. None when it is no such word.
    """
    for thousand in _forms(RULES[language].thousand):
        before, found, after = word.partition(thousand)
        if found:
            times = _read_hundreds(language, before) if before else 1
            return _sum(times, 1000, _read_hundreds(language, after) if after else 0)
    return _read_hundreds(language, word)


def _read_hundreds(language: str, word: str) -> int | None:
    units = _glued_units(language)
    for hundred in _forms(RULES[language].hundred):
        before, found, after = word.partition(hundred)
        if found:
            times = units.get(before) if before else 1
            return _sum(times, 100, units.get(after) if after else 0)
    return units.get(word)


def _sum(times: int | None, scale: int, rest: int | None) -> int | None:
    return None if times is None or rest is None else times * scale + rest


@cache
def _glued_units(language: str) -> Mapping[str, int]:
    """Return the numbers from 0 to 99 as they stand within a longer word."""
    within = {
        plain(form): value
        for value, forms in enumerate(RULES[language].units.split())
        for form in forms.split("/")
    }
    return within | {"".join(key): value for key, value in cardinals(language).items()}


def _tens(rules: Rules) -> Iterator[tuple[int, str]]:
    for index, forms in enumerate(rules.tens.split(), start=2):
        for form in forms.split("/"):
            yield index * 10, form


@cache
def _forms(forms: str) -> tuple[str, ...]:
    """Return the forms, the longest first, so that no rest is left of one."""
    return tuple(sorted(filter(None, forms.split("/")), key=len, reverse=True))


def _key(words: str) -> Words:
    return tuple(word for word, _, _ in plain_words(words))


@lru_cache(maxsize=4096)
def _plain(word: str) -> str:
    parted = unicodedata.normalize("NFKD", word.casefold())
    return _MARK.sub("", parted).translate(_STROKES)
