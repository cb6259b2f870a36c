"""`GET /api/v1/chat/ws`: questions to a model and their answers, on one WebSocket."""

from dataclasses import replace

from flask import Blueprint

from flaskllm.api import context
from flaskllm.api.errors import body_of
from flaskllm.api.guard import guarded
from flaskllm.api.openapi import documented
from flaskllm.api.v1.chat_events import (
    DONE,
    ERROR,
    TOKEN,
    done_of,
    new_message_id,
    words_of,
)
from flaskllm.api.v1.chat_fields import read_order
from flaskllm.api.websocket import talk_route
from flaskllm.api.websocket_turns import Emit, Event, Frame
from flaskllm.core.auth import Scope
from flaskllm.core.errors import APIError, UpgradeRequired
from flaskllm.core.json_text import dump
from flaskllm.llm.streams import Chunk, Seam
from flaskllm.llm.types import Call
from flaskllm.services.budget_words import budget_warnings

blueprint = Blueprint("chat_socket", __name__)


class ChatTalk:
    """The native events as JSON objects; the ids count through a connection."""

    source = "chat:websocket"

    def __init__(self) -> None:
        """Start before the first event."""
        self._number = 0

    def is_cancel(self, frame: Frame) -> bool:
        """Tell whether the frame is `{"cancel": true}`."""
        return frame.get("cancel") is True

    def turn(self, frame: Frame, call: Call, emit: Emit) -> Event:
        """Answer what `POST /api/v1/chat/stream` takes; return the `done` event."""
        direct = context.principal().direct_models
        order = read_order(frame, direct=direct, stream=True)
        call = replace(call, cache=call.cache.also(order.wish))
        answer = context.services().completions.stream(order.request, call)
        seam: Seam | None = None
        try:
            for piece in answer:
                # A silence needs no sign of life here: the connection has pings.
                if isinstance(piece, Seam):
                    seam = piece
                elif isinstance(piece, Chunk) and (words := words_of(piece)):
                    emit({"event": TOKEN, "text": words})
        finally:
            answer.close()
        warnings = (*order.warnings, *budget_warnings(context.notices()))
        done = done_of(
            answer, new_message_id(), warnings, seam, context.account().cost_nanos
        )
        return {"event": DONE, **done}

    def refuse(self, error: APIError) -> Event:
        """Return the `error` event."""
        return {"event": ERROR, **body_of(error)}

    def write(self, event: Event) -> str:
        """Return an event with its number."""
        self._number += 1
        return dump({"id": self._number, **event}).decode()


@talk_route(blueprint, "/chat/ws")
@guarded(Scope.CHAT, or_frame=True)
@documented(
    summary="Ask a model several times on one WebSocket.",
    replies={101: {}},
    errors=(UpgradeRequired,),
)
def converse() -> ChatTalk:
    """Return what is said on one connection."""
    return ChatTalk()
