"""The digest as text: what `data.text` holds in each form."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from flaskllm.services.digests.types import (
    ActionItem,
    Digest,
    DigestType,
    ResponseFormat,
)

Lines = Iterator[str]


def render(digest: Digest, wanted: DigestType, form: ResponseFormat) -> str:
    """Return the text of a digest.

    `text` is plain, `markdown` marks headings and lists, and `json` is the
    digest's own object; for `custom` it is the caller's object in every form.
    """
    if wanted == "custom":
        return _dump(digest.custom)
    if form == "json":
        return _dump(digest.to_json())
    lines = _TEXTS[wanted](digest, _MARKS[form])
    return "\n".join(lines).strip()


class _Marks:
    """How headings and list items look in one form."""

    def __init__(self, heading: str, item: str) -> None:
        self.heading, self.item = heading, item

    def section(self, title: str, lines: Iterable[str]) -> Lines:
        """Yield a heading and its items, or nothing when there are none."""
        items = list(lines)
        if items:
            yield ""
            yield self.heading.format(title)
            yield from (self.item.format(line) for line in items)


_MARKS: Mapping[ResponseFormat, _Marks] = {
    "text": _Marks("{}:", "- {}"),
    "markdown": _Marks("## {}", "- {}"),
}


def _summary(digest: Digest, marks: _Marks) -> Lines:
    if digest.summary:
        yield digest.summary.short
        yield ""
        yield from (marks.item.format(line) for line in digest.summary.bullets)
    yield from _action_items(digest, marks)
    yield from marks.section("Decisions", (item.text for item in digest.decisions))
    questions = (item.text for item in digest.open_questions)
    yield from marks.section("Open questions", questions)
    yield from marks.section("Risks", (item.text for item in digest.risks))


def _action_items(digest: Digest, marks: _Marks) -> Lines:
    yield from marks.section("Action items", map(_action_item, digest.action_items))


def _action_item(item: ActionItem) -> str:
    due = item.due or item.due_text
    parts = (item.owner, f"due {due}" if due else None, _status(item))
    told = ", ".join(part for part in parts if part)
    return f"{item.task} ({told})" if told else item.task


def _status(item: ActionItem) -> str | None:
    return None if item.status == "open" else item.status


def _entities(digest: Digest, marks: _Marks) -> Lines:
    for entity in digest.entities:
        yield marks.item.format(f"{' '.join(entity.text.split())} ({entity.kind})")


def _keywords(digest: Digest, marks: _Marks) -> Lines:
    yield ", ".join(" ".join(keyword.split()) for keyword in digest.keywords)


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
    "sentiment": _scalar("sentiment"),
    "classification": _scalar("label"),
    "translation": _scalar("translation"),
}


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
