"""What is said later holds: tasks that were done, taken back or changed. Pure.

A model that reads a document in pieces sees a task in one and its end in another. The
rules are careful: two facts are about one subject only when most of their words are
the same, no number tells them apart, and nobody else is to do it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from flaskllm.core.folding import fold
from flaskllm.services.digests.types import ActionItem, Statement

_ALIKE = 0.75
_FEWEST_SHARED = 2
_FEWEST_LETTERS = 3
# "send" and "sending", "Rechnung" and "Rechnungen".
_STEM_LETTERS = 4

_WORD = re.compile(r"[^\W\d_]+")
_NUMBER = re.compile(r"\d[\d.,:/-]*\d|\d")
# Words that say nothing of a subject, in English, German, French and Spanish.
_EMPTY_WORDS = (
    "the and for with from that this will shall has have are was not its our your "
    "der die das den dem des und für mit von dass wird soll hat haben ist sind nicht "
    "ein eine einen les une est pour avec dans qui que sur pas "
    "los las una por para con del está"
)
_EMPTY = frozenset(_EMPTY_WORDS.split())
# What announces that something else held before.
_CORRECTS = re.compile(
    r"\b(?:not|instead|actually|correction|rather|no longer|changed?|moved?"
    r"|nicht|sondern|statt|stattdessen|korrektur|doch|geändert|verschoben"
    r"|pas|plutôt|finalement|en fait|au lieu|reporté|corrigé"
    r"|sino|en vez|en realidad|corrección|cambia(?:do|mos)?|aplaza(?:do|mos)?)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a wording is about."""

    folded: str
    words: frozenset[str]
    numbers: frozenset[str]


@dataclass(slots=True)
class _Kept:
    """What holds so far, and under which words it is found."""

    items: dict[int, tuple[ActionItem | Statement, _Subject]] = field(
        default_factory=dict
    )
    by_word: dict[str, list[int]] = field(default_factory=dict)

    def add(self, number: int, item: ActionItem | Statement, subject: _Subject) -> None:
        self.items[number] = item, subject
        for key in _keys(subject):
            self.by_word.setdefault(key, []).append(number)

    def near(self, subject: _Subject) -> list[int]:
        found = (
            number for key in _keys(subject) for number in self.by_word.get(key, ())
        )
        return sorted({number for number in found if number in self.items})

    def in_order(self) -> list[ActionItem | Statement]:
        return [self.items[number][0] for number in sorted(self.items)]


def settle_items(items: Iterable[ActionItem]) -> tuple[ActionItem, ...]:
    """Return tasks in their final state; they come in document order.

    A later task takes the place of an earlier one where both say the same, or are
    about the same subject and

    - the earlier one is open, and the later one is done or retracted, or
    - both are open, their due days differ, and the quote of the later one says that
      something has changed.

    Of two that say the same and agree, the earlier one stays, with the owner and the
    due day that it did not have.
    """
    kept = _Kept()
    for number, item in enumerate(items):
        later, subject, place = item, _subject_of(item.task), number
        for earlier_number in kept.near(subject):
            earlier, other = kept.items[earlier_number]
            assert isinstance(earlier, ActionItem)
            settled = _settle(earlier, other, later, subject)
            if settled is None:
                continue
            del kept.items[earlier_number]
            if settled.evidence is earlier.evidence:
                place = earlier_number
            later = settled
        kept.add(place, later, _subject_of(later.task))
    return tuple(each for each in kept.in_order() if isinstance(each, ActionItem))


def settle_statements(statements: Iterable[Statement]) -> tuple[Statement, ...]:
    """Return statements without those that a later one corrects.

    A later one corrects an earlier one about the same subject when their numbers
    differ and its quote says that something has changed.
    """
    kept = _Kept()
    for number, later in enumerate(statements):
        subject = _subject_of(later.text)
        if _CORRECTS.search(later.evidence.quote):
            for earlier_number in kept.near(subject):
                _, other = kept.items[earlier_number]
                if other.numbers != subject.numbers and _are_alike(other, subject):
                    del kept.items[earlier_number]
        kept.add(number, later, subject)
    return tuple(each for each in kept.in_order() if isinstance(each, Statement))


def _settle(
    earlier: ActionItem, other: _Subject, later: ActionItem, subject: _Subject
) -> ActionItem | None:
    """Return what holds of two tasks; None when both do."""
    if not _may_be_one(earlier.owner, later.owner):
        return None
    if other.folded == subject.folded:
        return _of_same(earlier, later)
    if other.numbers != subject.numbers or not _are_alike(other, subject):
        return None
    has_ended = earlier.status == "open" != later.status
    return later if has_ended or _is_changed(earlier, later) else None


def _of_same(earlier: ActionItem, later: ActionItem) -> ActionItem:
    is_news = later.status != earlier.status or (
        later.due is not None and earlier.due not in (None, later.due)
    )
    if is_news:
        return later
    if earlier.due is None and later.due is not None:
        return replace(later, owner=later.owner or earlier.owner)
    return replace(earlier, owner=earlier.owner or later.owner)


def _is_changed(earlier: ActionItem, later: ActionItem) -> bool:
    both_open = earlier.status == later.status == "open"
    moved = None not in (earlier.due, later.due) and earlier.due != later.due
    return both_open and moved and bool(_CORRECTS.search(later.evidence.quote))


def _may_be_one(one: str | None, other: str | None) -> bool:
    return one is None or other is None or fold(one).text == fold(other).text


def _subject_of(text: str) -> _Subject:
    folded = fold(text).text
    words = frozenset(
        word
        for word in _WORD.findall(folded)
        if len(word) >= _FEWEST_LETTERS and word not in _EMPTY
    )
    return _Subject(folded.strip(" ."), words, frozenset(_NUMBER.findall(folded)))


def _are_alike(one: _Subject, other: _Subject) -> bool:
    fewer, more = sorted((one.words, other.words), key=len)
    stems = {_stem(word) for word in more}
    shared = sum(1 for word in fewer if word in more or _stem(word) in stems)
    return shared >= _FEWEST_SHARED and shared / len(fewer) >= _ALIKE


def _stem(word: str) -> str:
    return word[:_STEM_LETTERS] if len(word) > _STEM_LETTERS else word


def _keys(subject: _Subject) -> set[str]:
    return {subject.folded, *(_stem(word) for word in subject.words)}
