"""`POST /api/v1/chat` and `/api/v1/chat/stream`: a question to a model."""

from flask import Blueprint, Response
from pydantic import BaseModel, Field

from flaskllm.api import context
from flaskllm.api.cache_wishes import heed
from flaskllm.api.guard import guarded
from flaskllm.api.idempotency import idempotent
from flaskllm.api.openapi import documented
from flaskllm.api.replies import data_reply
from flaskllm.api.streaming import EVENT_STREAM, stream_reply
from flaskllm.api.v1.chat_events import (
    DONE,
    ERROR,
    TOKEN,
    ChatEncoder,
    dropped_warnings,
    new_message_id,
    usage_of,
)
from flaskllm.api.v1.chat_fields import ChatFields, ChatOrder, read_order
from flaskllm.api.validation import read_json
from flaskllm.core import errors
from flaskllm.core.auth import Scope
from flaskllm.core.money import dollars
from flaskllm.llm.types import Answer, UsageSource
from flaskllm.services.budget_words import budget_warnings

CHAT_BODY_BYTES = 32 * 1024 * 1024

blueprint = Blueprint("chat", __name__)

_EVENT = {
    "description": "One event; its data is JSON.",
    "type": "object",
    "properties": {
        "event": {"enum": [TOKEN, DONE, ERROR]},
        "id": {"type": "string"},
        "data": {"type": "string"},
    },
    "required": ["event", "id", "data"],
}

MODEL_ERRORS = (
    errors.BudgetExceeded,
    errors.ModelNotFound,
    errors.PayloadTooLarge,
    errors.LLMInvalidRequest,
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
)


class ChatData(BaseModel):
    """The answer."""

    message_id: str
    conversation_id: None = Field(description="Always null: not available yet.")
    model: str = Field(description="The name that the model gave itself.")
    text: str
    finish_reason: str = Field(
        description="stop, length, tool_calls or content_filter."
    )


class ChatUsage(BaseModel):
    """What the model used for it."""

    tokens_input: int
    tokens_output: int
    source: UsageSource = Field(description="Who counted.")


class ChatMeta(BaseModel):
    """How the answer was made."""

    request_id: str
    processing_time: float = Field(description="Seconds.")
    provider: str
    model: str
    usage: ChatUsage
    cost: float | None = Field(description="US dollars; null when not known.")
    cached: bool
    degraded: bool
    warnings: list[str]


class ChatReply(BaseModel):
    """The answer, and how it was made."""

    data: ChatData
    meta: ChatMeta


@blueprint.post("/chat")
@guarded(Scope.CHAT)
@documented(
    summary="Ask a model, and get the whole answer.",
    body={"application/json": ChatFields},
    replies={200: ChatReply},
    errors=MODEL_ERRORS,
)
@idempotent(CHAT_BODY_BYTES)
def ask() -> Response:
    """Return the whole answer to the question in this request."""
    order = _order(stream=False)
    call = context.make_call("chat")
    answer = context.services().completions.complete(order.request, call)
    return data_reply(_data(answer), _meta(answer, order.warnings))


@blueprint.post("/chat/stream")
@guarded(Scope.CHAT)
@documented(
    summary="Ask a model, and get the answer as server-sent events.",
    body={"application/json": ChatFields},
    replies={200: {EVENT_STREAM: {"schema": _EVENT}}},
    errors=MODEL_ERRORS,
)
@idempotent(CHAT_BODY_BYTES)
def stream() -> Response:
    """Return the answer to the question in this request, piece by piece."""
    order = _order(stream=True)
    call = context.make_call("chat")
    answer = context.services().completions.stream(order.request, call)
    warnings = (*order.warnings, *budget_warnings(context.notices()))
    encoder = ChatEncoder(warnings, new_message_id(), context.account())
    return stream_reply(answer, encoder)


def _order(*, stream: bool) -> ChatOrder:
    direct = context.principal().direct_models
    order = read_order(read_json(CHAT_BODY_BYTES), direct=direct, stream=stream)
    heed(order.wish)
    return order


def _data(answer: Answer) -> dict[str, object]:
    completion = answer.completion
    return {
        "message_id": new_message_id(),
        "conversation_id": None,
        "model": completion.model,
        "text": completion.text or completion.refusal or "",
        "finish_reason": completion.finish_reason,
    }


def _meta(answer: Answer, warnings: tuple[str, ...]) -> dict[str, object]:
    return {
        "request_id": context.request_id(),
        "processing_time": round(context.elapsed_seconds(), 3),
        "provider": answer.deployment.provider,
        "model": answer.completion.model,
        "usage": usage_of(answer.completion.usage),
        "cost": dollars(context.account().cost_nanos),
        "cached": answer.completion.usage.source == "cached",
        "degraded": answer.deployment.degraded,
        "warnings": [
            *warnings,
            *dropped_warnings(answer.dropped),
            *budget_warnings(context.notices()),
        ],
    }
