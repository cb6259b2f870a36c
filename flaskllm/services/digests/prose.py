"""Text written from verified facts only: the summary and the reply draft."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel

from flaskllm.core import entities, numerals
from flaskllm.core.errors import LLMProtocolError
from flaskllm.core.sentences import split
from flaskllm.services.digests.answers import (
    Quoted,
    ReplyAnswer,
    SummaryAnswer,
    SummaryText,
)
from flaskllm.services.digests.case import Case, check_language
from flaskllm.services.digests.evidence import prove
from flaskllm.services.digests.ground import Ground
from flaskllm.services.digests.history import holds_now
from flaskllm.services.digests.question import Objection
from flaskllm.services.digests.saying import Counts, say
from flaskllm.services.digests.strokes import told
from flaskllm.services.digests.types import DigestType, Summary
from flaskllm.services.digests.wording import clean


@dataclass(frozen=True, slots=True)
class Writer:
    """How one type's prose is asked for.

    `extractable` prose can be had without a model, in sentences of the source.
    """

    template: str
    answer: type[BaseModel]
    objects: Callable[[Any, Case], tuple[Objection, ...]]
    extractable: bool


@dataclass(frozen=True, slots=True)
class _Given:
    """What a reply may hold, read once for all its sentences.

    What the caller tells us to write is as good as the source; `told` is that,
    squeezed.
    """

    ground: Ground
    links: frozenset[str]
    numbers: frozenset[str]
    told: str

    @classmethod
    def of(cls, case: Case) -> "_Given":
        told = str(case.order.variables.get("instructions", ""))
        return cls(
            ground=case.ground,
            links=case.ground.links | entities.links_and_addresses(told),
            numbers=case.ground.numbers | numerals.numbers(told),
            told=entities.squeeze(told),
        )


# They are told in their own field, not in prose.
_UNTOLD = frozenset({"keywords", "priority"})
_MOST_PEOPLE = 50


def telling_facts(fields: Mapping[str, Any], ground: Ground) -> dict[str, Any]:
    """Return the fields without what no prose may tell: old tasks that may be over."""
    return {
        name: tuple(each for each in values if holds_now(each, ground))
        if name == "action_items"
        else values
        for name, values in fields.items()
    }


def has_facts(facts: Mapping[str, Any]) -> bool:
    """Tell whether there is anything to write about."""
    return any(values for name, values in facts.items() if name not in _UNTOLD)


def count_facts(facts: Mapping[str, Any]) -> int:
    """Return how many facts there are to write about."""
    return sum(len(values) for name, values in facts.items() if name not in _UNTOLD)


def render_facts(
    facts: Mapping[str, Any], ground: Ground, *, quoted: bool = True
) -> str:
    """Return the verified facts as lines of JSON, with the people and the subject.

    This is all that a model sees of the source when it writes prose; without their
    quotes facts take about half the room.
    """
    people = ground.document.participants[:_MOST_PEOPLE]
    head = {
        "subject": ground.texts.get("subject", "").strip() or None,
        "people": [person.name or person.email for person in people],
    }
    facts_by_line = (
        render_fact(name, value, quoted=quoted)
        for name, values in facts.items()
        if name not in _UNTOLD
        for value in values
    )
    return "\n".join((json.dumps(head, ensure_ascii=False), *facts_by_line))


def render_fact(name: str, value: Any, *, quoted: bool = True) -> str:
    """Return one fact of a kind as a line of JSON."""
    state = {"fact": name, **_state(value)}
    if not quoted:
        del state["quote"]
    return json.dumps(state, ensure_ascii=False)


def object_to_summary(answer: SummaryAnswer, case: Case) -> tuple[Objection, ...]:
    """Object to a summary in another language."""
    text = answer.summary
    return check_language(" ".join((text.short, *text.bullets)), case)


def conclude_summary(
    text: SummaryText, ground: Ground, counts: Counts
) -> Summary | None:
    """Return what may be shown of a model's summary, None when nothing is left."""
    short = say(text.short, ground, counts)
    bullets = (say(bullet, ground, counts) for bullet in text.bullets)
    return Summary(short, tuple(filter(None, bullets))) if short else None


def conclude_extract(text: SummaryText, ground: Ground, counts: Counts) -> Summary:
    """Return those sentences of an extract that stand in the source, made harmless.

    A source without any sentence is summed up by its subject.
    """
    lines = (_verbatim(line, ground) for line in (text.short, *text.bullets))
    short, *bullets = (say(line, ground, counts) for line in lines)
    subject = ground.texts.get("subject", "")
    return Summary(short or say(subject, ground, counts), tuple(filter(None, bullets)))


def object_to_reply(answer: ReplyAnswer, case: Case) -> tuple[Objection, ...]:
    """Object to numbers, links and addresses that come from elsewhere."""
    foreign = (
        Objection(f"reply_draft: {code.replace('_', ' ')}: leave it out", code)
        for code in _find_foreign(answer.reply_draft, _Given.of(case))
    )
    return (*foreign, *check_language(answer.reply_draft, case))


def conclude_reply(text: str, case: Case, counts: Counts) -> str:
    """Return the draft without the sentences that say something from elsewhere.

    Raises:
        LLMProtocolError: No sentence is left. The same request may succeed.
    """
    given = _Given.of(case)
    lines = [_keep_sentences(line, given, counts) for line in text.splitlines()]
    draft = clean("\n".join(lines), given.links).text
    if not draft:
        raise LLMProtocolError(
            details="No sentence of the reply holds against the source.",
            retry_after_seconds=1,
        )
    return draft


def _state(value: Any) -> dict[str, Any]:
    fields = asdict(value)
    evidence = fields.pop("evidence")
    return {**fields, "quote": evidence.get("quote"), "by": evidence.get("speaker")}


def _verbatim(text: str, ground: Ground) -> str:
    spans = split(text, ground.source_language or ground.language)
    quotes = (Quoted(quote=text[span.start : span.end]) for span in spans)
    proven = (prove(quote, ground) for quote in quotes)
    return " ".join(told(each.quote) for each in proven if each.verified)


def _keep_sentences(line: str, given: _Given, counts: Counts) -> str:
    kept = []
    for span in split(line, given.ground.language):
        sentence = line[span.start : span.end]
        foreign = _find_foreign(sentence, given)
        counts.update(foreign)
        if not foreign:
            kept.append(sentence)
    return " ".join(kept)


def _find_foreign(text: str, given: _Given) -> list[str]:
    """Return the codes of what a sentence holds that nobody gave it."""
    found = {
        "link_not_in_source": entities.links_and_addresses(text) - given.links,
        "number_not_in_source": numerals.unsupported(text, given.numbers),
        "code_not_in_source": _unknown_codes(text, given),
        "instruction_in_source_repeated": entities.code_words(text.upper())
        & given.ground.forbidden_codes,
    }
    return [code for code, words in found.items() if words]


def _unknown_codes(text: str, given: _Given) -> list[str]:
    codes = given.ground.unknown_codes(text)
    return [code for code in codes if entities.squeeze(code) not in given.told]


WRITERS: Mapping[DigestType, Writer] = {
    "summary": Writer("summary_prose", SummaryAnswer, object_to_summary, True),
    "reply": Writer("reply_prose", ReplyAnswer, object_to_reply, False),
}
