"""A digest on paper: every fact with its quote and where it stands."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

Fact = Mapping[str, Any]

_STATEMENTS = (
    ("Decisions", "decisions"),
    ("Open questions", "open_questions"),
    ("Risks", "risks"),
)


def show(kind: str, text: str, digest: Fact) -> Iterator[str]:
    """Yield the lines that tell a digest: its facts with their proofs, its warnings."""
    if kind == "action_items" and not digest["action_items"]:
        yield "No action items."
    elif kind in ("summary", "action_items"):
        yield from _facts(digest)
    else:
        yield text
    if digest["warnings"]:
        yield from ("", click.style("Warnings", bold=True))
        yield from (f"  {warning}" for warning in digest["warnings"])


def _facts(digest: Fact) -> Iterator[str]:
    summary = digest["summary"]
    if summary:
        yield from (summary["short"], "")
        yield from (f"  - {bullet}" for bullet in summary["bullets"])
    yield from _section("Action items", digest["action_items"], _task)
    for title, name in _STATEMENTS:
        yield from _section(title, digest[name], lambda fact: str(fact["text"]))


def _section(title: str, facts: Sequence[Fact], tell: Any) -> Iterator[str]:
    if not facts:
        return
    yield from ("", click.style(title, bold=True))
    for fact in facts:
        yield f"  - {tell(fact)}"
        yield f"      {_proof(fact['evidence'])}"


def _task(fact: Fact) -> str:
    owner = fact["owner"] or "nobody named"
    due = fact["due"] or fact["due_text"] or "no date"
    status = "" if fact["status"] == "open" else f", {fact['status']}"
    return f"{fact['task']}  [{owner}, due: {due}{status}]"


def _proof(evidence: Fact) -> str:
    mark = "proven" if evidence["verified"] else "NOT proven"
    quote = " ".join(evidence["quote"].split())
    return f"{mark}: “{quote}” ({_place(evidence)})"


def _place(evidence: Fact) -> str:
    if evidence["offset"] is None:
        return "nowhere in the source"
    where = evidence["turn"] or evidence["part"]
    speaker = f", {evidence['speaker']}" if evidence["speaker"] else ""
    return f"{where}{_time(evidence['start_ms'])}{speaker}, at {evidence['offset']}"


def _time(start_ms: int | None) -> str:
    if start_ms is None:
        return ""
    minutes, seconds = divmod(start_ms // 1000, 60)
    return f" {minutes:02}:{seconds:02}"
