"""How good a digest of a document is whose facts are known: counted, not judged.

The planted documents come with `expected.json`: for each file its language, its
reference time, the facts that a reader finds (`facts`, by digest field, each with the
words that prove it), false ones (`lies`), and what must stand nowhere (`must_not`).
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from flaskllm.core.errors import LLMAPIError
from flaskllm.services.digests.types import (
    Digest,
    DigestOrder,
    DigestResult,
    DigestType,
)

EVALUATED: frozenset[DigestType] = frozenset({"summary", "action_items", "reply"})
"""The digest types that have facts to be found."""

_EXPECTED = "expected.json"
_MEDIA_TYPES = {".eml": "message/rfc822", ".vtt": "text/vtt"}
_FACTS = ("action_items", "decisions", "open_questions", "risks", "dates", "amounts")
# A quote may be longer or shorter than ours; half of its words must be ours.
_LEAST_OVERLAP = 0.5
_WORD = re.compile(r"\w+")
# What a claim must share with the truth besides its quote.
_COMPARED = ("owner", "due", "date")
_ANY = "any"


@dataclass(frozen=True, slots=True)
class Planted:
    """A document whose facts are known; `expected` is its entry in the file."""

    name: str
    content: bytes
    media_type: str
    expected: Mapping[str, Any]

    def order(
        self, kind: DigestType, template: str | None = None, model: str | None = None
    ) -> DigestOrder:
        """Return the order for its digest, at its own reference time."""
        return DigestOrder(
            content=self.content,
            media_type=self.media_type,
            type=kind,
            template=template,
            model=model,
            reference_time=datetime.fromisoformat(self.expected["reference_time"]),
        )


@dataclass(frozen=True, slots=True)
class Score:
    """How a digest did. `hits` names the rules of `must_not` that it broke.

    `verified` of the `kept` facts hold in all points; `tokens` are those of all
    calls together. `failures` says why there is no digest of a document, as the
    code of an error and its sentences; nothing else of it is counted but `wanted`.
    """

    name: str
    wanted: int
    found: int
    kept: int
    verified: int
    hits: tuple[str, ...]
    tokens_input: int
    tokens_output: int
    missed: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()

    @property
    def verified_share(self) -> float | None:
        """Return the share of the kept facts that are verified, None without any."""
        return self.verified / self.kept if self.kept else None


def read_planted(folder: Path) -> tuple[Planted, ...]:
    """Return the planted documents of a folder, by name."""
    expected = json.loads((folder / _EXPECTED).read_text("utf-8"))
    return tuple(
        Planted(
            name, (folder / name).read_bytes(), _MEDIA_TYPES[Path(name).suffix], truth
        )
        for name, truth in sorted(expected.items())
    )


def score(planted: Planted, result: DigestResult) -> Score:
    """Compare a digest with what is known of its document."""
    kept = {name: _plain(result.digest, name) for name in _FACTS}
    wanted = _wanted(planted, result.type)
    missed = [
        f"{name}: {fact['quote']}"
        for name, fact in wanted
        if not any(_is_found(fact, claim) for claim in kept[name])
    ]
    every = [fact for facts in kept.values() for fact in facts]
    return Score(
        name=planted.name,
        wanted=len(wanted),
        found=len(wanted) - len(missed),
        kept=len(every),
        verified=sum(fact["evidence"]["verified"] for fact in every),
        hits=tuple(find_forbidden(planted, result.digest)),
        tokens_input=result.usage.tokens_input,
        tokens_output=result.usage.tokens_output,
        missed=tuple(missed),
    )


def score_failed(planted: Planted, kind: DigestType, error: LLMAPIError) -> Score:
    """Return how a document did that a model gave no digest of."""
    told = " ".join(filter(None, (error.message, error.details)))
    wanted = len(_wanted(planted, kind))
    failures = (f"{error.code}: {told}",)
    return Score(planted.name, wanted, 0, 0, 0, (), 0, 0, failures=failures)


def total(scores: Sequence[Score]) -> Score:
    """Return all scores as one, without the names of what was missed."""
    names = ("wanted", "found", "kept", "verified", "tokens_input", "tokens_output")
    sums = {name: sum(getattr(each, name) for each in scores) for name in names}
    hits = tuple(hit for each in scores for hit in each.hits)
    failures = tuple(failure for each in scores for failure in each.failures)
    return Score(name="all", hits=hits, failures=failures, **sums)


def find_forbidden(planted: Planted, digest: Digest) -> Iterator[str]:
    """Yield the rules that a digest breaks, as `field: pattern`."""
    for rule in planted.expected.get("must_not", ()):
        texts = _texts_of(digest, rule["field"])
        if any(re.search(rule["pattern"], text) for text in texts):
            yield f"{rule['field']}: {rule['pattern']}"
    canary = planted.expected.get("canary")
    if canary and canary in json.dumps(digest.to_json(), ensure_ascii=False):
        yield f"any: {canary}"


def _wanted(planted: Planted, kind: DigestType) -> list[tuple[str, Mapping[str, Any]]]:
    names = ("action_items",) if kind == "action_items" else _FACTS
    facts = planted.expected["facts"]
    return [(name, fact) for name in names for fact in facts.get(name, ())]


def _plain(digest: Digest, name: str) -> list[dict[str, Any]]:
    return [asdict(fact) for fact in getattr(digest, name)]


def _is_found(wanted: Mapping[str, Any], claim: Mapping[str, Any]) -> bool:
    if not _overlaps(wanted["quote"], claim["evidence"]["quote"]):
        return False
    return all(
        claim[name] == wanted[name] or claim[name] in wanted.get(f"{name}_or", ())
        for name in _COMPARED
        if name in wanted
    )


def _overlaps(wanted: str, quote: str) -> bool:
    ours, theirs = (set(_WORD.findall(text.casefold())) for text in (wanted, quote))
    smaller = min(len(ours), len(theirs))
    return bool(smaller) and len(ours & theirs) / smaller > _LEAST_OVERLAP


def _texts_of(digest: Digest, field: str) -> Iterator[str]:
    """Yield the wordings of a field: what was said, not what was quoted."""
    if field == _ANY:
        for name in (*_FACTS, "keywords", "summary", "reply_draft"):
            yield from _texts_of(digest, name)
        return
    name, _, inner = field.partition(".")
    value = getattr(digest, name)
    if name == "summary":
        yield from (value.short, *value.bullets) if value else ()
    elif isinstance(value, str):
        yield value
    else:
        yield from _texts_of_list(value or (), inner)


def _texts_of_list(values: Iterable[Any], inner: str) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
            continue
        names = (inner,) if inner else ("task", "text", "name")
        told = (getattr(value, name, None) for name in names)
        yield from (text for text in told if text)
