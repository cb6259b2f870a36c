"""Turns of a conversation, as OpenAI's chat dialect writes them.

Source: https://platform.openai.com/docs/api-reference/chat/create (`messages`).
"""

from collections.abc import Iterable, Iterator
from typing import Any

from flaskllm.llm.parts import Image, Message, Text, Thinking, ToolCall, ToolResult

_Encoded = dict[str, Any]


def encode_messages(
    messages: Iterable[Message], *, replays_thinking: bool
) -> list[_Encoded]:
    """Return the `messages` of a body.

    Thoughts are left out, but for services that want those back that led to a
    call of tools. A result of a tool can only be text here: its pictures follow
    in a turn of the user's.
    """
    encoded: list[_Encoded] = []
    for message in messages:
        encoded.extend(_encode(message, replays_thinking))
    return encoded


def _encode(message: Message, replays_thinking: bool) -> Iterator[_Encoded]:
    if message.role == "system":
        yield {"role": "system", "content": message.text}
    elif message.role == "assistant":
        yield _encode_assistant(message, replays_thinking)
    else:
        yield from _encode_asking(message)


def _encode_assistant(message: Message, replays_thinking: bool) -> _Encoded:
    calls = [_encode_call(each) for each in message.parts if isinstance(each, ToolCall)]
    if not calls:
        return {"role": "assistant", "content": message.text}
    encoded = {
        "role": "assistant",
        "content": message.text or None,
        "tool_calls": calls,
    }
    thoughts = [each.text for each in message.parts if isinstance(each, Thinking)]
    if replays_thinking and any(thoughts):
        encoded["reasoning_content"] = "".join(thoughts)
    return encoded


def _encode_call(call: ToolCall) -> _Encoded:
    # Templates read them as JSON, which nothing is not.
    function = {"name": call.name, "arguments": call.arguments or "{}"}
    return {"id": call.id, "type": "function", "function": function}


def _encode_asking(message: Message) -> Iterator[_Encoded]:
    """Yield a turn of the user's or of tools: results first, then all the rest."""
    if isinstance(message.content, str):
        yield {"role": "user", "content": message.content}
        return
    rest: list[Text | Image] = []
    for part in message.content:
        if isinstance(part, ToolResult):
            text = "".join(each.text for each in part.content if isinstance(each, Text))
            yield {"role": "tool", "tool_call_id": part.call_id, "content": text}
            rest += [each for each in part.content if isinstance(each, Image)]
        elif isinstance(part, Text | Image):
            rest.append(part)
    if rest:
        yield {"role": "user", "content": _encode_parts(rest)}


def _encode_parts(parts: list[Text | Image]) -> str | list[_Encoded]:
    if len(parts) == 1 and isinstance(parts[0], Text):
        return parts[0].text
    return [
        _encode_image(part) if isinstance(part, Image) else _encode_text(part)
        for part in parts
    ]


def _encode_text(part: Text) -> _Encoded:
    return {"type": "text", "text": part.text}


def _encode_image(image: Image) -> _Encoded:
    """Return a picture by its address, its own bytes as a `data:` one."""
    url = image.url or f"data:{image.media_type};base64,{image.data}"
    detail = {"detail": image.detail} if image.detail else {}
    return {"type": "image_url", "image_url": {"url": url, **detail}}
