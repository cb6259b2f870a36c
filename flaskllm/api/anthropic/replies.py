"""Whole answers as Anthropic words them.

Source: https://docs.claude.com/en/api/messages
"""

from collections.abc import Iterator, Mapping
from typing import Any

from flaskllm.core.errors import LLMProtocolError
from flaskllm.core.ids import new_id
from flaskllm.core.json_text import read_object
from flaskllm.llm.parts import Thinking, ToolCall
from flaskllm.llm.types import Completion, FinishReason, Usage

_STOP_REASONS: Mapping[FinishReason | None, str] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}


def message_of(completion: Completion) -> dict[str, Any]:
    """Return the message of an upstream that speaks another dialect.

    Raises:
        LLMProtocolError: The arguments of a call are not a JSON object.
    """
    return {
        **new_message(completion.model),
        "content": list(_content(completion)),
        "stop_reason": stop_reason(completion.finish_reason, completion.stop_sequence),
        "stop_sequence": completion.stop_sequence,
        "usage": usage_of(completion.usage),
    }


def new_message(model: str) -> dict[str, Any]:
    """Return a message that says nothing yet."""
    return {
        "id": new_id("msg"),
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def stop_reason(reason: FinishReason | None, stop_sequence: str | None) -> str:
    """Return why the answer ended; a stop sequence has a word of its own."""
    if reason == "stop" and stop_sequence is not None:
        return "stop_sequence"
    return _STOP_REASONS.get(reason, "end_turn")


def usage_of(usage: Usage) -> dict[str, int]:
    """Return the counts; `input_tokens` are those that no cache was asked for."""
    return {
        "input_tokens": usage.input_uncached,
        "cache_creation_input_tokens": usage.input_cache_write,
        "cache_read_input_tokens": usage.input_cache_read,
        "output_tokens": usage.tokens_output,
    }


def thinking_block(thought: Thinking) -> dict[str, Any]:
    """Return a thought; without a signature where its upstream signs none."""
    if thought.redacted is not None:
        return {"type": "redacted_thinking", "data": thought.redacted}
    return {
        "type": "thinking",
        "thinking": thought.text,
        "signature": thought.signature or "",
    }


def _content(completion: Completion) -> Iterator[dict[str, Any]]:
    yield from map(thinking_block, completion.thinking)
    text = completion.text or completion.refusal
    if text:
        yield {"type": "text", "text": text}
    is_cut = completion.finish_reason == "length"
    for call in completion.tool_calls:
        yield {
            "type": "tool_use",
            "id": call.id,
            "name": call.name,
            "input": _input(call, is_cut=is_cut),
        }


def _input(call: ToolCall, *, is_cut: bool) -> dict[str, Any]:
    """Return the arguments; of an answer that was cut they may be half an object."""
    arguments = read_object(call.arguments or "{}")
    if arguments is not None:
        return arguments
    if is_cut:
        return {}
    raise LLMProtocolError(details="The arguments of a call are not a JSON object.")
