"""Events of Anthropic's streams as tests write them, and a reader that is fed them."""

import json

from fakes import FakeClock

from flaskllm.core.sse import encode_event
from flaskllm.llm.parts import Message
from flaskllm.llm.providers import build_provider
from flaskllm.llm.types import CallerBody, CompletionRequest

PROVIDER = build_provider("anthropic", None, "sk-ant-fake", FakeClock())
ASK = CompletionRequest("fast", (Message("user", "Hi"),), stream=True)
SHARED = CompletionRequest(
    "fast", ASK.messages, stream=True, body=CallerBody("anthropic.messages", {})
)
TEXT = {"type": "text", "text": ""}
MESSAGE_STOP = b'event: message_stop\ndata: {"type": "message_stop"}\n\n'


def event(kind, **told):
    return encode_event(json.dumps({"type": kind, **told}), name=kind)


def start(**usage):
    usage = usage or {"input_tokens": 12, "output_tokens": 1}
    message = {"id": "msg_1", "model": "claude-x", "usage": usage}
    return event("message_start", message=message)


def begin(index=0, **block):
    return event("content_block_start", index=index, content_block=block or TEXT)


def delta(kind, index=0, **told):
    return event("content_block_delta", index=index, delta={"type": kind, **told})


def text(words, index=0):
    return delta("text_delta", index, text=words)


def stop(index=0):
    return event("content_block_stop", index=index)


def finish(reason="end_turn", **usage):
    told = {"stop_reason": reason, "stop_sequence": None}
    return event("message_delta", delta=told, usage=usage or {"output_tokens": 5})


def fed(*events, request=ASK):
    reader = PROVIDER.read_stream(request)
    pieces = [piece for each in events for piece in reader.feed(each)]
    return reader, pieces
