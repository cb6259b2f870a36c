"""`GET /v1/responses` as a WebSocket: responses, turn by turn, on one connection.

A client sends `response.create`, the body of `POST /v1/responses` without `stream`;
the same events come back as JSON. The connection remembers its last response, also
one that is not stored, so the next turn sends only what is new.
Source: https://platform.openai.com/docs/guides/websocket-mode
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from flask import Blueprint

from flaskllm.api import context, forbidden
from flaskllm.api.cache_wishes import take_wishes
from flaskllm.api.guard import guarded
from flaskllm.api.openai import replies
from flaskllm.api.openai.errors import body_of, status_of
from flaskllm.api.openai.responses import keeper_here
from flaskllm.api.openai.responses_events import ResponseEvents
from flaskllm.api.openai.responses_fields import ResponsesFields, check_state
from flaskllm.api.openai.responses_items import Item, read_input, read_items
from flaskllm.api.openai.responses_object import Json, ended, new_response
from flaskllm.api.openai.responses_order import ResponseOrder, read_order
from flaskllm.api.validation import parse_model, shorten
from flaskllm.api.websocket import talk_route
from flaskllm.api.websocket_turns import Emit, Event, Frame
from flaskllm.core.auth import Scope
from flaskllm.core.errors import APIError, CallerGone, InvalidInputError
from flaskllm.core.json_text import dump
from flaskllm.llm.streaming import StreamAnswer
from flaskllm.llm.streams import Chunk, Seam
from flaskllm.llm.types import Call, CompletionRequest, Usage
from flaskllm.services.responses import MOST_CONVERSATION_BYTES, too_long

blueprint = Blueprint("openai_responses_socket", __name__)

_CREATE = "response.create"
_CANCEL = "response.cancel"
_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
# What a frame says beside the fields of a request.
_OF_THE_FRAME = frozenset({"type", "generate", "stream"})


@dataclass(frozen=True, slots=True)
class _Last:
    """The last response of a connection: all items up to its end."""

    id: str
    items: Sequence[Item]
    is_kept: bool


class ResponsesTalk:
    """The turns of one connection."""

    source = "openai:responses"

    def __init__(self) -> None:
        """Start before the first frame."""
        self._last: _Last | None = None

    def is_cancel(self, frame: Frame) -> bool:
        """Tell whether the frame ends the response that is being made."""
        return frame.get("type") == _CANCEL

    def turn(self, frame: Frame, call: Call, emit: Emit) -> Event:
        """Make a response; return its last event.

        Raises:
            APIError: It was not begun. One that breaks later ends with the event
                `response.failed`.
            CallerGone: It was cancelled.
        """
        call = replace(call, cache=call.cache.also(take_wishes(frame)))
        given = _fields_of(frame)
        earlier = self._earlier(given.previous_response_id)
        if frame.get("generate") is False:
            return _emit_all(self._warm_up(given, earlier), emit)
        order = read_order(given, earlier, direct=context.principal().direct_models)
        asked = replace(order.request, stream=True)
        answer = context.services().completions.stream(asked, call)
        try:
            return _emit_all(self._told(answer, order, earlier), emit)
        finally:
            answer.close()

    def refuse(self, error: APIError) -> Event:
        """Return the `error` event."""
        return {"type": "error", "status": status_of(error), **body_of(error)}

    def write(self, event: Event) -> str:
        """Return an event as JSON; its number was given when it was made."""
        return dump(event).decode()

    def _earlier(self, previous_id: str | None) -> Sequence[Item]:
        """Return the items before this turn: remembered here, else stored.

        Raises:
            NotFound: Neither, or it is another principal's.
            InvalidInputError: They are more than one may go on with.
        """
        if self._last is not None and self._last.id == previous_id:
            items = self._last.items
            if len(dump(items)) > MOST_CONVERSATION_BYTES:
                raise too_long()
            return items
        return keeper_here().earlier(previous_id)

    def _told(
        self, answer: StreamAnswer, order: ResponseOrder, earlier: Sequence[Item]
    ) -> Iterator[Json]:
        response = new_response(order, answer.model, replies.now())
        events = ResponseEvents(
            response, lambda whole: self._keep(order, whole, earlier)
        )
        try:
            for piece in answer:
                # A silence needs no sign of life here: the connection has pings.
                if isinstance(piece, Seam):
                    events.resume(piece)
                elif isinstance(piece, Chunk):
                    yield from events.tell(piece)
            yield from events.finish(answer)
        except CallerGone:
            raise
        except APIError as error:
            yield from events.fail(error)

    def _keep(self, order: ResponseOrder, whole: Json, earlier: Sequence[Item]) -> Json:
        last = self._last
        previous_id = order.given.previous_response_id
        is_only_here = last is not None and last.id == previous_id and not last.is_kept
        told = keeper_here().keep(order, whole, earlier if is_only_here else ())
        items = [*earlier, *order.input_items, *whole["output"]]
        self._last = _Last(told["id"], items, is_kept=told["store"])
        return told

    def _warm_up(
        self, given: ResponsesFields, earlier: Sequence[Item]
    ) -> Iterator[Json]:
        """Yield an empty response to an input that is remembered, not answered."""
        check_state(given)
        items = read_input(given.input or [])
        read_items(items, earlier)
        if given.model:
            context.services().models.find(given.model, context.principal())
        unasked = ResponseOrder(given, CompletionRequest(given.model, ()), items)
        response = new_response(unasked, given.model or "auto", replies.now())
        whole = {**ended(response, [], "stop", Usage()), "store": False}
        self._last = _Last(whole["id"], [*earlier, *items], is_kept=False)
        told = {"response.created": response, "response.completed": whole}
        for number, (kind, body) in enumerate(told.items()):
            yield {"type": kind, "sequence_number": number, "response": body}


@talk_route(blueprint, "/responses")
@guarded(Scope.CHAT)
def converse() -> ResponsesTalk:
    """Return what is said on one connection."""
    return ResponsesTalk()


def _fields_of(frame: Frame) -> ResponsesFields:
    if frame.get("type") != _CREATE:
        raise InvalidInputError.of(
            "type", f"{shorten(str(frame.get('type')))!r} is unknown", _CREATE
        )
    fields = {name: frame[name] for name in frame.keys() - _OF_THE_FRAME}
    forbidden.check(fields)
    return parse_model(ResponsesFields, fields)


def _emit_all(events: Iterator[Json], emit: Emit) -> Json:
    """Send each event at once but the one that ends the turn, which is returned."""
    event = next(events)
    while event["type"] not in _ENDS:
        emit(event)
        event = next(events)
    return event
