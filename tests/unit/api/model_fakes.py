"""A scripted answer in the place of the router's, for the faces that stream."""

from dataclasses import dataclass, field
from typing import Any

from face_fakes import FakeServices, token_for

from flaskllm.core.errors import ModelNotFound
from flaskllm.llm.streams import Seam
from flaskllm.llm.types import (
    Answer,
    Completion,
    Deployment,
    EmbeddingAnswer,
    Embeddings,
    Usage,
)
from flaskllm.services.models import ModelEntry

USAGE = Usage(10, 4, 2, 6, 3, source="provider")
SEAM = Seam("small", "large", 3, "LLM_TIMEOUT", "match")
RESCUE = {
    "from": "small",
    "to": "large",
    "at_character": 3,
    "code": "LLM_TIMEOUT",
    "mode": "match",
}
DEPLOYMENT = Deployment("small", "box", "openai_compatible", "scripted-1")


@dataclass
class FakeStream:
    """Gives each piece, raises each error, calls each function; counts its closings."""

    pieces: list
    is_raw: bool = False
    usage: Usage = USAGE
    finish_reason: str | None = "stop"
    model: str = "upstream-name"
    dropped: tuple = ()
    rate_limits: dict = field(default_factory=dict)
    closed: int = 0
    is_complete: bool = False

    def __iter__(self):
        for piece in self.pieces:
            if isinstance(piece, BaseException):
                raise piece
            if isinstance(piece, Seam):
                self.is_raw = False  # from here on it comes in chunks
            yield piece() if callable(piece) else piece

    def close(self):
        self.closed += 1


@dataclass
class FakeCompletions:
    """Answers with what it was given, and remembers what it was asked."""

    answer: Any = None
    stream_answer: FakeStream | None = None
    vectors: tuple = ((0.5, -1.0), (0.25, 2.0))
    dropped: tuple = ()
    asked: list = field(default_factory=list)

    def complete(self, request, call):
        self.asked.append(request)
        if isinstance(self.answer, BaseException):
            raise self.answer
        completion = self.answer or Completion("Hi.", "stop", USAGE, "upstream-name")
        return Answer(completion, "scripted", DEPLOYMENT, 1, dropped=self.dropped)

    def stream(self, request, call):
        self.asked.append(request)
        return self.stream_answer

    def embed(self, request, call):
        self.asked.append(request)
        vectors = Embeddings(self.vectors, USAGE, "upstream-name")
        return EmbeddingAnswer(vectors, "scripted", DEPLOYMENT, 1)


@dataclass
class FakeModels:
    """Knows three names; that a principal may name providers shows in the list."""

    def list(self, principal):
        direct = ("box/direct",) if principal.direct_models else ()
        names = ("fast", "org/name", *direct)
        return tuple(ModelEntry(name, 1767603600, "flaskllm") for name in names)

    def find(self, model, principal):
        found = {entry.id: entry for entry in self.list(principal)}
        if model not in found:
            raise ModelNotFound(details="nearest: fast")
        return found[model]


@dataclass(frozen=True)
class OpenAIServices(FakeServices):
    """The fakes of every face, and those of the routes that ask models."""

    completions: FakeCompletions = field(default_factory=FakeCompletions)
    models: FakeModels = field(default_factory=FakeModels)


CHAT = {"Authorization": f"Bearer {token_for('chat')}"}
