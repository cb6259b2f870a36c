"""What each digest type asks for, fills and checks: the table of types."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, RootModel

from flaskllm.core import entities, numerals
from flaskllm.services.digests import answers
from flaskllm.services.digests.case import Case, check_language
from flaskllm.services.digests.custom import (
    change_texts,
    find_faults,
    leaves_of,
)
from flaskllm.services.digests.question import Objection
from flaskllm.services.digests.saying import Counts, repeats_order, say
from flaskllm.services.digests.types import DigestType
from flaskllm.services.digests.verify import check, check_evidence
from flaskllm.services.digests.wording import clean

# A translation may be this much shorter than its source, in characters per
# script weight (a Chinese character says about as much as two Latin letters).
_SHORTEST_TRANSLATION = 0.4


class CustomAnswer(RootModel[dict[str, Any]]):
    """Any object; the caller's schema says more."""


Objector = Callable[[Any, Case], tuple[Objection, ...]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One digest type.

    `answer` is what a model is asked for; `fills` names the digest fields that
    the type must fill; `conclude` checks an answer and returns digest fields;
    `objects` finds what is worth one repair.
    """

    answer: type[BaseModel]
    fills: tuple[str, ...]
    conclude: Callable[[Any, Case, Counts], dict[str, Any]]
    objects: Objector


def _take_fields(*names: str) -> Callable[[Any, Case, Counts], dict[str, Any]]:
    def conclude(answer: Any, case: Case, counts: Counts) -> dict[str, Any]:
        checked = check(answer, names, case.ground)
        counts.update(checked.counts)
        return dict(checked.fields)

    return conclude


def _conclude_sentiment(answer: Any, case: Case, counts: Counts) -> dict[str, Any]:
    evidence = check_evidence(answer, case.ground, counts)
    return {"sentiment": answer.sentiment, "sentiment_evidence": evidence}


def _conclude_label(answer: Any, case: Case, counts: Counts) -> dict[str, Any]:
    evidence = check_evidence(answer, case.ground, counts)
    return {"label": _match(answer.label, case.labels), "label_evidence": evidence}


def _conclude_translation(answer: Any, case: Case, counts: Counts) -> dict[str, Any]:
    ground = case.ground
    wording = clean(answer.translation, ground.links)
    counts["link_not_in_source"] += wording.removed
    counts["number_not_in_source"] += bool(
        numerals.unsupported(wording.text, ground.numbers)
    )
    lines = wording.text.split("\n")
    kept = [line for line in lines if not repeats_order(line, ground)]
    counts["instruction_in_source_repeated"] += len(lines) - len(kept)
    return {"translation": "\n".join(kept)}


def _conclude_custom(answer: Any, case: Case, counts: Counts) -> dict[str, Any]:
    links = case.ground.links
    for text in leaves_of(answer.root):
        say(text, case.ground, counts)
    return {"custom": change_texts(answer.root, lambda text: clean(text, links).text)}


def _object_to_nothing(answer: Any, case: Case) -> tuple[Objection, ...]:
    return ()


def _object_to_tasks(answer: Any, case: Case) -> tuple[Objection, ...]:
    return check_language(". ".join(item.task for item in answer.action_items), case)


def _object_to_label(answer: Any, case: Case) -> tuple[Objection, ...]:
    if _match(answer.label, case.labels):
        return ()
    return (Objection(f"label: must be one of {', '.join(case.labels)}"),)


def _object_to_translation(answer: Any, case: Case) -> tuple[Objection, ...]:
    source, text = "\n\n".join(case.ground.texts.values()), answer.translation
    lost_links = entities.links_and_addresses(source) - entities.links_and_addresses(
        text
    )
    lost_numbers = numerals.unsupported(source, text)
    found = (
        (lost_numbers, "keep every number", "translation_number_missing"),
        (lost_links, "keep every link and address", "translation_link_missing"),
        (_is_cut_short(source, text), "translate all of it", "translation_too_short"),
    )
    objections = tuple(
        Objection(problem, code) for is_so, problem, code in found if is_so
    )
    return objections + check_language(text, case)


def _object_to_custom(answer: Any, case: Case) -> tuple[Objection, ...]:
    assert case.schema is not None  # read_case made sure
    faults = tuple(map(Objection, find_faults(answer.root, case.schema)))
    counts: Counts = Counter()
    said = [say(text, case.ground, counts) for text in leaves_of(answer.root)]
    if counts["link_not_in_source"] or counts["instruction_in_source_repeated"]:
        return (*faults, Objection("a value holds a link or code that is not wanted"))
    return faults or check_language(" ".join(said), case)


def _match(label: str, labels: tuple[str, ...]) -> str | None:
    folded = label.strip().casefold()
    return next((known for known in labels if known.casefold() == folded), None)


def _is_cut_short(source: str, text: str) -> bool:
    return _weight(text) < _SHORTEST_TRANSLATION * _weight(source)


def _weight(text: str) -> int:
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)


_LISTS = ("action_items", "decisions", "open_questions", "risks", "dates", "amounts")

KINDS: Mapping[DigestType, Kind] = {
    "summary": Kind(
        answers.FactsAnswer,
        ("summary",),
        _take_fields("points", *_LISTS, "keywords", "priority"),
        _object_to_nothing,
    ),
    "action_items": Kind(
        answers.ActionItemsAnswer,
        ("action_items",),
        _take_fields("action_items"),
        _object_to_tasks,
    ),
    "reply": Kind(
        answers.FactsAnswer,
        ("reply_draft",),
        _take_fields("points", *_LISTS),
        _object_to_nothing,
    ),
    "keywords": Kind(
        answers.KeywordsAnswer,
        ("keywords",),
        _take_fields("keywords"),
        _object_to_nothing,
    ),
    "entities": Kind(
        answers.EntitiesAnswer,
        ("entities",),
        _take_fields("entities"),
        _object_to_nothing,
    ),
    "sentiment": Kind(
        answers.SentimentAnswer,
        ("sentiment", "sentiment_evidence"),
        _conclude_sentiment,
        _object_to_nothing,
    ),
    "classification": Kind(
        answers.ClassificationAnswer,
        ("label", "label_evidence"),
        _conclude_label,
        _object_to_label,
    ),
    "translation": Kind(
        answers.TranslationAnswer,
        ("translation",),
        _conclude_translation,
        _object_to_translation,
    ),
    "custom": Kind(CustomAnswer, ("custom",), _conclude_custom, _object_to_custom),
}
