"""Items, of which the input and the output of a response are made, as messages.

Source: https://platform.openai.com/docs/api-reference/responses/create
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from flaskllm.api.images import image_of
from flaskllm.api.openai.responses_thoughts import read_thought
from flaskllm.api.validation import shorten
from flaskllm.core.errors import InvalidInputError
from flaskllm.core.ids import new_id
from flaskllm.llm.parts import (
    Image,
    Message,
    MessageRole,
    Part,
    Text,
    Thinking,
    ToolCall,
    ToolResult,
)

Item = Mapping[str, Any]
Turn = tuple[MessageRole, tuple[Part, ...]]

_MOST_ITEMS = 10_000
_ROLES: Mapping[str, MessageRole] = {
    "user": "user",
    "assistant": "assistant",
    "system": "system",
    "developer": "system",
}


def read_input(value: Any) -> list[Item]:
    """Return the input as items, each with a type and an id.

    Raises:
        InvalidInputError: It is neither a text nor a list of objects.
    """
    if isinstance(value, str):
        value = [{"role": "user", "content": value}]
    if not isinstance(value, list):
        raise InvalidInputError.of("input", "is missing", "a text or a list of items")
    if len(value) > _MOST_ITEMS:
        raise InvalidInputError.of("input", "is too long", f"{_MOST_ITEMS} items")
    return [_whole(each, f"input.{index}") for index, each in enumerate(value)]


def read_items(items: Sequence[Item], earlier: Sequence[Item]) -> tuple[Message, ...]:
    """Return the conversation; items of one turn of the assistant share a message.

    Args:
        items: Those of this request.
        earlier: Those of the turns before it.

    Raises:
        InvalidInputError: An item is wrong, is of a type that is not read here, or
            is the output of no call.
    """
    turns = [_turn(item, "previous_response_id") for item in earlier]
    turns += [_turn(item, f"input.{index}") for index, item in enumerate(items)]
    _check_outputs(turns)
    return tuple(_merged(turns))


def _whole(item: Any, path: str) -> Item:
    if not isinstance(item, dict):
        raise InvalidInputError.of(path, "is not an object", "an item")
    kind = item.get("type") or "message"
    if not isinstance(kind, str) or kind not in _READERS:
        raise InvalidInputError.of(
            f"{path}.type",
            f"{shorten(str(kind))!r} is not supported",
            ", ".join(_READERS),
        )
    named = {"id": item.get("id") or new_id(_ID_PREFIXES[kind]), "type": kind}
    content = item.get("content")
    if kind == "message" and isinstance(content, str):
        said = "output_text" if item.get("role") == "assistant" else "input_text"
        named["content"] = [{"type": said, "text": content}]
    return {**item, **named}


def _turn(item: Item, path: str) -> Turn:
    return _READERS[item["type"]](item, path)


def _message(item: Item, path: str) -> Turn:
    role = item.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise InvalidInputError.of(
            f"{path}.role", "is no role of a message", ", ".join(_ROLES)
        )
    content = _list(item, "content", path)
    types = _SAID if role == "assistant" else _ASKED
    parts = (_part(each, f"{path}.content.{i}", types) for i, each in content)
    return _ROLES[role], tuple(parts)


def _call(item: Item, path: str) -> Turn:
    signature = item.get("thought_signature")
    call = ToolCall(
        id=_string(item, "call_id", path),
        name=_string(item, "name", path),
        arguments=_string(item, "arguments", path),
        signature=signature if isinstance(signature, str) else None,
    )
    return "assistant", (call,)


def _call_output(item: Item, path: str) -> Turn:
    call_id, output = _string(item, "call_id", path), item.get("output")
    if isinstance(output, str):
        return "tool", (ToolResult(call_id, (Text(output),)),)
    content = _list(item, "output", path)
    read = (_part(each, f"{path}.output.{i}", _ASKED) for i, each in content)
    return "tool", (ToolResult(call_id, tuple(read)),)


def _thought(item: Item, path: str) -> Turn:
    thought = read_thought(item)
    # One that only OpenAI itself can open says nothing here.
    return "assistant", (thought,) if thought != Thinking() else ()


def _part(part: Any, path: str, types: "Mapping[str, Reader]") -> Text | Image:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str) or kind not in types:
        raise InvalidInputError.of(
            f"{path}.type", f"{shorten(str(kind))!r} is not supported", ", ".join(types)
        )
    return types[kind](part, path)


def _text(part: Item, path: str) -> Text:
    return Text(_string(part, "text", path))


def _refusal(part: Item, path: str) -> Text:
    return Text(_string(part, "refusal", path))


def _image(part: Item, path: str) -> Image:
    detail = part.get("detail")
    return image_of(
        _string(part, "image_url", path),
        f"{path}.image_url",
        detail if isinstance(detail, str) else None,
    )


def _check_outputs(turns: Sequence[Turn]) -> None:
    called: set[str] = set()
    for _, parts in turns:
        for part in parts:
            if isinstance(part, ToolCall):
                called.add(part.id)
            elif isinstance(part, ToolResult) and part.call_id not in called:
                raise InvalidInputError.of(
                    "input",
                    f"no function_call has the call_id {shorten(part.call_id)!r}",
                    "the call_id of a function_call",
                )


def _merged(turns: Sequence[Turn]) -> Iterator[Message]:
    """Yield the messages: of assistants and tools one for each run of items."""
    told = (turn for turn in turns if turn[1])
    for role, run in groupby(told, key=lambda turn: turn[0]):
        if role in ("assistant", "tool"):
            yield Message(role, tuple(part for _, parts in run for part in parts))
        else:
            yield from (Message(role, parts) for _, parts in run)


def _list(item: Item, name: str, path: str) -> list[tuple[int, Any]]:
    value = item.get(name)
    if not isinstance(value, list):
        raise InvalidInputError.of(
            f"{path}.{name}",
            "is neither a text nor a list",
            "a text or a list of parts",
        )
    return list(enumerate(value))


def _string(item: Item, name: str, path: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        raise InvalidInputError.of(f"{path}.{name}", "is not a string", "a string")
    return value


Reader = Callable[[Item, str], Text | Image]
_ASKED: Mapping[str, Reader] = {"input_text": _text, "input_image": _image}
_SAID: Mapping[str, Reader] = {
    "output_text": _text,
    "input_text": _text,
    "refusal": _refusal,
}
_READERS: Mapping[str, Callable[[Item, str], Turn]] = {
    "message": _message,
    "function_call": _call,
    "function_call_output": _call_output,
    "reasoning": _thought,
}
_ID_PREFIXES = {
    "message": "msg",
    "function_call": "fc",
    "function_call_output": "fco",
    "reasoning": "rs",
}
