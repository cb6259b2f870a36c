"""`POST /api/v1/webhook`: a mail or a meeting in, a checked digest out."""

from typing import Any

from flask import Blueprint, Response
from pydantic import BaseModel, Field

from flaskllm.api import context
from flaskllm.api.budget_notices import budget_warnings
from flaskllm.api.guard import guarded
from flaskllm.api.idempotency import idempotent
from flaskllm.api.openapi import documented
from flaskllm.api.replies import data_reply
from flaskllm.api.v1.webhook_fields import (
    NOT_BLANK,
    WebhookFields,
    WebhookJson,
    form_schema,
)
from flaskllm.api.v1.webhook_forms import (
    MULTIPART,
    WEBHOOK_BODY_BYTES,
    Received,
    receive,
)
from flaskllm.core import errors
from flaskllm.core.auth import Scope
from flaskllm.core.money import dollars
from flaskllm.inputs.media_types import SUPPORTED
from flaskllm.llm.types import UsageSource
from flaskllm.services.digests.types import (
    Digest,
    DigestOrder,
    DigestType,
)

blueprint = Blueprint("webhook", __name__)

_RAW = {"schema": {"type": "string", "pattern": NOT_BLANK}}
_FORM = {
    "schema": form_schema(),
    "encoding": {"file": {"contentType": ", ".join(SUPPORTED)}},
}


class WebhookData(BaseModel):
    """The digest."""

    id: str
    type: DigestType
    text: str = Field(description="The digest in the form that was asked for.")
    digest: Digest


class WebhookUsage(BaseModel):
    """What the models used for it."""

    tokens_input: int
    tokens_output: int
    source: UsageSource = Field(description="Who counted.")


class WebhookMeta(BaseModel):
    """How the digest was made."""

    request_id: str
    processing_time: float = Field(description="Seconds.")
    provider: str
    model: str
    usage: WebhookUsage
    cost: float | None = Field(description="US dollars; null when not known.")
    cached: bool
    degraded: bool = Field(description="True when a model did not make all of it.")
    warnings: list[str]
    metadata: dict[str, Any] = Field({}, description="Yours, when you gave any.")


class WebhookReply(BaseModel):
    """The digest, and how it was made."""

    data: WebhookData
    meta: WebhookMeta


@blueprint.post("/webhook")
@guarded(Scope.WEBHOOK)
@documented(
    summary="Digest a mail, a transcript or a text.",
    body={
        "application/json": WebhookJson,
        MULTIPART: _FORM,
        **dict.fromkeys(SUPPORTED, _RAW),
    },
    query=WebhookFields,
    replies={200: WebhookReply},
    errors=(
        errors.BudgetExceeded,
        errors.PayloadTooLarge,
        errors.LLMContextTooLong,
        errors.CallerGone,
        errors.LLMAPIError,
        errors.LLMProtocolError,
        errors.LLMRequestRejected,
        errors.LLMCredentialRejected,
        errors.LLMRefused,
        errors.LLMRateLimited,
        errors.LLMServerError,
        errors.LLMUnavailable,
        errors.NoModelConfigured,
        errors.LLMTimeout,
    ),
)
@idempotent(WEBHOOK_BODY_BYTES)
def digest() -> Response:
    """Return the digest of the document in this request."""
    received = receive()
    order = _order(received)
    call = context.make_call(f"webhook:{order.source}" if order.source else "webhook")
    result = context.services().digests.make(order, call)
    if result.degraded:
        context.note_degraded()
    cost = dollars(context.account().cost_nanos)
    reply = result.to_json(context.request_id(), context.elapsed_seconds(), cost)
    reply["meta"]["warnings"] += received.unknown
    reply["meta"]["warnings"] += budget_warnings(context.notices())
    if "metadata" in received.fields:
        reply["meta"]["metadata"] = received.fields["metadata"]
    return data_reply(**reply)


def _order(received: Received) -> DigestOrder:
    fields = dict(received.fields)
    fields.pop("metadata", None)  # the caller's own; it only goes back to them
    if "participants" in fields:
        fields["participants"] = tuple(name for name in fields["participants"] if name)
    return DigestOrder(
        content=received.content,
        media_type=received.media_type,
        charset=received.charset,
        file_name=received.file_name,
        **fields,
    )
