"""Models of two dialects that always answer, whole or as a stream."""

from typing import Any

from fakes import chat, json_reply
from stream_steps import event, sse, tokens

ANSWER = '{"keywords": ["invoice"]}'
MESSAGE_EVENTS = [
    {
        "type": "message_start",
        "message": {
            "id": "msg_up",
            "type": "message",
            "role": "assistant",
            "model": "claude-haiku-4-5",
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 11, "output_tokens": 1},
        },
    },
    {
        "type": "content_block_start",
        "index": 0,
        "content_block": {"type": "text", "text": ""},
    },
    {
        "type": "content_block_delta",
        "index": 0,
        "delta": {"type": "text_delta", "text": "Hi."},
    },
    {"type": "content_block_stop", "index": 0},
    {
        "type": "message_delta",
        "delta": {"stop_reason": "end_turn", "stop_sequence": None},
        "usage": {"output_tokens": 4},
    },
    {"type": "message_stop"},
]


def answer(exchange: Any) -> None:
    """Answer as the model that is asked, or that is looked at."""
    if exchange.request.method == "GET":
        json_reply({"object": "list", "data": []})(exchange)
        return
    asked = exchange.request.json
    if exchange.request.path.endswith("/messages"):
        sse([event(each, str(each["type"])) for each in MESSAGE_EVENTS])(exchange)
    elif asked.get("stream"):
        sse(tokens("Hi", " there"))(exchange)
    else:
        chat(ANSWER)(exchange)
