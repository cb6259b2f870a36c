"""Answers as the cache holds them: JSON text, and back."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

import orjson

from flaskllm.llm.cached import Remembered
from flaskllm.llm.parts import Thinking, ToolCall
from flaskllm.llm.types import (
    Answer,
    Completion,
    Deployment,
    EmbeddingAnswer,
    Embeddings,
    Usage,
)

MOST_CHARACTERS: Final = 8 * 1024 * 1024
"""Nothing longer is gathered, or given to others."""

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Entry:
    """One answer.

    Attributes:
        alias: The route that it was kept for.
        deployment: Who gave it: its name, provider, kind and the upstream's model.
        at_seconds: When, in seconds since 1970.
        nanos: What it cost, in nano-dollars; None where not known.
        completion: What was said; its `raw` where it came whole in the caller's own
            dialect.
        events: The events in which it came, where it was streamed in that dialect.
        has_usage: Whether they hold the one that tells the usage.
        vectors: What was embedded, instead of a completion.
        dropped: Fields of the caller's that were not passed on.
        marks: What would have to be the same still, see `Marks`.
    """

    alias: str
    deployment: tuple[str, str, str, str]
    at_seconds: float
    nanos: int | None = None
    completion: Completion | None = None
    events: bytes | None = field(default=None, repr=False)
    has_usage: bool = False
    vectors: Embeddings | None = None
    dropped: tuple[str, ...] = ()
    marks: Mapping[str, str] = field(default_factory=dict)

    def to_text(self) -> str:
        """Return it as JSON text.

        Raises:
            ValueError: It holds bytes that are no UTF-8.
        """
        told = {
            "version": _VERSION,
            "alias": self.alias,
            "deployment": self.deployment,
            "at": self.at_seconds,
            "nanos": self.nanos,
            "completion": self.completion and _completion_fields(self.completion),
            "events": _text_of(self.events),
            "has_usage": self.has_usage,
            "vectors": self.vectors and _vector_fields(self.vectors),
            "dropped": self.dropped,
            "marks": dict(self.marks),
        }
        try:
            return orjson.dumps(told).decode("utf-8")
        except TypeError:
            # Escaped: half a surrogate pair cannot be written as it is.
            return json.dumps(told)

    @classmethod
    def from_text(cls, text: str) -> "Entry | None":
        """Read what `to_text` wrote; None where another version, or nobody, did."""
        try:
            told = json.loads(text)
            return cls._of(told) if told["version"] == _VERSION else None
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    @classmethod
    def _of(cls, told: Mapping[str, Any]) -> "Entry":
        return cls(
            alias=told["alias"],
            deployment=tuple(told["deployment"]),
            at_seconds=told["at"],
            nanos=told["nanos"],
            completion=told["completion"] and _completion_of(told["completion"]),
            events=_bytes_of(told["events"]),
            has_usage=told["has_usage"],
            vectors=told["vectors"] and _vectors_of(told["vectors"]),
            dropped=tuple(told["dropped"]),
            marks=dict(told["marks"]),
        )

    @property
    def answered_by(self) -> Deployment:
        """Return who gave it, as far as an answer tells."""
        name, provider, kind, model = self.deployment
        return Deployment(name, provider, kind, model)

    def remembered(self, now_seconds: float) -> Remembered:
        """Return where it came from."""
        name, provider, _, model = self.deployment
        age_seconds = max(0.0, now_seconds - self.at_seconds)
        return Remembered(self.alias, name, provider, model, age_seconds, self.nanos)

    def answer(self) -> Answer:
        """Return it as an answer that no upstream gave now."""
        assert self.completion is not None
        return Answer(
            as_cached(self.completion),
            self.alias,
            self.answered_by,
            attempts=0,
            dropped=self.dropped,
        )

    def embedding_answer(self) -> EmbeddingAnswer:
        """Return the same of what was embedded."""
        assert self.vectors is not None
        usage = replace(self.vectors.usage, source="cached")
        vectors = replace(self.vectors, usage=usage)
        return EmbeddingAnswer(vectors, self.alias, self.answered_by, attempts=0)


def as_cached(completion: Completion) -> Completion:
    """Return a completion whose tokens nobody used for this request."""
    return replace(completion, usage=replace(completion.usage, source="cached"))


def _completion_fields(completion: Completion) -> dict[str, Any]:
    told = {name: getattr(completion, name) for name in Completion.__slots__}
    return told | {
        "usage": asdict(completion.usage),
        "tool_calls": [asdict(each) for each in completion.tool_calls],
        "thinking": [asdict(each) for each in completion.thinking],
        "raw": _text_of(completion.raw),
    }


def _completion_of(told: Mapping[str, Any]) -> Completion:
    return Completion(
        **{
            **told,
            "usage": Usage(**told["usage"]),
            "tool_calls": tuple(ToolCall(**each) for each in told["tool_calls"]),
            "thinking": tuple(Thinking(**each) for each in told["thinking"]),
            "raw": _bytes_of(told["raw"]),
        }
    )


def _vector_fields(found: Embeddings) -> dict[str, Any]:
    vectors: Sequence[list[float]] = [list(each) for each in found.vectors]
    return {"vectors": vectors, "usage": asdict(found.usage), "model": found.model}


def _vectors_of(told: Mapping[str, Any]) -> Embeddings:
    vectors = tuple(told["vectors"])
    return Embeddings(vectors, Usage(**told["usage"]), told["model"])


def _text_of(value: bytes | None) -> str | None:
    return None if value is None else value.decode("utf-8")


def _bytes_of(value: str | None) -> bytes | None:
    return None if value is None else value.encode("utf-8")
