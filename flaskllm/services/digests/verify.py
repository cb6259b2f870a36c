"""Check what a model says against the source: one pure function per field.

Each check takes a field of the answer and returns what may stand in the digest,
with notices that count what may not. A fact whose quote is not in the source is
dropped: it is the one channel through which free wording could come from
nowhere; so is one whose quote is struck out. An owner or a due date that does not
follow is taken off, and the fact is no longer `verified`; neither is an open task that
only quoted history tells.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from flaskllm.core import dates, entities
from flaskllm.services.digests import due
from flaskllm.services.digests.answers import (
    ActionItemAnswer,
    DateAnswer,
    EntityAnswer,
    Proven,
    Quoted,
    StatementAnswer,
)
from flaskllm.services.digests.evidence import (
    is_taken_back,
    leaves_out_negation,
    prove,
    proving_part,
)
from flaskllm.services.digests.ground import Ground
from flaskllm.services.digests.history import is_only_history
from flaskllm.services.digests.owners import find_owner, names_several
from flaskllm.services.digests.proofs import (
    count_miss,
    find_words,
    list_proven,
    names_struck_words,
)
from flaskllm.services.digests.saying import Counts, say
from flaskllm.services.digests.strokes import told
from flaskllm.services.digests.types import (
    ActionItem,
    DateFact,
    EntityFact,
    EntityKind,
    Evidence,
    Statement,
)


@dataclass(frozen=True, slots=True)
class Checked:
    """What holds, by digest field, and how often each rule took something out."""

    fields: Mapping[str, Any]
    counts: Counts


def check(answer: Any, wanted: Iterable[str], ground: Ground) -> Checked:
    """Check every wanted field of an answer."""
    counts: Counts = Counter()
    fields = {
        name: _CHECKS[name](getattr(answer, name), ground, counts) for name in wanted
    }
    return Checked(fields, counts)


def check_action_items(
    items: Iterable[ActionItemAnswer], ground: Ground, counts: Counts
) -> tuple[ActionItem, ...]:
    """Keep items with a true quote; take off owners and dates that do not hold."""
    proven = list_proven(items, ground, counts)
    worded = (
        (item, evidence, text)
        for item, evidence in proven
        if (text := say(item.task, ground, counts))
    )
    return tuple(
        _action_item(item, evidence, task, ground, counts)
        for item, evidence, task in worded
    )


def check_statements(
    items: Iterable[StatementAnswer], ground: Ground, counts: Counts
) -> tuple[Statement, ...]:
    """Keep the statements whose quote stands in the source."""
    return tuple(
        Statement(text, evidence)
        for item, evidence in list_proven(items, ground, counts)
        if (text := say(item.text, ground, counts))
    )


def check_dates(
    items: Iterable[DateAnswer], ground: Ground, counts: Counts
) -> tuple[DateFact, ...]:
    """Keep the dates whose words are in the source and mean that day."""
    return tuple(
        _date_fact(item, evidence, ground, counts)
        for item, evidence in list_proven(items, ground, counts)
    )


def check_keywords(
    words: Iterable[str], ground: Ground, counts: Counts
) -> tuple[str, ...]:
    """Keep the keywords that occur in the source, once each."""
    kept: dict[str, str] = {}
    for word in words:
        evidence = prove(Quoted(quote=word), ground)
        if evidence.verified:
            found = told(evidence.quote)
            kept.setdefault(found.casefold(), found)
        else:
            count_miss(Quoted(quote=word), "keyword_not_in_source", ground, counts)
    return tuple(kept.values())


def check_entities(
    items: Iterable[EntityAnswer], ground: Ground, counts: Counts
) -> tuple[EntityFact, ...]:
    """Keep the entities whose text occurs in the source, with its place."""
    facts: dict[tuple[str, str], EntityFact] = {}
    for item in items:
        named = Quoted(quote=item.text, part=item.evidence.place)
        evidence = prove(named, ground)
        if evidence.verified:
            text = told(evidence.quote)
            kind = _kind(item.kind, text, ground)
            counts["entity_kind_not_held"] += kind != item.kind
            fact = EntityFact(text, kind, evidence)
            facts.setdefault((fact.text.casefold(), fact.kind), fact)
        else:
            count_miss(named, "entity_not_in_source", ground, counts)
    return tuple(facts.values())


def _kind(claimed: EntityKind, text: str, ground: Ground) -> EntityKind:
    """Return the kind, `other` when a rule can tell that the text is none such."""
    if claimed == "date":
        return "date" if dates.find(text, ground.source_language) else "other"
    if claimed not in ("email", "url", "amount", "phone"):
        return claimed
    return claimed if claimed in {e.kind for e in entities.find(text)} else "other"


def check_evidence(answer: Proven, ground: Ground, counts: Counts) -> Evidence:
    """Find the evidence of a closed label; one that is not there is marked."""
    evidence = prove(answer.evidence, ground)
    if evidence.verified and not leaves_out_negation(evidence, ground):
        return evidence
    count_miss(answer.evidence, "quote_not_in_source", ground, counts)
    return Evidence("", verified=False)


def _action_item(
    item: ActionItemAnswer,
    evidence: Evidence,
    task: str,
    ground: Ground,
    counts: Counts,
) -> ActionItem:
    is_history = item.status == "open" and is_only_history(evidence, ground)
    counts["task_of_history"] += is_history
    claimed = None if names_several(item.owner or "") else item.owner
    owner = _owner(claimed, evidence, ground)
    words = find_words(item.due_text, evidence, ground)
    day, day_holds = due.check_due(item.due, words, evidence, ground)
    owner_holds = bool(owner) or not claimed
    due_holds = day_holds and (bool(words) or not item.due_text)
    counts["owner_not_in_source"] += not owner_holds
    counts["due_not_derivable"] += not due_holds
    return ActionItem(
        task=task,
        owner=owner,
        due=day,
        due_text=words,
        status=item.status,
        evidence=replace(
            evidence, verified=owner_holds and due_holds and not is_history
        ),
    )


def _owner(claim: str | None, evidence: Evidence, ground: Ground) -> str | None:
    part = proving_part(evidence, ground)
    if not claim or part is None:
        return None
    texts = ground.texts if is_taken_back(evidence, ground) else ground.live
    return find_owner(claim, part, texts[part.id], ground.document)


def _date_fact(
    item: DateAnswer, evidence: Evidence, ground: Ground, counts: Counts
) -> DateFact:
    words = find_words(item.text, evidence, ground)
    day, holds = due.check_date(item.date, words, evidence, ground)
    counts["date_not_derivable"] += not holds
    is_struck = names_struck_words(item.text, evidence, ground)
    text = "" if is_struck else say(item.text, ground, counts)
    return DateFact(
        date=day,
        text=text or told(evidence.quote),
        evidence=replace(evidence, verified=holds),
    )


def _take_as_is(value: Any, ground: Ground, counts: Counts) -> Any:
    """Let a closed value through: its type is all that it can say."""
    return value


_CHECKS: Mapping[str, Callable[[Any, Ground, Counts], Any]] = {
    "action_items": check_action_items,
    "points": check_statements,
    "decisions": check_statements,
    "open_questions": check_statements,
    "risks": check_statements,
    "amounts": check_statements,
    "dates": check_dates,
    "keywords": check_keywords,
    "entities": check_entities,
    "priority": _take_as_is,
}
