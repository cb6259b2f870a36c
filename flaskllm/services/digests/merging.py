"""Facts of several pieces as the facts of one document. Pure.

They were checked against the whole document before, so that each has its place. Only
what came of different pieces is ever taken for one: what one answer tells apart is
apart.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from flaskllm.core.errors import InvalidInputError
from flaskllm.core.folding import fold
from flaskllm.services.digests.case import Case
from flaskllm.services.digests.custom import find_faults
from flaskllm.services.digests.finality import settle_items, settle_statements
from flaskllm.services.digests.sameness import distinct, part_of

MOST_KEYWORDS: Final = 10
MOST_ENTITIES: Final = 500
_PRIORITIES = ("low", "normal", "high", "urgent")
# What both make up at least to be `mixed`.
_MIXED_SHARE = 0.25

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What came of one piece.

    Attributes:
        fields: Those of the digest, checked.
        weight: How many characters the piece has.
        continues: Whether the piece begins within a part.
    """

    fields: Fields
    weight: int
    continues: bool = False


def merge(told: Sequence[Told], case: Case) -> dict[str, Any]:
    """Return the fields of all pieces together; the pieces stand in their order.

    Raises:
        InvalidInputError: The caller's schema does not take what was put together.
    """
    if len(told) == 1:
        return dict(told[0].fields)
    merged: dict[str, Any] = {}
    for name in told[0].fields:
        merged.update(_RULES.get(name, _merge_facts)(name, told, case))
    return merged


def can_merge(schema: Mapping[str, Any]) -> bool:
    """Tell whether objects of a caller's schema can be put together: lists of facts.

    All properties are arrays, and there are no others.
    """
    properties = schema.get("properties")
    if not isinstance(properties, dict) or not properties:
        return False
    return all(
        isinstance(each, dict) and each.get("type") == "array"
        for each in properties.values()
    )


def _merge_facts(name: str, told: Sequence[Told], case: Case) -> dict[str, Any]:
    """Put facts with evidence together, in the order of the document."""
    positions = {part.id: n for n, part in enumerate(case.ground.document.parts)}

    def place(fact: Any) -> tuple[int, int]:
        evidence = fact.evidence
        return positions.get(part_of(evidence), len(positions)), evidence.offset or 0

    facts = sorted(distinct(each.fields[name] for each in told), key=place)
    settle = _SETTLE.get(name, tuple)
    return {name: settle(facts)}


def _merge_keywords(name: str, told: Sequence[Told], case: Case) -> dict[str, Any]:
    """Keep the keywords that most pieces name, the earlier ones first."""
    spelled: dict[str, str] = {}
    counted: Counter[str] = Counter()
    for each in told:
        for word in each.fields[name]:
            folded = fold(word).text.strip()
            spelled.setdefault(folded, word)
            counted[folded] += 1
    most = counted.most_common(MOST_KEYWORDS)
    return {name: tuple(spelled[folded] for folded, _ in most)}


def _merge_entities(name: str, told: Sequence[Told], case: Case) -> dict[str, Any]:
    facts: dict[tuple[str, str], Any] = {}
    for each in told:
        for fact in each.fields[name]:
            facts.setdefault((fold(fact.text).text, fact.kind), fact)
    return {name: tuple(facts.values())[:MOST_ENTITIES]}


def _merge_priority(name: str, told: Sequence[Told], case: Case) -> dict[str, Any]:
    """Keep the highest: one urgent matter makes a document urgent."""
    known = [each.fields[name] for each in told if each.fields[name]]
    return {name: max(known, key=_PRIORITIES.index, default=None)}


def _merge_label(name: str, told: Sequence[Told], case: Case) -> dict[str, Any]:
    """Keep what holds of the most characters, with the evidence of the longest piece.

    A source of which a quarter at least is positive and another negative is `mixed`.
    """
    evidence_name = f"{name}_evidence"
    weights: Counter[str] = Counter()
    for each in told:
        weights[each.fields[name]] += each.weight
    label = max(weights, key=weights.__getitem__)
    least = _MIXED_SHARE * sum(weights.values())
    sided = {"positive", "negative"}
    if name == "sentiment" and all(weights[side] >= least for side in sided):
        label = "mixed"
    telling = {label, *(sided if label == "mixed" else ())}
    witnesses = [each for each in told if each.fields[name] in telling]
    best = max(witnesses, key=lambda t: (t.fields[evidence_name].verified, t.weight))
    return {name: label, evidence_name: best.fields[evidence_name]}


def _merge_translation(name: str, told: Sequence[Told], case: Case) -> dict[str, Any]:
    """Join what was translated, in order."""
    text = told[0].fields[name]
    for each in told[1:]:
        text += (" " if each.continues else "\n\n") + each.fields[name]
    return {name: text}


def _merge_custom(name: str, told: Sequence[Told], case: Case) -> dict[str, Any]:
    """Put the lists of the caller's objects together, equal items once.

    Raises:
        InvalidInputError: The schema does not take the whole lists.
    """
    merged: dict[str, list[Any]] = {}
    for each in told:
        for key, values in each.fields[name].items():
            merged.setdefault(key, []).extend(
                values if isinstance(values, list) else ()
            )
    whole = {key: _unequal(values) for key, values in merged.items()}
    faults = find_faults(whole, case.schema or {})
    if faults:
        problem = f"does not take what {len(told)} pieces brought: {'; '.join(faults)}"
        raise InvalidInputError.of(
            "variables.schema", problem, "arrays without a limit of their items"
        )
    return {name: whole}


def _unequal(values: Iterable[Any]) -> list[Any]:
    return list({json.dumps(each, sort_keys=True): each for each in values}.values())


def _skip(name: str, told: Sequence[Told], case: Case) -> dict[str, Any]:
    """Leave a field to the rule of the one that it belongs to."""
    return {}


_RULES: Mapping[str, Callable[[str, Sequence[Told], Case], dict[str, Any]]] = {
    "keywords": _merge_keywords,
    "entities": _merge_entities,
    "priority": _merge_priority,
    "sentiment": _merge_label,
    "sentiment_evidence": _skip,
    "label": _merge_label,
    "label_evidence": _skip,
    "translation": _merge_translation,
    "custom": _merge_custom,
}
_SETTLE: Mapping[str, Callable[[Iterable[Any]], tuple[Any, ...]]] = {
    "action_items": settle_items,
    "decisions": settle_statements,
    "amounts": settle_statements,
}
