"""What goes in and out of the tables of durable work."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal

JobKind = Literal["digest", "batch"]
JobState = Literal[
    "queued", "working", "done", "failed", "dead", "cancelled", "needs_fetch"
]
DeliveryState = Literal["pending", "delivered", "failed", "cancelled"]
EndpointState = Literal["enabled", "disabled"]
Rendering = Literal["json", "slack", "teams", "email"]

OPEN: Final = frozenset[JobState]({"queued", "working"})
"""Not ended yet."""
ENDED: Final = frozenset[JobState](
    {"done", "failed", "dead", "cancelled", "needs_fetch"}
)
"""`failed` had an error that a repetition meets again; `dead` was given up; of
`needs_fetch` somebody has to bring the document."""

USUAL_PRIORITY: Final = 5
"""Of 1 to 9; lower goes first."""


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """What was accepted: an order as JSON. It lies sealed; the times are aware."""

    id: str
    principal_id: str
    created_at: datetime
    expires_at: datetime
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class JobRow:
    """One job. The times are aware; `result` and `error` are JSON and lie sealed.

    Attributes:
        batch_id: The batch that it is an item of, and `number` its place, from 0.
        event_digest: 32 bytes; who sends the same event before `repeats_until`
            gets this job and not another one.
        attempt: How often it was begun as planned; a take-over counts for nothing.
        failures: How many of these ended with an error that may pass.
        next_at: Of a job that was put off: no attempt begins before.
        runner: Unlike that of every other run: the only one who may end it.
        error_code: That of `error`, as every face shows it; of a job that has not
            ended that of the attempt that was put off last.
        cost_nanos: Of all its model calls; None where one has no known price.
    """

    id: str
    principal_id: str
    kind: JobKind
    state: JobState
    source: str
    request_id: str
    created_at: datetime
    expires_at: datetime
    priority: int = USUAL_PRIORITY
    batch_id: str | None = None
    number: int | None = None
    document_id: str | None = None
    event_digest: bytes | None = field(default=None, repr=False)
    repeats_until: datetime | None = None
    deadline_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    attempt: int = 0
    failures: int = 0
    next_at: datetime | None = None
    runner: str | None = None
    endpoint_id: str | None = None
    callback_url: bytes | None = field(default=None, repr=False)
    result: bytes | None = field(default=None, repr=False)
    error: bytes | None = field(default=None, repr=False)
    error_code: str | None = None
    cost_nanos: int | None = None


@dataclass(frozen=True, slots=True)
class EndpointRow:
    """Whom a principal has told of events. All but the rest lies sealed.

    Attributes:
        target: A URL, or a mail address where it is rendered as mail; None where it
            only signs what goes to addresses of requests.
        secret: As `whsec_` text; `previous_secret` signs too until `previous_until`.
        events: Their names, separated by blanks.
    """

    id: str
    principal_id: str
    name: str
    target: bytes | None = field(repr=False)
    secret: bytes = field(repr=False)
    events: str
    rendering: Rendering
    state: EndpointState
    created_at: datetime
    previous_secret: bytes | None = field(default=None, repr=False)
    previous_until: datetime | None = None
    disabled_reason: str = ""
    failing_since: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One message to one receiver. Its `id` is the `webhook-id` of every attempt.

    `body` is what is sent, sealed; `target` is an address of the request, None where
    the endpoint has its own. `next_at` is None where no attempt is planned.
    """

    id: str
    principal_id: str
    endpoint_id: str
    event: str
    state: DeliveryState
    created_at: datetime
    expires_at: datetime
    body: bytes = field(repr=False)
    target: bytes | None = field(default=None, repr=False)
    job_id: str | None = None
    attempts: int = 0
    next_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryAttempt:
    """One attempt of a delivery. `status` is None where no answer came.

    `reason` is '' for a success, else a word of ours, such as `timeout`.
    """

    delivery_id: str
    number: int
    at: datetime
    status: int | None
    reason: str
    latency_ms: int
