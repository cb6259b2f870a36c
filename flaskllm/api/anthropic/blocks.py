"""Messages and their content blocks, as the canonical form has them.

Source: https://docs.claude.com/en/api/messages
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

from flaskllm.api.anthropic.findings import Findings
from flaskllm.api.images import image_of, image_of_data
from flaskllm.api.validation import shorten
from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.parts import (
    Image,
    Message,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

Block = Mapping[str, Any]
Role = Literal["user", "assistant"]

_CONTENT = "a text or a list of content blocks"


def read_system(value: Any, found: Findings) -> tuple[Message, ...]:
    """Return the system prompt as no message or as one.

    Raises:
        InvalidInputError: It is neither a text nor a list of text blocks.
    """
    if value is None or value == "":
        return ()
    if isinstance(value, str):
        return (Message("system", value),)
    blocks = _blocks(value, "system", _CONTENT)
    parts = [_part(each, f"system.{i}", ("text",), found) for i, each in blocks]
    return (Message("system", tuple(part for part in parts if part)),)


def read_messages(raw: Sequence[Any], found: Findings) -> tuple[Message, ...]:
    """Return the turns; results of tools become turns of their own.

    Raises:
        InvalidInputError: A role or a block is wrong, or a result answers no call
            of the assistant's turn before it.
    """
    messages: list[Message] = []
    open_calls: set[str] = set()
    for index, turn in enumerate(raw):
        read = tuple(_turn(turn, f"messages.{index}", found))
        if read and read[0].role == "assistant":
            if messages and messages[-1].role != "assistant":
                open_calls.clear()
            open_calls |= {p.id for p in read[0].parts if isinstance(p, ToolCall)}
        _check_results(read, open_calls, f"messages.{index}")
        messages += read
    return tuple(messages)


def _turn(turn: Any, path: str, found: Findings) -> Iterator[Message]:
    if not isinstance(turn, dict):
        raise InvalidInputError.of(path, "is not an object", "an object")
    role = _role(turn, path)
    found.drop(turn.keys() - {"role", "content"})
    content = turn.get("content")
    if isinstance(content, str):
        yield Message(role, content)
        return
    path = f"{path}.content"
    blocks = _blocks(content, path, _CONTENT)
    if not blocks and role == "user":
        raise InvalidInputError.of(path, "is empty", "at least 1 content block")
    read = (_part(each, f"{path}.{i}", _TYPES[role], found) for i, each in blocks)
    parts = [part for part in read if part is not None]
    for are_results, run in groupby(parts, _is_result):
        yield Message("tool" if are_results else role, tuple(run))


def _role(turn: Block, path: str) -> Role:
    role = turn.get("role")
    if isinstance(role, str) and role in _ROLES:
        return _ROLES[role]
    shown = shorten(role) if isinstance(role, str) else "this"
    raise InvalidInputError.of(
        f"{path}.role",
        f"{shown!r} is no role of a message",
        "user, assistant; a system prompt goes into the field system",
    )


def _check_results(turn: tuple[Message, ...], open_calls: set[str], path: str) -> None:
    for part in (part for message in turn for part in message.parts):
        if isinstance(part, ToolResult) and part.call_id not in open_calls:
            raise InvalidInputError.of(
                f"{path}.content",
                f"the tool_result for {shorten(part.call_id)!r} answers no tool_use",
                "the id of a tool_use in the assistant's turn before",
            )


def _is_result(part: Part) -> bool:
    return isinstance(part, ToolResult)


def _blocks(value: Any, path: str, allowed: str) -> list[tuple[int, Block]]:
    if not isinstance(value, list):
        raise InvalidInputError.of(path, "is neither a text nor a list", allowed)
    for index, each in enumerate(value):
        if not isinstance(each, dict) or not isinstance(each.get("type"), str):
            raise InvalidInputError.of(
                f"{path}.{index}", "is no content block", "an object with a type"
            )
    return list(enumerate(value))


def _part(
    block: Block, path: str, types: Sequence[str], found: Findings
) -> Part | None:
    """Return a block as a part; None for what only Anthropic's own service reads."""
    kind = block["type"]
    if kind not in _READERS:
        found.need(path, f"a block of the type {shorten(kind)!r}")
        return None
    if kind not in types:
        raise InvalidInputError.of(
            f"{path}.type", f"{kind!r} does not belong here", ", ".join(types)
        )
    return _READERS[kind](block, path, found)


def _text(block: Block, path: str, found: Findings) -> Text:
    found.drop(block.keys() - {"type", "text"})
    return Text(_string(block, "text", path))


def _image(block: Block, path: str, found: Findings) -> Image | None:
    found.drop(block.keys() - {"type", "source"})
    source = _source(block, path)
    if source["type"] == "base64":
        media_type = _string(source, "media_type", f"{path}.source")
        data = _string(source, "data", f"{path}.source")
        return image_of_data(data, media_type, f"{path}.source.data")
    if source["type"] == "url":
        url = _string(source, "url", f"{path}.source")
        return image_of(url, f"{path}.source.url")
    found.need(path, f"an image from {shorten(source['type'])!r}")
    return None


def _document(block: Block, path: str, found: Findings) -> Text | None:
    """Return a document of plain text as text; another dialect has no other."""
    source = _source(block, path)
    if source["type"] != "text":
        found.need(path, f"a document from {shorten(source['type'])!r}")
        return None
    found.drop(block.keys() - {"type", "source", "title", "context"})
    above = [block.get("title"), block.get("context")]
    told = [each for each in above if isinstance(each, str) and each]
    return Text("\n\n".join([*told, _string(source, "data", f"{path}.source")]))


def _tool_use(block: Block, path: str, found: Findings) -> ToolCall:
    found.drop(block.keys() - {"type", "id", "name", "input"})
    arguments = block.get("input")
    if not isinstance(arguments, dict):
        raise InvalidInputError.of(f"{path}.input", "is not an object", "an object")
    return ToolCall(
        id=_string(block, "id", path),
        name=_string(block, "name", path),
        arguments=json.dumps(arguments, ensure_ascii=False),
    )


def _tool_result(block: Block, path: str, found: Findings) -> ToolResult:
    found.drop(block.keys() - {"type", "tool_use_id", "content", "is_error"})
    call_id = _string(block, "tool_use_id", path)
    content = block.get("content")
    is_error = block.get("is_error") is True
    if content is None or isinstance(content, str):
        return ToolResult(call_id, (Text(content or ""),), is_error)
    path = f"{path}.content"
    blocks = _blocks(content, path, _CONTENT)
    read = (_part(each, f"{path}.{i}", _RESULT_TYPES, found) for i, each in blocks)
    shown = tuple(part for part in read if isinstance(part, Text | Image))
    return ToolResult(call_id, shown, is_error)


def _thinking(block: Block, path: str, found: Findings) -> Thinking:
    found.drop(block.keys() - {"type", "thinking", "signature"})
    signature = _string(block, "signature", path) if "signature" in block else None
    return Thinking(_string(block, "thinking", path), signature or None)


def _redacted(block: Block, path: str, found: Findings) -> Thinking:
    found.drop(block.keys() - {"type", "data"})
    return Thinking(redacted=_string(block, "data", path))


def _source(block: Block, path: str) -> Block:
    source = block.get("source")
    if not isinstance(source, dict) or not isinstance(source.get("type"), str):
        raise InvalidInputError.of(
            f"{path}.source", "is no source", "an object with a type"
        )
    return source


def _string(block: Block, name: str, path: str) -> str:
    value = block.get(name)
    if not isinstance(value, str):
        raise InvalidInputError.of(f"{path}.{name}", "is not a string", "a string")
    return value


_READERS: Mapping[str, Callable[[Block, str, Findings], Part | None]] = {
    "text": _text,
    "image": _image,
    "document": _document,
    "tool_use": _tool_use,
    "tool_result": _tool_result,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
}
_ROLES: Mapping[str, Role] = {"user": "user", "assistant": "assistant"}
# Which of them may stand in a turn of this role.
_TYPES: Mapping[Role, tuple[str, ...]] = {
    "user": ("text", "image", "document", "tool_result"),
    "assistant": ("text", "tool_use", "thinking", "redacted_thinking"),
}
_RESULT_TYPES = ("text", "image", "document")
