"""Conversations as turns of Anthropic's dialect.

Turns of one role are merged; results of tools are blocks at the start of the user's
turn that follows the calls.

Source: https://platform.claude.com/docs/en/api/messages
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from flaskllm.core.json_text import read_object
from flaskllm.llm.parts import (
    Image,
    Message,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)
from flaskllm.llm.providers.anthropic_thinking import can_replay

Block = dict[str, Any]

_ROLES: Mapping[str, str] = {"user": "user", "tool": "user", "assistant": "assistant"}
_NOT_IN_AN_ID = re.compile(r"[^a-zA-Z0-9_-]")


def system_text(messages: Iterable[Message]) -> str:
    """Return the words of all system turns, which stand at the top level."""
    texts = (message.text for message in messages if message.role == "system")
    return "\n\n".join(text for text in texts if text)


def turns(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Return all other turns; one without a block is left out, as it is refused."""
    merged: list[dict[str, Any]] = []
    for message in messages:
        blocks = _blocks(message.parts) if message.role in _ROLES else []
        if not blocks:
            continue
        role = _ROLES[message.role]
        if merged and merged[-1]["role"] == role:
            merged[-1]["content"] += blocks
        else:
            merged.append({"role": role, "content": blocks})
    for turn in merged:
        turn["content"].sort(key=_comes_later)
    _trim_last(merged)
    return merged


def _comes_later(block: Block) -> bool:
    return bool(block["type"] != "tool_result")


def _trim_last(merged: list[dict[str, Any]]) -> None:
    """Drop the white space at the end, which an answer to go on with must not have."""
    if not merged or merged[-1]["role"] != "assistant":
        return
    last = merged[-1]["content"][-1]
    if last["type"] == "text":
        last["text"] = last["text"].rstrip()


def _blocks(parts: Iterable[Part]) -> list[Block]:
    blocks = (_BLOCKS[type(part)](part) for part in parts)
    return [block for block in blocks if block is not None]


def _text(part: Text) -> Block | None:
    # An empty block of text is refused.
    return {"type": "text", "text": part.text} if part.text.strip() else None


def _image(part: Image) -> Block:
    if part.data is None:
        return {"type": "image", "source": {"type": "url", "url": part.url}}
    media_type = part.media_type or "image/png"
    source = {"type": "base64", "media_type": media_type, "data": part.data}
    return {"type": "image", "source": source}


def _tool_call(part: ToolCall) -> Block:
    return {
        "type": "tool_use",
        "id": _id(part.id),
        "name": part.name,
        "input": _arguments(part.arguments),
    }


def _arguments(text: str) -> dict[str, Any]:
    """Return the arguments as the object that is required, whatever a model wrote."""
    if not text.strip():
        return {}
    arguments = read_object(text)
    return {"arguments": text} if arguments is None else arguments


def _tool_result(part: ToolResult) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": _id(part.call_id)}
    content = _blocks(part.content)
    if content:
        block["content"] = content
    if part.is_error:
        block["is_error"] = True
    return block


def _thinking(part: Thinking) -> Block | None:
    if not can_replay(part):
        return None
    if part.redacted is not None:
        return {"type": "redacted_thinking", "data": part.redacted}
    return {"type": "thinking", "thinking": part.text, "signature": part.signature}


def _id(call_id: str) -> str:
    """Return an id that this dialect allows; the same one for call and result."""
    return _NOT_IN_AN_ID.sub("_", call_id) or "call"


_BLOCKS: Mapping[type[Part], Callable[[Any], Block | None]] = {
    Text: _text,
    Image: _image,
    ToolCall: _tool_call,
    ToolResult: _tool_result,
    Thinking: _thinking,
}
