"""The canonical form between every dialect in and every dialect out."""

import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

from flaskllm.core.clock import Deadline
from flaskllm.core.ids import new_ordered_id
from flaskllm.llm.cached import USUAL, CacheNote, CacheWish, hear_nothing
from flaskllm.llm.confined import Confined, ignore
from flaskllm.llm.parts import Message, Thinking, ToolCall
from flaskllm.llm.terms import UNLIMITED, Limits, Price

Wire = Literal["openai.chat", "openai.text", "anthropic.messages"]
"""A dialect in which a caller's body can be passed on as it is."""

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]
UsageSource = Literal["provider", "estimated", "none", "cached"]


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
class Tool:
    """A function that the model may ask to have called.

    `parameters` is the JSON schema of its arguments. `strict` is OpenAI's wish
    that the arguments are valid against it.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class JsonFormat:
    """JSON for an answer: valid against `schema`, or any object when it is None."""

    schema: Mapping[str, Any] | None = None
    name: str = "answer"
    strict: bool | None = None


@dataclass(frozen=True, slots=True)
class CallerBody:
    """What the caller sent, in the dialect that it speaks.

    A provider of the same dialect passes `fields` on, with the model's name and
    what streaming needs put in. `extras` names the fields that the canonical form
    cannot hold: any other dialect drops them.
    """

    wire: Wire
    fields: Mapping[str, Any] = field(repr=False)
    extras: tuple[str, ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """A question to a model.

    `model` is an alias, a pattern's match or None for the default route.
    `json_schema` asks for JSON that is valid against it, `json_format` is a
    caller's own wish for JSON. What is None is left to the upstream.

    Attributes:
        tool_choice: `auto`, `none`, `required`, or the name of the one tool.
        parallel_tools: Whether several calls may come in one answer.
        thinking_tokens: The budget for thoughts; 0 switches them off.
        effort: `none`, `minimal`, `low`, `medium`, `high`, ...: how hard to think.
        choices: How many answers; more than one only where the dialect is shared.
        body: What the caller sent, where it speaks a dialect of its own.
        direct: Whether the caller may name `provider/model`.
        required_tag: Only deployments with this tag may see it; None is all.
        template: The prompt template whose question it is, as `name@digest`.
        varying: Words of the messages that differ from one such question to the next,
            each with what stands for it where questions are compared.
    """

    model: str | None
    messages: tuple[Message, ...]
    max_output_tokens: int | None = None
    temperature: float | None = None
    json_schema: Mapping[str, Any] | None = None
    extraction: Extraction | None = None
    json_format: JsonFormat | None = None
    top_p: float | None = None
    top_k: int | None = None
    stop: tuple[str, ...] = ()
    seed: int | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: str | None = None
    parallel_tools: bool | None = None
    thinking_tokens: int | None = None
    effort: str | None = None
    user: str | None = None
    choices: int = 1
    stream: bool = False
    body: CallerBody | None = field(default=None, repr=False)
    direct: bool = False
    required_tag: str | None = None
    template: str | None = None
    varying: tuple[tuple[str, str], ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class EmbeddingRequest:
    """Texts, or texts already cut into token numbers, to be turned into vectors.

    Only deployments with `required_tag` may see them; None is all.
    """

    model: str | None
    inputs: tuple[str | tuple[int, ...], ...]
    dimensions: int | None = None
    user: str | None = None
    direct: bool = False
    required_tag: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one answer in one normal form; every count is >= 0.

    `source` tells who counted; `cached` are those of an answer that no upstream gave
    for this request. A count that a provider gave inside another
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


_WEAKNESS: Mapping[UsageSource, int] = {
    "none": 0,
    "cached": 1,
    "provider": 2,
    "estimated": 3,
}


@dataclass(frozen=True, slots=True)
class Completion:
    """A whole answer. `model` is the name that the upstream gave itself.

    `stop_sequence` is the one that ended it, where the upstream says so.
    `refusal` are the words with which a model declined. `raw` is the upstream's
    own body, there only when the caller speaks its dialect: it is passed on as
    it is.
    """

    text: str
    finish_reason: FinishReason
    usage: Usage
    model: str
    tool_calls: tuple[ToolCall, ...] = ()
    thinking: tuple[Thinking, ...] = ()
    stop_sequence: str | None = None
    refusal: str | None = None
    raw: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Embeddings:
    """Vectors, one for each input, in its order."""

    vectors: tuple[Sequence[float], ...] = field(repr=False)
    usage: Usage
    model: str


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How patient a call is, in seconds.

    `first_byte_seconds` without any byte is a dead attempt; so is
    `first_token_seconds` without a token when there is elsewhere to go;
    `chunk_gap_seconds` is the longest silence after the first token.
    `answer_seconds` is for an answer that is not streamed: the longest that it may
    take when there is elsewhere to go.
    """

    first_byte_seconds: float = 30.0
    first_token_seconds: float = 10.0
    chunk_gap_seconds: float = 15.0
    answer_seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Deployment:
    """One callable place: provider, base URL, credential, upstream model.

    `context_window` and `max_output_tokens` count tokens; None = unknown and
    unchecked. `capabilities` None = unknown and allowed; else exactly these.
    `degraded` marks answers that no model gave. `price` None = unknown, never free.
    """

    name: str
    provider: str
    kind: str
    model: str
    context_window: int | None = None
    max_output_tokens: int | None = None
    capabilities: frozenset[str] | None = None
    degraded: bool = False
    tags: frozenset[str] = frozenset()
    timeouts: Timeouts = Timeouts()
    limits: Limits = UNLIMITED
    price: Price | None = None

    @property
    def label(self) -> str:
        """Return its name for a metric; all that nobody described share one.

        Those are named after what a caller or an upstream's list says: each would
        begin series that never end.
        """
        is_described = self.name != f"{self.provider}/{self.model}"
        return self.name if is_described else f"{self.provider}/*"


@dataclass(frozen=True, slots=True)
class Plan:
    """What an attempt may take at most, known before it is made.

    `tokens_output` is the planned maximum of all answers asked for. `reserved_nanos`
    is what both cost at the dearest candidate's price, 0 where no price is known;
    `expected_nanos` what the attempt is likely to cost at its own deployment, never
    above `reserved_nanos`; None where its price is not known.
    """

    tokens_input: int
    tokens_output: int
    reserved_nanos: int = 0
    expected_nanos: int | None = None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call to one deployment. `number` counts from 1 within a request.

    Attributes:
        decision: Says in a few ASCII words why it was this deployment's turn; it
            holds names of the settings and numbers only.
        price: The terms by which it is charged; None where they are not known.
        plan: What it may take; None where no upstream is called.
        id: Tells it from every other attempt.
    """

    number: int
    alias: str
    deployment: Deployment
    decision: str = ""
    price: Price | None = None
    plan: Plan | None = None
    id: str = field(default_factory=partial(new_ordered_id, "att"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended.

    `code` is `OK` or the error's code. `details` are the error's own, for the
    log: never text of the upstream, empty where there are none.
    `first_token_seconds` is None where nothing was streamed, or no token came.
    `malformed` counts events of a stream that could not be read and were skipped.
    """

    code: str
    latency_seconds: float
    usage: Usage
    details: str = ""
    first_token_seconds: float | None = None
    malformed: int = 0


@dataclass(frozen=True, slots=True)
class Call:
    """What travels down with a request, from the face to the socket.

    `caller` is the socket of whoever waits for the answer, watched for a
    hang-up, or None. `wait` sleeps. `before` returns once the attempt may be
    made; `after` hears how it ended, exactly once for each `before`. `aliases` are
    the only model names that may be asked for; None is every one. `confined` hears,
    before an answer is given, that only local deployments were to see it; it may
    raise where that cannot be put on record. `principal_id` tells whose it is; without
    one nothing is kept of it. `cache` is what its caller wants of the cache, and
    `cached` hears what became of that, before the answer is given.
    """

    deadline: Deadline
    wait: Callable[[float], None]
    before: Callable[[Attempt], None]
    after: Callable[[Attempt, Outcome], None]
    caller: socket.socket | None = None
    aliases: frozenset[str] | None = None
    confined: Callable[[Confined], None] = ignore
    principal_id: str = ""
    cache: CacheWish = USUAL
    cached: Callable[[CacheNote], None] = hear_nothing


@dataclass(frozen=True, slots=True)
class Answer:
    """A completion and where it came from.

    `attempts` counts all that were made. `failures` are the codes of what went
    wrong before, each once: of deployments that were left out for size or
    capability, then of attempts that failed, in order. `dropped` names the fields
    of the caller that this deployment's dialect cannot say. `rate_limits` are the
    headers in which its upstream told its rate limits, their names in lower case.
    """

    completion: Completion
    alias: str
    deployment: Deployment
    attempts: int
    failures: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    rate_limits: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EmbeddingAnswer:
    """Vectors and where they came from, as in `Answer`."""

    embeddings: Embeddings
    alias: str
    deployment: Deployment
    attempts: int
    failures: tuple[str, ...] = ()
    rate_limits: Mapping[str, str] = field(default_factory=dict)
