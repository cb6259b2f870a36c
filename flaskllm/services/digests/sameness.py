"""Which facts of different pieces are one: by their evidence. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from flaskllm.core.folding import fold
from flaskllm.services.digests.types import ActionItem, Evidence

# Two quotes in one part are one when so much of the shorter one is in both.
_SHARED = 0.5
# The same words in two parts are one fact when they are no mere "I will do it".
_FEWEST_WORDS = 4


def distinct(groups: Iterable[Sequence[Any]]) -> list[Any]:
    """Return the facts of all groups, those of a later one only where they are new."""
    kept: list[Any] = []
    by_key: dict[tuple[str, ...], list[int]] = {}
    for group in groups:
        found = [(fact, _same_as(fact, kept, by_key)) for fact in group]
        for fact, same in found:
            if same is not None:
                kept[same] = _better(kept[same], fact)
                continue
            for key in _keys(fact.evidence):
                by_key.setdefault(key, []).append(len(kept))
            kept.append(fact)
    return kept


def _same_as(
    fact: Any, kept: Sequence[Any], by_key: Mapping[tuple[str, ...], list[int]]
) -> int | None:
    """Return which of those kept a fact is; an earlier piece told of it."""
    for key in _keys(fact.evidence):
        for number in by_key.get(key, ()):
            is_elsewhere = len(key) > 1
            if is_elsewhere or _overlap(fact.evidence, kept[number].evidence):
                return number
    return None


def _keys(evidence: Evidence) -> list[tuple[str, ...]]:
    """Return under which keys a fact is found: its part, and a quote that tells it."""
    quote = fold(evidence.quote).text
    keys: list[tuple[str, ...]] = [(part_of(evidence),)]
    if len(quote.split()) >= _FEWEST_WORDS:
        keys.append(("quote", quote))
    return keys


def _overlap(one: Evidence, other: Evidence) -> bool:
    if None in (one.offset, one.length, other.offset, other.length):
        return False
    (start, length), (begin, size) = _span(one), _span(other)
    shared = min(start + length, begin + size) - max(start, begin)
    return shared > 0 and shared >= _SHARED * min(length, size)


def _span(evidence: Evidence) -> tuple[int, int]:
    return evidence.offset or 0, evidence.length or 0


def part_of(evidence: Evidence) -> str:
    """Return the id of the part or turn in which evidence stands; '' is nowhere."""
    return evidence.turn or evidence.part or ""


def _better(one: Any, other: Any) -> Any:
    """Return the one of two that holds in all, else the first with what it lacks."""
    if not isinstance(one, ActionItem) or not isinstance(other, ActionItem):
        return one if one.evidence.verified or not other.evidence.verified else other
    best, rest = (one, other) if one.evidence.verified else (other, one)
    if best.status == "open" != rest.status:
        best, rest = rest, best
    due, due_text = (
        (best.due, best.due_text)
        if best.due or best.due_text
        else (rest.due, rest.due_text)
    )
    return replace(best, owner=best.owner or rest.owner, due=due, due_text=due_text)
