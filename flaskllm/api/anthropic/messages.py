"""`POST /v1/messages` and `/v1/messages/count_tokens`.

An upstream that speaks this dialect itself gets the caller's body and gives its own
answer; every other is translated to and from the canonical form.
"""

import re

from flask import Blueprint, Response, request

from flaskllm.api import context, forbidden
from flaskllm.api.anthropic.encoder import MessagesEncoder
from flaskllm.api.anthropic.fields import CountFields, MessagesFields
from flaskllm.api.anthropic.replies import message_of
from flaskllm.api.anthropic.translate import Order, read_order
from flaskllm.api.cache_wishes import heed, take_wishes
from flaskllm.api.guard import guarded
from flaskllm.api.idempotency import idempotent
from flaskllm.api.replies import answer_headers
from flaskllm.api.streaming import closing_on_failure, stream_reply
from flaskllm.api.validation import parse_model, read_json
from flaskllm.core import json_text
from flaskllm.core.auth import Scope
from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.streaming import StreamAnswer
from flaskllm.llm.types import Answer, CompletionRequest

MODEL_BODY_BYTES = 32 * 1024 * 1024

blueprint = Blueprint("messages", __name__)

_API_KEY = "x-api-key"
_SOURCE = "anthropic:messages"
_BETA = "anthropic-beta"
_RATE_LIMITS = "anthropic-ratelimit-"
_BETA_NAMES = re.compile(r"[A-Za-z0-9._-]+(?: *, *[A-Za-z0-9._-]+)*")
_LONGEST_BETA = 1000


@blueprint.post("/messages")
@guarded(Scope.CHAT, or_header=_API_KEY)
@idempotent(MODEL_BODY_BYTES)
def create() -> Response:
    """Return the message that answers, whole or as a stream."""
    order = _read_order(MessagesFields)
    if order.request.stream:
        return _stream(order)
    return _whole(order)


@blueprint.post("/messages/count_tokens")
@guarded(Scope.CHAT, or_header=_API_KEY)
def count_tokens() -> Response:
    """Return how many tokens the input takes, or about how many."""
    asked = _read_order(CountFields).request
    counted = context.services().models.count_tokens(asked, context.make_call(_SOURCE))
    headers = {"X-Flaskllm-Estimated": "true"} if counted.is_estimated else {}
    return _json(json_text.dump({"input_tokens": counted.tokens}), headers)


def _read_order(model: type[CountFields]) -> Order:
    fields = read_json(MODEL_BODY_BYTES)
    forbidden.check(fields, request.get_data())
    heed(take_wishes(fields))
    return read_order(
        fields,
        parse_model(model, fields),
        _passed_on(),
        direct=context.principal().direct_models,
    )


def _whole(order: Order) -> Response:
    call = order.only_where_understood(context.make_call(_SOURCE))
    with order.telling_what_is_lost():
        answer = context.services().completions.complete(order.request, call)
    completion = answer.completion
    body = completion.raw or json_text.dump(message_of(completion))
    return _json(body, _headers(answer))


def _stream(order: Order) -> Response:
    call = order.only_where_understood(context.make_call(_SOURCE))
    with order.telling_what_is_lost():
        answer = context.services().completions.stream(order.request, call)
    with closing_on_failure(answer):
        # A stream that is passed on says itself how long its input was.
        input_tokens = 0 if answer.is_raw else _estimate(order.request, answer)
        encoder = MessagesEncoder(answer.model, input_tokens, context.request_id())
        return stream_reply(answer, encoder, _headers(answer))


def _estimate(asked: CompletionRequest, answer: StreamAnswer) -> int:
    models = context.services().models
    return models.estimate_tokens(asked, answer.deployment.model)


def _headers(answer: Answer | StreamAnswer) -> dict[str, str]:
    return answer_headers(answer.dropped, answer.rate_limits, _RATE_LIMITS)


def _json(body: bytes, headers: dict[str, str]) -> Response:
    return Response(body, content_type="application/json", headers=headers)


def _passed_on() -> dict[str, str]:
    """Return the only header of the caller's that an upstream may see."""
    beta = request.headers.get(_BETA, "").strip()
    if not beta:
        return {}
    if len(beta) > _LONGEST_BETA or not _BETA_NAMES.fullmatch(beta):
        raise InvalidInputError.of(
            _BETA, "is no list of names", "names of letters, digits and dashes"
        )
    return {_BETA: beta}
