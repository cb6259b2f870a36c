"""Whole replies in Anthropic's dialect.

Source: https://platform.claude.com/docs/en/api/messages
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from flaskllm.core import json_text
from flaskllm.core.errors import LLMProtocolError
from flaskllm.llm.parts import Thinking, ToolCall
from flaskllm.llm.providers.anthropic_request import JSON_TOOL
from flaskllm.llm.providers.counts import read_count
from flaskllm.llm.types import Completion, FinishReason, Usage

LONGEST_NAME = 200

# Any other is a way to say "stop" that we do not know.
_FINISH_REASONS: Mapping[str, FinishReason] = {
    "end_turn": "stop",
    "max_tokens": "length",
    "stop_sequence": "stop",
    "tool_use": "tool_calls",
    "pause_turn": "stop",
    "refusal": "content_filter",
    "model_context_window_exceeded": "length",
}


class _Block(BaseModel):
    type: str
    text: str = ""
    thinking: str = ""
    signature: str | None = None
    data: str | None = None
    id: str = ""
    name: str = ""
    input: Any = None


class Reply(BaseModel):
    """A message, or an error in its place."""

    content: list[_Block] | None = None
    model: str | None = None
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: Any = None
    error: Any = None


def read_reply(body: bytes) -> Reply:
    """Return the reply that a body is.

    Raises:
        LLMProtocolError: It is not JSON, or not of the dialect's shape.
    """
    try:
        return Reply.model_validate_json(body)
    except ValidationError:
        # From None: pydantic's text quotes the upstream's.
        raise LLMProtocolError(
            details="The upstream's reply is not a message."
        ) from None


def to_completion(reply: Reply, *, json_tool: bool, raw: bytes | None) -> Completion:
    """Return the completion in a reply that is no error.

    An empty one is an answer too: the model had nothing to add.

    Args:
        reply: As read.
        json_tool: Whether `JSON_TOOL` may stand for the answer's text.
        raw: The body, to be passed on as it is.

    Raises:
        LLMProtocolError: It has no content.
    """
    if reply.content is None:
        raise LLMProtocolError(details="The upstream's reply holds no content.")
    texts: list[str] = []
    calls: list[ToolCall] = []
    thoughts: list[Thinking] = []
    for block in reply.content:
        if block.type == "text":
            texts.append(block.text)
        elif block.type == "tool_use" and json_tool and block.name == JSON_TOOL:
            texts.append(_arguments(block.input))
        elif block.type == "tool_use":
            calls.append(ToolCall(block.id, block.name, _arguments(block.input)))
        elif block.type == "thinking":
            thoughts.append(Thinking(block.thinking, block.signature))
        elif block.type == "redacted_thinking":
            thoughts.append(Thinking(redacted=block.data))
    return Completion(
        text="".join(texts),
        finish_reason=finish_reason(reply.stop_reason, has_calls=bool(calls)),
        usage=read_usage(reply.usage),
        model=(reply.model or "")[:LONGEST_NAME],
        tool_calls=tuple(calls),
        thinking=tuple(thoughts),
        stop_sequence=reply.stop_sequence,
        raw=raw,
    )


def finish_reason(stop_reason: str | None, *, has_calls: bool) -> FinishReason:
    """Return the canonical reason; a call of `JSON_TOOL` alone is no call."""
    reason = _FINISH_REASONS.get(stop_reason or "end_turn", "stop")
    return "stop" if reason == "tool_calls" and not has_calls else reason


def read_usage(usage: Any) -> Usage:
    """Return the counts in their normal form, or none when they cannot be true.

    `input_tokens` leaves out what was read from the cache or written to it, and
    `output_tokens` holds the thoughts, which newer models count by themselves.
    """
    if not isinstance(usage, dict):
        return Usage()
    uncached = read_count(usage, "input_tokens")
    read = read_count(usage, "cache_read_input_tokens")
    written = read_count(usage, "cache_creation_input_tokens")
    output = read_count(usage, "output_tokens")
    details = usage.get("output_tokens_details")
    thoughts = (
        read_count(details, "thinking_tokens") if isinstance(details, dict) else 0
    )
    # An input of nothing was never sent: such servers do not count.
    is_input_true = min(uncached, read, written) >= 0 and uncached + read + written > 0
    if not is_input_true or not 0 <= thoughts <= output:
        return Usage()
    return Usage(uncached, read, written, output - thoughts, thoughts, "provider")


def _arguments(value: Any) -> str:
    return json_text.dump({} if value is None else value).decode()
