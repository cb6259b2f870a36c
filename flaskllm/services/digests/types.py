"""The order for a digest, the digest, and what comes back with it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal

from flaskllm.core.sensitive import OnSensitive
from flaskllm.inputs.document import Role, SourceKind
from flaskllm.llm.types import Usage

DigestType = Literal[
    "summary",
    "action_items",
    "reply",
    "keywords",
    "entities",
    "sentiment",
    "classification",
    "translation",
    "custom",
]
ResponseFormat = Literal["text", "markdown", "json"]
OnAutomatic = Literal["skip", "digest"]
OnThread = Literal["remember", "ignore"]
Status = Literal["open", "done", "retracted"]
Sentiment = Literal["positive", "neutral", "negative", "mixed"]
Priority = Literal["low", "normal", "high", "urgent"]
EntityKind = Literal[
    "person",
    "organization",
    "location",
    "date",
    "amount",
    "email",
    "url",
    "phone",
    "product",
    "other",
]


@dataclass(frozen=True, slots=True)
class DigestOrder:
    """What a caller asks for.

    `media_type` None means: find out from the content. `reference_time` is
    aware. `variables` holds what the template takes, and `labels` or `schema`
    for the types that need them. `automatic` says what becomes of a bounce, an
    automatic reply or a read receipt. `on_sensitive` can only be stricter than the
    settings; `redact` None is as they say. `thread` says whether what is known of a
    mail's thread counts and this mail is added to it; None leaves that to whoever makes
    the digest: a job does, a request whose answer is waited for does not. `cache` False
    and `sensitive` True keep nothing of it in the cache; `fresh` True takes nothing
    from there.
    """

    content: bytes
    media_type: str | None = None
    charset: str | None = None
    file_name: str | None = None
    source: SourceKind | None = None
    type: DigestType = "summary"
    language: str | None = None
    model: str | None = None
    template: str | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    response_format: ResponseFormat = "text"
    reference_time: datetime | None = None
    timezone: str | None = None
    participants: tuple[str, ...] = ()
    automatic: OnAutomatic = "skip"
    on_sensitive: OnSensitive | None = None
    redact: bool | None = None
    thread: OnThread | None = None
    cache: bool | None = None
    sensitive: bool | None = None
    fresh: bool | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """The words of the source that prove a fact, and where they stand.

    `part` (mail) or `turn` (meeting) is the id of the piece that holds the
    quote; `offset` and `length` count code points of its visible text.
    `verified` means that the quote was found there and that the fact's owner
    and due date hold. An unverified quote has no place. Neither has one of an
    earlier mail of the thread that this document does not repeat: it was found there
    when that mail was read, and `speaker` is who wrote it; None where nobody is named.
    """

    quote: str
    verified: bool
    part: str | None = None
    turn: str | None = None
    speaker: str | None = None
    start_ms: int | None = None
    offset: int | None = None
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """The prose: one to three sentences, and the points in order."""

    short: str
    bullets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who wrote, received or spoke."""

    name: str | None
    email: str | None
    role: Role


@dataclass(frozen=True, slots=True)
class ActionItem:
    """Something to do. `due` is an ISO date; `due_text` its words in the source."""

    task: str
    owner: str | None
    due: str | None
    due_text: str | None
    status: Status
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Statement:
    """A decision, an open question, a risk, an amount: a sentence with its proof."""

    text: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class DateFact:
    """A date of the source. `date` is ISO; None when the words leave it open."""

    date: str | None
    text: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class EntityFact:
    """A name, place, amount or address of the source."""

    text: str
    kind: EntityKind
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class Digest:
    """The typed result. Closed: what a type does not fill stays empty."""

    language: str
    kind: str
    summary: Summary | None = None
    participants: tuple[Participant, ...] = ()
    action_items: tuple[ActionItem, ...] = ()
    decisions: tuple[Statement, ...] = ()
    open_questions: tuple[Statement, ...] = ()
    risks: tuple[Statement, ...] = ()
    dates: tuple[DateFact, ...] = ()
    amounts: tuple[Statement, ...] = ()
    keywords: tuple[str, ...] = ()
    entities: tuple[EntityFact, ...] = ()
    sentiment: Sentiment | None = None
    sentiment_evidence: Evidence | None = None
    priority: Priority | None = None
    label: str | None = None
    label_evidence: Evidence | None = None
    reply_draft: str | None = None
    translation: str | None = None
    custom: Mapping[str, Any] | None = None
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the digest as plain dicts, lists and scalars."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class DigestResult:
    """A digest and how it was made.

    `text` is in the form that was asked for, `form` what the document was read as.
    `deployments` are the names of those who answered, in order.
    """

    id: str
    type: DigestType
    text: str
    digest: Digest
    provider: str
    model: str
    usage: Usage
    cached: bool
    degraded: bool
    warnings: tuple[str, ...]
    form: str = "text"
    deployments: tuple[str, ...] = ()

    def to_json(
        self, request_id: str, processing_seconds: float, cost: float | None
    ) -> dict[str, Any]:
        """Return `data` and `meta`, as every face shows them.

        `cost` is in US dollars; None when it is not known.
        """
        data = {
            "id": self.id,
            "type": self.type,
            "text": self.text,
            "digest": self.digest.to_json(),
        }
        usage = {
            "tokens_input": self.usage.tokens_input,
            "tokens_output": self.usage.tokens_output,
            "source": self.usage.source,
        }
        meta = {
            "request_id": request_id,
            "processing_time": round(processing_seconds, 3),
            "provider": self.provider,
            "model": self.model,
            "format": self.form,
            "usage": usage,
            "cost": cost,
            "cached": self.cached,
            "degraded": self.degraded,
            "warnings": list(self.warnings),
        }
        return {"data": data, "meta": meta}
