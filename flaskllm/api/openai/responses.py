"""`/v1/responses`: made, streamed, kept for the next turn, read and deleted.

Every upstream is spoken to through the canonical form. Source:
https://platform.openai.com/docs/api-reference/responses
"""

from dataclasses import replace
from datetime import timedelta
from typing import Literal

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, Field

from flaskllm.api import context
from flaskllm.api.guard import guarded
from flaskllm.api.idempotency import idempotent
from flaskllm.api.openai import replies
from flaskllm.api.openai.requests import MODEL_BODY_BYTES, read
from flaskllm.api.openai.responses_encoder import ResponsesEncoder
from flaskllm.api.openai.responses_events import ResponseEvents
from flaskllm.api.openai.responses_fields import ResponsesFields
from flaskllm.api.openai.responses_kept import Keeper, page_of
from flaskllm.api.openai.responses_object import (
    Json,
    ended,
    new_response,
    output_of,
)
from flaskllm.api.openai.responses_order import ResponseOrder, read_order
from flaskllm.api.replies import dropped_header
from flaskllm.api.streaming import closing_on_failure, stream_reply
from flaskllm.api.validation import parse_model
from flaskllm.core import json_text
from flaskllm.core.auth import Scope
from flaskllm.core.errors import InvalidInputError

blueprint = Blueprint("openai_responses", __name__)


class PageQuery(BaseModel):
    """Which input items to list."""

    model_config = ConfigDict(extra="ignore")

    after: str | None = None
    limit: int = Field(20, ge=1, le=100)
    order: Literal["asc", "desc"] = "desc"


@blueprint.post("/responses")
@guarded(Scope.CHAT)
@idempotent(MODEL_BODY_BYTES)
def create() -> Response:
    """Return the response to an input, whole or as a stream."""
    given, _ = read(ResponsesFields)
    keeper = keeper_here()
    earlier = keeper.earlier(given.previous_response_id)
    order = read_order(given, earlier, direct=context.principal().direct_models)
    if order.request.stream:
        return _stream(order)
    return _whole(order)


@blueprint.get("/responses/<response_id>")
@guarded(Scope.CHAT)
def find(response_id: str) -> Response:
    """Return a response that is kept; it is whole, so it cannot be streamed again."""
    if request.args.get("stream") == "true":
        raise InvalidInputError.of("stream", "is not supported here", "false")
    kept = context.services().responses.find(response_id, context.principal().id)
    return _reply(dict(kept.body))


@blueprint.delete("/responses/<response_id>")
@guarded(Scope.CHAT)
def remove(response_id: str) -> Response:
    """Forget a response."""
    context.services().responses.remove(response_id, context.principal().id)
    return _reply({"id": response_id, "object": "response", "deleted": True})


@blueprint.get("/responses/<response_id>/input_items")
@guarded(Scope.CHAT)
def list_input(response_id: str) -> Response:
    """Return the input items of a response, a page at a time."""
    query = parse_model(PageQuery, request.args)
    kept = context.services().responses.find(response_id, context.principal().id)
    page = page_of(
        kept.input_items,
        after=query.after,
        limit=query.limit,
        is_oldest_first=query.order == "asc",
    )
    return _reply(page)


def keeper_here() -> Keeper:
    """Return what keeps the responses of this request's principal.

    What had to stay local is kept as long as `privacy.keep_days` says: ask for it once
    the model has answered.
    """
    house = context.services()
    keeper = Keeper(house.responses, context.principal().id)
    if not context.is_confined():
        return keeper
    days = house.privacy.settings.keep_days
    return replace(keeper, kept_for=timedelta(days=days))


def _whole(order: ResponseOrder) -> Response:
    completions = context.services().completions
    call = context.make_call("openai:responses")
    answer = completions.complete(order.request, call)
    completion = answer.completion
    response = ended(
        new_response(order, completion.model, replies.now()),
        output_of(completion),
        completion.finish_reason,
        completion.usage,
    )
    kept = keeper_here().keep(order, response)
    return _reply(kept, (*order.dropped, *answer.dropped))


def _stream(order: ResponseOrder) -> Response:
    completions = context.services().completions
    call = context.make_call("openai:responses")
    answer = completions.stream(order.request, call)
    with closing_on_failure(answer):
        keeper = keeper_here()
        response = new_response(order, answer.model, replies.now())
        events = ResponseEvents(response, lambda whole: keeper.keep(order, whole))
        dropped = dropped_header((*order.dropped, *answer.dropped))
        return stream_reply(answer, ResponsesEncoder(events), dropped)


def _reply(body: Json, dropped: tuple[str, ...] = ()) -> Response:
    return replies.json_bytes_reply(json_text.dump(body), dropped)
