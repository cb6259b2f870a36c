"""The canonical form between every dialect in and every dialect out."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flaskllm.core.clock import Deadline

MessageRole = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]
UsageSource = Literal["provider", "estimated", "none"]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of the conversation with the model."""

    role: MessageRole
    content: str


@dataclass(frozen=True, slots=True)
class Passage:
    """One part of a document, for the provider that reads without a model.

    `id` is the part's id; `text` its visible text; `shown` is False for what
    may be cited but should not be picked (quoted history, signatures).
    """

    id: str
    text: str
    speaker: str | None = None
    shown: bool = True


@dataclass(frozen=True, slots=True)
class Extraction:
    """What a digest wants, said without a prompt.

    A model never sees this: it reads the messages. The extractive provider
    reads nothing else. `wanted` is a digest type (`summary`, `keywords`, ...);
    `language` is ISO 639-1; `words` bounds the summary; `people` are the whole
    names of everybody in the document, speakers or not.
    """

    wanted: str
    language: str
    passages: tuple[Passage, ...]
    words: int = 200
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """A question to a model.

    `model` is an alias, a pattern's match or None for the default route.
    `json_schema` asks for JSON that is valid against it. `temperature` and
    `max_output_tokens` are left to the upstream when None.
    """

    model: str | None
    messages: tuple[Message, ...]
    max_output_tokens: int | None = None
    temperature: float | None = None
    json_schema: Mapping[str, Any] | None = None
    extraction: Extraction | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer in one normal form; every count is >= 0.

    `source` tells who counted. A count that a provider gave inside another
    (cached input inside all input) has been taken out: the fields add up.
    """

    input_uncached: int = 0
    input_cache_read: int = 0
    input_cache_write: int = 0
    output_text: int = 0
    output_reasoning: int = 0
    source: UsageSource = "none"

    @property
    def tokens_input(self) -> int:
        """Return all input tokens, cached or not."""
        return self.input_uncached + self.input_cache_read + self.input_cache_write

    @property
    def tokens_output(self) -> int:
        """Return all output tokens, reasoning included."""
        return self.output_text + self.output_reasoning

    def __add__(self, other: "Usage") -> "Usage":
        """Add counts; the weaker source of the two names the sum."""
        return Usage(
            self.input_uncached + other.input_uncached,
            self.input_cache_read + other.input_cache_read,
            self.input_cache_write + other.input_cache_write,
            self.output_text + other.output_text,
            self.output_reasoning + other.output_reasoning,
            max(self.source, other.source, key=_WEAKNESS.__getitem__),
        )


_WEAKNESS: Mapping[UsageSource, int] = {"none": 0, "provider": 1, "estimated": 2}


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer. `model` is the name that the upstream gave itself."""

    text: str
    finish_reason: FinishReason
    usage: Usage
    model: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """One callable place: provider, base URL, credential, upstream model.

    `context_window` and `max_output_tokens` count tokens; None = unknown and
    unchecked. `capabilities` None = unknown and allowed; else exactly these.
    `degraded` marks answers that no model gave.
    """

    name: str
    provider: str
    kind: str
    model: str
    context_window: int | None = None
    max_output_tokens: int | None = None
    capabilities: frozenset[str] | None = None
    degraded: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to one deployment. `number` counts from 1 within a request."""

    number: int
    alias: str
    deployment: Deployment


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended.

    `code` is `OK` or the error's code. `details` are the error's own, for the
    log: never text of the upstream, empty where there are none.
    """

    code: str
    latency_seconds: float
    usage: Usage
    details: str = ""


@dataclass(frozen=True, slots=True)
class Call:
    """What travels down with a request, from the face to the socket.

    `caller` is the socket of whoever waits for the answer, watched for a
    hang-up, or None. `wait` sleeps. `before` returns once the attempt may be
    made; `after` hears how it ended, exactly once for each `before`.
    """

    deadline: Deadline
    wait: Callable[[float], None]
    before: Callable[[Attempt], None]
    after: Callable[[Attempt, Outcome], None]
    caller: socket.socket | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A completion and where it came from.

    `attempts` counts all that were made. `failures` are the codes of what went
    wrong before, each once: of deployments that were left out for size or
    capability, then of attempts that failed, in order.
    """

    completion: Completion
    alias: str
    deployment: Deployment
    attempts: int
    failures: tuple[str, ...] = ()
