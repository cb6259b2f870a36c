"""`POST /v1/chat/completions`.

An upstream that speaks OpenAI's dialect itself gets the caller's body and gives its
own answer; every other is translated to and from the canonical form.
"""

from flask import Blueprint, Response

from flaskllm.api import context
from flaskllm.api.guard import guarded
from flaskllm.api.idempotency import idempotent
from flaskllm.api.openai import replies
from flaskllm.api.openai.requests import (
    MODEL_BODY_BYTES,
    ChatFields,
    chat_request,
    read,
)
from flaskllm.api.openai.streams import ChatEncoder
from flaskllm.api.streaming import closing_on_failure, stream_reply
from flaskllm.core.auth import Scope
from flaskllm.llm.types import CompletionRequest

blueprint = Blueprint("openai_chat", __name__)


@blueprint.post("/chat/completions")
@guarded(Scope.CHAT)
@idempotent(MODEL_BODY_BYTES)
def create() -> Response:
    """Return the completion of a conversation, whole or as a stream."""
    body, fields = read(ChatFields)
    asked = chat_request(body, fields, direct=context.principal().direct_models)
    if asked.stream:
        return _stream(asked, includes_usage=body.includes_usage)
    return _whole(asked)


def _whole(asked: CompletionRequest) -> Response:
    call = context.make_call("openai:chat")
    answer = context.services().completions.complete(asked, call)
    body = answer.completion.raw or replies.chat_completion(
        answer.completion, replies.now()
    )
    return replies.json_bytes_reply(body, answer.dropped, answer.rate_limits)


def _stream(asked: CompletionRequest, *, includes_usage: bool) -> Response:
    call = context.make_call("openai:chat")
    answer = context.services().completions.stream(asked, call)
    with closing_on_failure(answer):
        created = replies.now()
        encoder = ChatEncoder(answer.model, created, includes_usage=includes_usage)
        headers = replies.headers_of(answer.dropped, answer.rate_limits)
        return stream_reply(answer, encoder, headers)
