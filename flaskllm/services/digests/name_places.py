"""Where names that are known stand in a text, and whose they are. Pure.

One pass over the words, each looked up: the time grows with the text, not with the
number of names.
"""

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, pairwise
from typing import Final
from unicodedata import category

from flaskllm.services.digests.everyday_names import (
    COMMON_WORDS,
    GREETINGS,
    LABELS,
    MONTHS,
    PARTICLES,
    TITLES,
    name_key,
    spelled_out,
)

# Python's `\w` knows no marks. Those of living scripts stand in these two stretches.
_PLACES = chain(range(0x300, 0x12000), range(0x1E000, 0x1F000))
_IS_MARK = ("Mn", "Mc")
MARKS: Final = "".join(
    ("\u200c\u200d", *(s for s in map(chr, _PLACES) if category(s) in _IS_MARK))
)
"""Accents, the vowel signs of Thai, Indic and other scripts, and what joins them."""

WORD: Final = re.compile(rf"(?:[^\W\d_]++[{MARKS}]*+)++")
"""A word of a name: letters, with their accents and vowel signs."""

MOST_SIGNS: Final = 24
"""No name in a script without spaces is looked for by more signs of its key."""

SPELLED_OUT: Final = re.compile(r"(?<=[aou])e")
"""What an umlaut has when it is spelled out: "Mueller"."""

_GAP = re.compile(r"[\s.,'’\"()-]{1,4}")
_FULL_STOP = re.compile(r"\.[’'\")]*\s")
_DAY_BESIDE = re.compile(r"\d[.\s]{0,2}$")
_LONGEST_GREETING = 12
_GREETED = re.compile(r"(?:([^\W\d_]+)[ \t]{1,2}|@)$")
_SHORT = 2
_WORDS_TOO = COMMON_WORDS | PARTICLES | LABELS | MONTHS | TITLES


@dataclass(frozen=True, slots=True)
class Named:
    """Where a name stands: whose it is, from 0, and which of their names."""

    start: int
    end: int
    person: int
    form: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """All names that are looked for.

    Attributes:
        words: By a word without case and accents: whose it is, and as which form.
        phrases: By the words of a whole name: whose it is.
        lengths: By the first of these words: how many they may be, the most first.
        unspaced: The same as `words` in scripts that put no space between words.
        unspaced_lengths: By the first sign of these: how long they may be, the
            longest first.
        people: Each person's whole name, by their number; those above it are names
            that several of them have.
    """

    words: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    phrases: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    lengths: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    unspaced: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    unspaced_lengths: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    people: tuple[str, ...] = ()

    def find(self, text: str) -> Iterator[Named]:
        """Yield the names in a text, those of one place only once."""
        yield from self._find_unspaced(text)
        spans = [found.span() for found in WORD.finditer(text)]
        keys = [name_key(text[start:end]) for start, end in spans]
        place = 0
        while place < len(spans):
            phrase = self._phrase_at(text, spans, keys, place)
            if phrase:
                end = spans[place + len(phrase) - 1][1]
                yield Named(spans[place][0], end, self.phrases[phrase])
            else:
                yield from self._word_at(text, spans[place], keys[place])
            place += len(phrase) or 1

    def _phrase_at(
        self,
        text: str,
        spans: Sequence[tuple[int, int]],
        keys: Sequence[str],
        place: int,
    ) -> tuple[str, ...]:
        """Return the words of the longest whole name here; none where there is none."""
        for length in self.lengths.get(keys[place], ()):
            phrase = tuple(keys[place : place + length])
            till = place + len(phrase)
            if phrase in self.phrases and _is_one(text, spans[place:till]):
                return phrase
        return ()

    def _word_at(self, text: str, span: tuple[int, int], key: str) -> Iterator[Named]:
        """Yield the name that one word is, if it is one."""
        start, end = span
        for form in _forms(text[start:end], key):
            for said in (form, form.removesuffix("s")):
                if said not in self.words:
                    continue
                till = end if said == form else _end_of_stem(text, end)
                if _is_name_here(text, start, till, said, key):
                    yield Named(start, till, *self.words[said])
                    return

    def _find_unspaced(self, text: str) -> Iterator[Named]:
        """Yield names in scripts without spaces, whatever space is within them."""
        if not self.unspaced or text.isascii():
            return
        signs, places = _signs(text)
        after = 0
        for first, sign in enumerate(signs):
            for length in self.unspaced_lengths.get(sign, ()) if first >= after else ():
                name = signs[first : first + length]
                if name in self.unspaced:
                    after = first + len(name)
                    told = self.unspaced[name]
                    yield Named(places[first], places[after - 1] + 1, *told)
                    break


def _signs(text: str) -> tuple[str, "array[int]"]:
    """Return the key of a text without its space, and where each sign of it stood."""
    known = {sign: "".join(name_key(sign).split()) for sign in set(text)}
    places = array("L")
    for place, sign in enumerate(text):
        places.extend(place for _ in known[sign])
    return "".join(known[sign] for sign in text), places


def _forms(word: str, key: str) -> Iterator[str]:
    """Yield the keys by which a word may be known: its own, and with umlauts."""
    yield key
    yield SPELLED_OUT.sub("", key)
    if not word.isascii():
        yield spelled_out(word)


def _is_one(text: str, spans: Sequence[tuple[int, int]]) -> bool:
    """Tell whether nothing but the gaps of a name is between words."""
    gaps = ((one, text[one[1] : other[0]]) for one, other in pairwise(spans))
    return all(
        _GAP.fullmatch(gap) and not _ends_sentence(text[slice(*word)], gap)
        for word, gap in gaps
    )


def _ends_sentence(word: str, gap: str) -> bool:
    """Tell whether a sentence ends behind a word; none does behind an initial."""
    is_short = len(word) == 1 or name_key(word) in TITLES
    return not is_short and _FULL_STOP.match(gap) is not None


def _is_name_here(text: str, start: int, end: int, word: str, key: str) -> bool:
    """Tell a name from a word of daily talk, and from a month beside its day.

    With a capital it is the name, wherever it stands: to hide a word too many can be
    taken back, a name that was shown cannot.

    Args:
        text: Where it stands.
        start: Where it begins.
        end: Where it ends, without a genitive's `s`.
        word: The name that it may be.
        key: The whole word, as `name_key` returns it.
    """
    known = (word, key, key.removesuffix("s"))
    is_word_too = not _WORDS_TOO.isdisjoint(known) or len(word) <= _SHORT
    if is_word_too and not (text[start].isupper() or _is_greeted(text, start)):
        return False
    if word not in MONTHS:
        return True
    before, after = text[max(0, start - 4) : start], text[end : end + 4].lstrip(" .,")
    return not (_DAY_BESIDE.search(before) or after[:1].isdigit())


def _is_greeted(text: str, start: int) -> bool:
    """Tell whether a word is addressed: "hi will", "@will"."""
    found = _GREETED.search(text[max(0, start - _LONGEST_GREETING) : start])
    return found is not None and (found[1] is None or name_key(found[1]) in GREETINGS)


def _end_of_stem(text: str, end: int) -> int:
    return end - 1 if text[end - 1] in "sS" else end
