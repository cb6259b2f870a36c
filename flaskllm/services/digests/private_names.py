"""Which words of a text are names of known people: places, and whose they are. Pure.

Known are participants, speakers, senders in quoted headers, and the operator's list.
A name is found word by word: whole, by its first name, by its last, in any case, with
or without its accents, with a genitive's `s`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from flaskllm.core.sensitive_words import is_spaced
from flaskllm.inputs.document import Document
from flaskllm.services.digests.everyday_names import (
    COMMON_WORDS,
    MONTHS,
    NO_NAMES,
    TITLES,
    name_key,
)

_WORD = re.compile(r"(?:[^\W\d_][\u0300-\u036f]*)+")
# At the end of a name; in its middle it is a nickname.
_REMARK = re.compile(r"[(\[][^()\[\]]{0,80}[)\]]\s*$")
_GAP = re.compile(r"[\s.,'’\"()-]{1,4}")
# "From: Bo Jansen <bo@example.com>": at the begin of a line or of an item of a list.
_SENDER = re.compile(
    r"(?:^|[:;,]|\n)[ \t>*\"']{0,8}((?:[^\W\d_][\w.'’-]{0,40}[ \t]{1,2}){1,4})\"?"
    r"[ \t]{0,2}<[^<>@\s]{1,64}@",
)
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue"})
_SPELLED_OUT = re.compile(r"(?<=[aou])e")
_DAY_BESIDE = re.compile(r"\d[.\s]{0,2}$")
_SHORT = 2
_MOST_WORDS = 8


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
        phrases: By the first word: the words of whole names, the longest first.
        unspaced: Names in scripts that put no space between words.
        people: Each person's whole name, by their number; those above it are names
            that several of them have.
    """

    words: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    phrases: Mapping[str, tuple[tuple[tuple[str, ...], int], ...]] = field(
        default_factory=dict
    )
    unspaced: tuple[tuple[re.Pattern[str], int], ...] = ()
    people: tuple[str, ...] = ()

    def find(self, text: str) -> Iterator[Named]:
        """Yield the names in a text, those of one place only once."""
        for pattern, person in self.unspaced:
            for found in pattern.finditer(text):
                yield Named(*found.span(), person)
        spans = [found.span() for found in _WORD.finditer(text)]
        place = 0
        while place < len(spans):
            named, used = self._at(text, spans, place)
            if named is not None:
                yield named
            place += used

    def _at(
        self, text: str, spans: Sequence[tuple[int, int]], place: int
    ) -> tuple[Named | None, int]:
        """Return the name that begins at a word, and how many words it takes."""
        start, end = spans[place]
        word = name_key(text[start:end])
        for phrase, person in self.phrases.get(word, ()):
            after = place + len(phrase)
            if after <= len(spans) and _reads(text, spans[place:after], phrase):
                return Named(start, spans[after - 1][1], person), len(phrase)
        for form in (word, _SPELLED_OUT.sub("", word)):
            stem = form.removesuffix("s")
            for said, till in ((form, end), (stem, _end_of_stem(text, start, end))):
                if said in self.words and _is_name_here(text, start, till, said):
                    return Named(start, till, *self.words[said]), 1
        return None, 1


def names_of(document: Document, listed: Iterable[str] = ()) -> Names:
    """Return the names to look for in a document: its people's, and those listed."""
    people: dict[tuple[str, ...], tuple[str, tuple[str, ...]]] = {}
    for name in _full_names(document, listed):
        whole, words = _taken_apart(name)
        keys = tuple(map(name_key, words))
        if not set(keys) <= NO_NAMES:
            people.setdefault(keys, (whole, words))
    found = _gathered([words for _, words in people.values()])
    return replace(found, people=tuple(whole for whole, _ in people.values()))


def _full_names(document: Document, listed: Iterable[str]) -> Iterator[str]:
    for person in document.participants:
        if person.name:
            yield person.name
        if person.email:
            yield from _names_in_address(person.email, name_key(person.name or ""))
    yield from (part.speaker for part in document.parts if part.speaker)
    yield from listed
    for part in document.parts:
        senders = (found[1] for found in _SENDER.finditer(part.text))
        yield from (name for name in senders if _is_capitalised(name))


def _names_in_address(email: str, name: str) -> Iterator[str]:
    """Yield what an address says of a name, where its owner's name says no more.

    `asmith` is a name of Anna Smith; `orders` is none of hers.
    """
    local = email.partition("@")[0]
    words = [word for word in re.split(r"[._+-]", local) if word.isalpha()]
    if not name and words:
        yield " ".join(words)
    known = name.split()
    if len(words) == 1 and words[0] not in known:
        has_part = (len(each) > _SHORT and each in words[0] for each in known)
        yield from words if any(has_part) else ()


def _is_capitalised(name: str) -> bool:
    return not any(word[0].islower() for word in name.split() if word not in NO_NAMES)


def _taken_apart(name: str) -> tuple[str, tuple[str, ...]]:
    """Return a name without title and remark, and its words, the first name first."""
    plain = _REMARK.sub(" ", name)
    spans = [found.span() for found in _WORD.finditer(plain)][:_MOST_WORDS]
    while len(spans) > 1 and name_key(plain[slice(*spans[0])]) in TITLES:
        spans = spans[1:]
    if not spans:
        return "", ()
    whole = plain[spans[0][0] : spans[-1][1]]
    words = [plain[start:end] for start, end in spans]
    last = sum(end <= plain.find(",") for _, end in spans)
    return whole, (*words[last:], *words[:last])


def _gathered(people: Sequence[tuple[str, ...]]) -> Names:
    words: dict[str, tuple[int, str]] = {}
    phrases: dict[str, dict[tuple[str, ...], int]] = {}
    unspaced = []
    shared = _shared_forms(people)
    fresh = len(people)
    for number, whole in enumerate(people):
        if not is_spaced(whole[0][0]):
            pattern = re.compile(r"\s?".join(map(re.escape, whole)))
            unspaced.append((pattern, number))
            continue
        for form, kind in _forms(whole):
            if form in shared:
                words.setdefault(form, (fresh + shared[form], ""))
            elif form not in words or (words[form][1] and not kind):
                words[form] = number, kind
        for order in _orders(whole):
            phrases.setdefault(order[0], {}).setdefault(order, number)
    longest_first = {
        word: tuple(sorted(found.items(), key=lambda each: -len(each[0])))
        for word, found in phrases.items()
    }
    return Names(words, longest_first, tuple(unspaced))


def _forms(whole: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield each single word that stands for a person, and what it is of the name."""
    if len(whole) == 1:
        yield from ((form, "") for form in _spellings(whole[0]))
        return
    kinds = {0: "FIRST", len(whole) - 1: "LAST"}
    for place, word in enumerate(whole):
        if len(word) > 1 and name_key(word) not in NO_NAMES:
            kind = kinds.get(place, f"MIDDLE{place}")
            yield from ((form, kind) for form in _spellings(word))
    yield name_key("".join(whole)), "JOINED"


def _spellings(word: str) -> frozenset[str]:
    """Return the keys by which a word is found: "Müller", "Muller" and "Mueller"."""
    key = name_key(word)
    spelled_out = name_key(word.casefold().translate(_UMLAUTS))
    return frozenset({key, spelled_out, _SPELLED_OUT.sub("", key)})


def _shared_forms(people: Sequence[tuple[str, ...]]) -> dict[str, int]:
    """Return the words that are names of several people, each with a number.

    None of them may stand for one of these: who is meant would be our invention.
    """
    alone = {key for whole in people if len(whole) == 1 for key in _spellings(*whole)}
    owners: dict[str, set[int]] = {}
    for number, whole in enumerate(people):
        for form, _ in _forms(whole):
            owners.setdefault(form, set()).add(number)
    several = (form for form, who in owners.items() if len(who) > 1)
    return {form: number for number, form in enumerate(several) if form not in alone}


def _orders(whole: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the words of a whole name as they may follow one another."""
    if len(whole) < 2:
        return
    keys = tuple(map(name_key, whole))
    yield keys
    yield (keys[-1], *keys[:-1])
    yield (keys[0], keys[-1])


def _reads(text: str, spans: Sequence[tuple[int, int]], phrase: Sequence[str]) -> bool:
    """Tell whether words read so, with nothing but the gaps of a name between them."""
    said = (name_key(text[start:end]) for start, end in spans)
    gaps = (text[one[1] : other[0]] for one, other in pairwise(spans))
    return all(_GAP.fullmatch(gap) for gap in gaps) and tuple(said) == tuple(phrase)


def _is_name_here(text: str, start: int, end: int, word: str) -> bool:
    """Tell a name from a word of daily talk, and from a month beside its day."""
    is_word_too = word in COMMON_WORDS or len(word) <= _SHORT
    if is_word_too and not text[start].isupper():
        return False
    if word not in MONTHS:
        return True
    before, after = text[max(0, start - 4) : start], text[end : end + 4].lstrip(" .,")
    return not (_DAY_BESIDE.search(before) or after[:1].isdigit())


def _end_of_stem(text: str, start: int, end: int) -> int:
    return end - 1 if text[start:end].lower().endswith("s") else end
