"""What the words for days mean, in a language and in all of them at once."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

from flaskllm.core.date_words import TABLES
from flaskllm.core.folding import CONTINUOUS
from flaskllm.core.number_tables import Words, cardinals, ordinals, plain
from flaskllm.core.number_words import RULES

# A script without spaces is read character by character.
WORD = re.compile(
    rf"[{CONTINUOUS}]|(?:(?![{CONTINUOUS}])[^\W\d_]|[\u0300-\u036f])+|\d+"
)
_ENGLISH = "en"
_SPELLED_OUT = (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ø", "oe"), ("å", "aa"))
_LISTS = frozenset({"numbers", "ordinals", "glued", "weak"})
# "14 Tage", but no number of days goes beyond this in words.
_HIGHEST_NUMBER = 31


class Meaning(NamedTuple):
    """One thing that a word says: see `date_words` for the kinds.

    `value` is a number, or 0; `unit` is set where the kind is `unit`.
    """

    kind: str
    value: int = 0
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A phrase and its meanings.

    A `weak` one is mostly another word ("may", "sun"), an `abbreviated` one ends
    with a full stop that ends no sentence; `capital` tells that its language writes
    it with a capital letter.
    """

    words: Words
    meanings: tuple[Meaning, ...]
    weak: bool = False
    abbreviated: bool = False
    capital: bool = False


Lexicon = Mapping[str, Sequence[Entry]]


def lexicon(language: str | None, *, only: bool = False) -> Lexicon:
    """Return phrases by first word, the longest first.

    Where languages disagree about a phrase the given one decides, then English.
    Abbreviations are taken from these two: elsewhere they are too many other words.

    Args:
        language: ISO 639-1, also with a region; any language of CLDR. None stands
            for all languages.
        only: Leave out other languages than the given one and English.
    """
    code = language[:2].lower() if language else None
    return _lexicon(code, only and code is not None)


@cache
def _lexicon(language: str | None, only: bool) -> Lexicon:
    own = tuple(dict.fromkeys(filter(None, (language, _ENGLISH))))
    others = () if only else (other for other in TABLES if other not in own)
    entries: dict[Words, Entry] = {}
    for each in (*own, *others):
        for entry in _entries(each, with_abbreviations=each in own):
            entries.setdefault(entry.words, entry)
    by_first: dict[str, list[Entry]] = {}
    for entry in sorted(entries.values(), key=lambda entry: -len(entry.words)):
        by_first.setdefault(entry.words[0], []).append(entry)
    return by_first


def split_words(phrase: str) -> Words:
    """Return the plain words and numbers of a phrase, as a text is read for them."""
    return tuple(plain(match[0]) for match in WORD.finditer(phrase))


def _entries(language: str, with_abbreviations: bool) -> Iterator[Entry]:
    table = TABLES.get(language, {})
    mostly_else = frozenset(map(split_words, table.get("weak", "").split("|")))
    names = (*_from_table(table), *_names(language), *_glued(table, language))
    for entry in (*names, *_numbers(table, language)):
        if with_abbreviations or not entry.abbreviated:
            yield replace(entry, weak=entry.words in mostly_else)


def _from_table(table: Mapping[str, str]) -> Iterator[Entry]:
    for key, phrases in table.items():
        if key in _LISTS:
            continue
        meanings = tuple(map(_meaning, key.split()))
        for phrase in phrases.split("|"):
            yield Entry(split_words(phrase), meanings)
            yield Entry(split_words(_spell_out(phrase)), meanings)


def _meaning(key: str) -> Meaning:
    kind, _, value = key.partition(":")
    if kind == "unit":
        return Meaning(kind, unit=value)
    return Meaning(kind, int(value or 0))


def _spell_out(phrase: str) -> str:
    """Return the phrase as it is typed where there are no umlauts."""
    for letter, letters in _SPELLED_OUT:
        phrase = phrase.replace(letter, letters)
    return phrase


def _names(language: str) -> Iterator[Entry]:
    """Yield the names of months and weekdays of CLDR, those in full first."""
    from babel import Locale, UnknownLocaleError  # reads data from files

    try:
        locale = Locale.parse(language)
    except (UnknownLocaleError, ValueError):
        return
    for width in ("wide", "abbreviated"):
        for context in ("format", "stand-alone"):
            for kind, names in (
                ("month", locale.months[context][width]),
                ("weekday", locale.days[context][width]),
            ):
                for value, name in names.items():
                    yield from _name(name, Meaning(kind, value), width != "wide")


def _name(name: str, meaning: Meaning, is_abbreviation: bool) -> Iterator[Entry]:
    capital = name[:1].isupper()
    for form in {name, _spell_out(name)}:
        yield Entry(split_words(form), (meaning,), False, is_abbreviation, capital)


def _glued(table: Mapping[str, str], language: str) -> Iterator[Entry]:
    """Yield weekdays with a time of day stuck to them: "Freitagabend"."""
    times = [time for time in table.get("glued", "").split("|") if time]
    for entry in _names(language) if times else ():
        if entry.meanings[0].kind == "weekday" and not entry.abbreviated:
            for time in times:
                words = split_words(entry.words[0] + time)
                yield Entry(words, (*entry.meanings, Meaning("time")))


def _numbers(table: Mapping[str, str], language: str) -> Iterator[Entry]:
    """Yield numbers up to 31 and ordinals, which are days of a month."""
    if language in RULES:
        counted, ordered = cardinals(language), ordinals(language)
    else:
        counted, ordered = _count(table, "numbers"), _count(table, "ordinals")
    for words, value in counted.items():
        if value <= _HIGHEST_NUMBER:
            yield Entry(words, (Meaning("number", value),))
    for words, value in ordered.items():
        yield Entry(words, (Meaning("day", value),))


def _count(table: Mapping[str, str], key: str) -> Mapping[Words, int]:
    words = table.get(key, "").split()
    return {split_words(word): value for value, word in enumerate(words, start=1)}
