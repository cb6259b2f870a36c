"""The digest as text: what `data.text` holds in each form.

Markdown also shows the quote that proves each fact, as the source has it and whatever
language the digest is in. A viewer may fetch what Markdown points to, so that words
of the source are escaped there.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from flaskllm.services.digests.types import (
    ActionItem,
    DateFact,
    Digest,
    DigestType,
    Evidence,
    ResponseFormat,
    Statement,
)

Lines = Iterator[str]

NOT_VERIFIED = "[not verified]"
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#!|~&])")


def render(digest: Digest, wanted: DigestType, form: ResponseFormat) -> str:
    """Return the text of a digest.

    `text` is plain, `markdown` marks headings and lists and shows the quotes, and
    `json` is the digest's own object; for `custom` it is the caller's object in
    every form. What is not verified says so.
    """
    if wanted == "custom":
        return _dump(digest.custom)
    if form == "json":
        return _dump(digest.to_json())
    lines = _TEXTS[wanted](digest, _MARKS[form])
    return "\n".join(lines).strip()


class _Marks:
    """How headings, list items and the source's own words look in one form."""

    heading, item = "{}:", "- {}"

    def section(self, title: str, lines: Iterable[str]) -> Lines:
        """Yield a heading and its items, or nothing when there are none."""
        items = list(lines)
        if items:
            yield ""
            yield self.heading.format(title)
            yield from (self.item.format(line) for line in items)

    def words(self, text: str) -> str:
        """Return words of the source on one line."""
        return " ".join(text.split())

    def proof(self, evidence: Evidence | None) -> str:
        """Return the quote under a fact; plain text goes without."""
        return ""


class _Markdown(_Marks):
    """Headings with `##`, and the quotes that prove the facts."""

    heading = "## {}"

    def words(self, text: str) -> str:
        """Return words of the source on one line, so that they mark nothing up."""
        return _MARKUP.sub(r"\\\1", super().words(text))

    def proof(self, evidence: Evidence | None) -> str:
        """Return a line with the quote, who said it and when."""
        if evidence is None or not evidence.quote.strip():
            return ""
        by = self.words(evidence.speaker) if evidence.speaker else None
        place = ", ".join(filter(None, (by, _clock(evidence.start_ms))))
        quote = f"“{self.words(evidence.quote)}”"
        return f"\n  > {quote} ({place})" if place else f"\n  > {quote}"


_MARKS: Mapping[ResponseFormat, _Marks] = {"text": _Marks(), "markdown": _Markdown()}


def _summary(digest: Digest, marks: _Marks) -> Lines:
    if digest.summary:
        yield digest.summary.short
        yield ""
        yield from (marks.item.format(line) for line in digest.summary.bullets)
    yield from _action_items(digest, marks)
    for title, facts in (
        ("Decisions", digest.decisions),
        ("Open questions", digest.open_questions),
        ("Risks", digest.risks),
        ("Amounts", digest.amounts),
    ):
        yield from marks.section(title, (_statement(fact, marks) for fact in facts))
    yield from marks.section("Dates", (_date(fact, marks) for fact in digest.dates))


def _action_items(digest: Digest, marks: _Marks) -> Lines:
    items = (_action_item(item, marks) for item in digest.action_items)
    yield from marks.section("Action items", items)


def _action_item(item: ActionItem, marks: _Marks) -> str:
    due = item.due or (marks.words(item.due_text) if item.due_text else None)
    owner = marks.words(item.owner) if item.owner else None
    parts = (owner, f"due {due}" if due else None, _status(item))
    told = ", ".join(part for part in parts if part)
    text = f"{item.task} ({told})" if told else item.task
    return _with_proof(text, item.evidence, marks)


def _statement(fact: Statement, marks: _Marks) -> str:
    return _with_proof(fact.text, fact.evidence, marks)


def _date(fact: DateFact, marks: _Marks) -> str:
    text = f"{fact.date}: {fact.text}" if fact.date else fact.text
    return _with_proof(text, fact.evidence, marks)


def _with_proof(text: str, evidence: Evidence, marks: _Marks) -> str:
    mark = "" if evidence.verified else f" {NOT_VERIFIED}"
    return f"{text}{mark}{marks.proof(evidence)}"


def _status(item: ActionItem) -> str | None:
    return None if item.status == "open" else item.status


def _clock(start_ms: int | None) -> str | None:
    if start_ms is None:
        return None
    minutes, seconds = divmod(start_ms // 1000, 60)
    return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"


def _entities(digest: Digest, marks: _Marks) -> Lines:
    for entity in digest.entities:
        yield marks.item.format(f"{marks.words(entity.text)} ({entity.kind})")


def _keywords(digest: Digest, marks: _Marks) -> Lines:
    yield ", ".join(map(marks.words, digest.keywords))


def _sentiment(digest: Digest, marks: _Marks) -> Lines:
    yield f"{digest.sentiment or ''}{marks.proof(digest.sentiment_evidence)}"


def _label(digest: Digest, marks: _Marks) -> Lines:
    yield f"{digest.label or ''}{marks.proof(digest.label_evidence)}"


def _scalar(name: str) -> Callable[[Digest, _Marks], Lines]:
    def lines(digest: Digest, marks: _Marks) -> Lines:
        yield getattr(digest, name) or ""

    return lines


_TEXTS: Mapping[DigestType, Callable[[Digest, _Marks], Lines]] = {
    "summary": _summary,
    "action_items": _action_items,
    "keywords": _keywords,
    "entities": _entities,
    "reply": _scalar("reply_draft"),
    "sentiment": _sentiment,
    "classification": _label,
    "translation": _scalar("translation"),
}


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
