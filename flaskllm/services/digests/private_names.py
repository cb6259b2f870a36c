"""Which names are hidden: those of known people, and what each may be called. Pure.

Known are participants, speakers, senders in quoted headers, and the operator's list.
A name is found word by word: whole, by its first name, by its last, in any case, with
or without its accents, with a genitive's `s`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from unicodedata import normalize

from flaskllm.core.sensitive_words import is_spaced
from flaskllm.inputs.document import Document
from flaskllm.services.digests.everyday_names import (
    ARTICLES,
    FIRMS,
    MAILBOXES,
    PARTICLES,
    PREFIXES,
    is_label,
    name_key,
    spelled_out,
    titles_before,
)
from flaskllm.services.digests.name_places import (
    MARKS,
    MOST_SIGNS,
    SPELLED_OUT,
    WORD,
    Names,
)

# At the end of a name; in its middle it is a nickname.
_REMARK = re.compile(r"[(\[]([^()\[\]]{0,80})[)\]]\s*$")
# "From: Bo Jansen <bo@example.com>": at the begin of a line or of an item of a list.
_SENDER = re.compile(
    r"(?:^|[:;,]|\n)[ \t>*\"']{0,8}"
    rf"((?:[^\W\d_][\w.'’{MARKS}-]{{0,40}}[ \t]{{1,2}}){{1,4}})\"?"
    r"[ \t]{0,2}<[^<>@\s]{1,64}@",
)
_SHORT = 2
_MOST_WORDS = 8
# A text may be nothing but names: those that it only tells of come last.
_MOST_NAMES = 10_000


def names_of(document: Document, listed: Iterable[str] = ()) -> Names:
    """Return the names to look for in a document: its people's, and those listed."""
    people = _people(document, listed)
    found = _gathered([words for _, words in people])
    return replace(found, people=tuple(whole for whole, _ in people))


def people_of(document: Document) -> tuple[str, ...]:
    """Return the names of the people of a document, each once."""
    return tuple(whole for whole, _ in _people(document))


def _people(
    document: Document, listed: Iterable[str] = ()
) -> Sequence[tuple[str, tuple[str, ...]]]:
    """Return each person's name and its words, the first name first."""
    people: dict[tuple[str, ...], tuple[str, tuple[str, ...]]] = {}
    for name in islice(dict.fromkeys(_full_names(document, listed)), _MOST_NAMES):
        whole, words = _taken_apart(name)
        keys = tuple(map(name_key, words))
        if keys:
            people.setdefault(keys, (whole, words))
    return tuple(people.values())


def _full_names(document: Document, listed: Iterable[str]) -> Iterator[str]:
    for person in document.participants:
        if person.name:
            yield person.name
        if person.email:
            yield from _names_in_address(person.email, name_key(person.name or ""))
    yield from listed
    yield from (part.speaker for part in document.parts if part.speaker)
    for part in document.parts:
        senders = (found[1] for found in _SENDER.finditer(part.text))
        yield from (name for name in senders if _is_capitalised(name))


def _names_in_address(email: str, name: str) -> Iterator[str]:
    """Yield what an address says of a name, where its owner's name says no more.

    `asmith` is a name of Anna Smith; `orders` is none of hers.
    """
    local = email.partition("@")[0]
    words = [word for word in re.split(r"[._+-]", local) if word.isalpha()]
    if not name and not MAILBOXES.issuperset(map(name_key, words)):
        yield " ".join(words)
    known = name.split()
    if len(words) == 1 and words[0] not in known:
        has_part = (len(each) > _SHORT and each in words[0] for each in known)
        yield from words if any(has_part) else ()


def _is_capitalised(name: str) -> bool:
    return not any(word[0].islower() for word in name.split() if word not in PARTICLES)


def _taken_apart(name: str) -> tuple[str, tuple[str, ...]]:
    """Return a name without title and remark, and its words, the first name first.

    Of "Guest (Bo Jansen)" the remark is the name. A label has no words.
    """
    plain = _REMARK.sub(" ", name)
    if is_label([name_key(word) for word in WORD.findall(plain)]):
        remark = _REMARK.search(name)
        plain = remark[1] if remark else plain
    spans = [found.span() for found in WORD.finditer(plain)][:_MOST_WORDS]
    keys = [name_key(plain[slice(*span)]) for span in spans]
    if is_label(keys):
        return "", ()
    spans = spans[titles_before(keys) :]
    whole = plain[spans[0][0] : spans[-1][1]]
    words = [plain[start:end] for start, end in spans]
    last = sum(end <= plain.find(",") for _, end in spans)
    return whole, (*words[last:], *words[:last])


def _gathered(people: Sequence[tuple[str, ...]]) -> Names:
    words: dict[str, tuple[int, str]] = {}
    phrases: dict[tuple[str, ...], int] = {}
    unspaced: dict[str, tuple[int, str]] = {}
    shared = _shared_forms(people)
    fresh = len(people)
    for number, whole in enumerate(people):
        for form, kind in _forms(whole):
            found, key = words, form
            if not is_spaced(normalize("NFC", form)[0]):
                found, key = unspaced, form[:MOST_SIGNS]
            if form in shared:
                found.setdefault(key, (fresh + shared[form], ""))
            elif key not in found or (found[key][1] and not kind):
                found[key] = number, kind
        for order in _orders(whole):
            phrases.setdefault(order, number)
    return Names(words, phrases, _lengths(phrases), unspaced, _lengths(unspaced))


def _lengths(names: Iterable[Sequence[str]]) -> dict[str, tuple[int, ...]]:
    """Return how long names are by what they begin with, the longest first."""
    found: dict[str, set[int]] = {}
    for name in names:
        found.setdefault(name[0], set()).add(len(name))
    return {first: tuple(sorted(each, reverse=True)) for first, each in found.items()}


def _forms(whole: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Yield each single word that stands for a person, and what it is of the name."""
    if len(whole) == 1:
        yield from ((form, "") for form in _spellings(whole[0]))
        return
    kinds = {0: "FIRST", len(whole) - 1: "LAST"}
    for place, word in enumerate(whole):
        if _names_alone(whole, place):
            kind = kinds.get(place, f"MIDDLE{place}")
            yield from ((form, kind) for form in _spellings(word))
    if len(whole) > 2:
        yield from _joined(whole, kinds)
    joined = name_key("".join(whole))
    if is_spaced(whole[0][0]) or len(joined) <= MOST_SIGNS:
        yield joined, "JOINED"


def _joined(
    whole: tuple[str, ...], kinds: Mapping[int, str]
) -> Iterator[tuple[str, str]]:
    """Yield words in one with their prefixes: "OBrien", "DeLaCruz"."""
    before = ""
    for place, key in enumerate(map(name_key, whole)):
        if before:
            yield before + key, kinds.get(place, f"MIDDLE{place}")
        before = before + key if key in PREFIXES else ""


def _names_alone(whole: tuple[str, ...], place: int) -> bool:
    """Tell whether a word of a name stands for the person without the others.

    "Van" of "Van Morrison" and "Le" of "Thi Le" do, "van" of "Ludwig van Beethoven"
    and of "van Gogh" does not.
    """
    word, key = whole[place], name_key(whole[place])
    if len(word) == 1 or key in FIRMS:
        return False
    if key not in PARTICLES:
        return True
    is_small = word.islower() and not "".join(whole).islower()
    if is_small or 0 < place < len(whole) - 1:
        return False
    return place > 0 or key not in ARTICLES


def _spellings(word: str) -> frozenset[str]:
    """Return the keys by which a word is found: "Müller", "Muller" and "Mueller"."""
    key = name_key(word)
    return frozenset({key, spelled_out(word), SPELLED_OUT.sub("", key)})


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
