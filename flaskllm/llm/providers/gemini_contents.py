"""Conversations as contents of Gemini's dialect.

Sources: https://ai.google.dev/api/caching#Content and
https://ai.google.dev/gemini-api/docs/thought-signatures
"""

import mimetypes
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from flaskllm.core.json_text import read_object
from flaskllm.llm.parts import Image, Message, Part, Text, ToolCall, ToolResult

Content = dict[str, Any]

# What stands for the signature of a call that another model made: documented as the
# way to carry a conversation over.
_NO_SIGNATURE = "skip_thought_signature_validator"


def system_parts(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Return the words of all system turns, which stand outside the contents."""
    texts = (message.text for message in messages if message.role == "system")
    return [{"text": text} for text in texts if text]


def contents(messages: Iterable[Message], *, checks_signatures: bool) -> list[Content]:
    """Return all other turns; turns of one role are merged, empty ones left out.

    Results of tools stay by themselves, for they must be as many as the calls
    before them.

    Args:
        messages: In the canonical form.
        checks_signatures: Whether the first call of a turn needs a signature.
    """
    merged: list[Content] = []
    previous_role = ""
    names: dict[str, str] = {}
    for message in messages:
        names |= _names(message.parts)
        for role, parts in _turns(message, names, checks_signatures):
            if role == previous_role:
                merged[-1]["parts"] += parts
            else:
                said = "model" if role == "assistant" else "user"
                merged.append({"role": said, "parts": parts})
            previous_role = role
    return merged


def _turns(
    message: Message, names: dict[str, str], checks_signatures: bool
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield what a message becomes, each with our own role, without empty ones."""
    results = [part for part in message.parts if isinstance(part, ToolResult)]
    if results:
        yield "tool", [_result(result, names) for result in results]
    pictures = [part for result in results for part in result.content]
    shown = [*(part for part in pictures if isinstance(part, Image)), *message.parts]
    parts = list(_parts(shown, checks_signatures))
    if parts and message.role != "system":
        yield ("assistant" if message.role == "assistant" else "user"), parts


def _parts(parts: Sequence[Part], checks_signatures: bool) -> Iterator[dict[str, Any]]:
    """Yield what the model reads. Thoughts are not sent back, only signatures."""
    is_first_call = True
    for part in parts:
        if isinstance(part, Text) and part.text:
            yield {"text": part.text}
        elif isinstance(part, Image):
            yield _image(part)
        elif isinstance(part, ToolCall):
            needs_signature = checks_signatures and is_first_call
            yield _call(part, _NO_SIGNATURE if needs_signature else None)
            is_first_call = False


def _image(part: Image) -> dict[str, Any]:
    if part.data is not None:
        media_type = part.media_type or "image/png"
        return {"inlineData": {"mimeType": media_type, "data": part.data}}
    url = part.url or ""
    media_type = part.media_type or mimetypes.guess_type(urlsplit(url).path)[0] or ""
    said = {"mimeType": media_type} if media_type else {}
    return {"fileData": {**said, "fileUri": url}}


def _call(part: ToolCall, default_signature: str | None) -> dict[str, Any]:
    arguments = _arguments(part.arguments)
    call = {"id": part.id, "name": part.name, "args": arguments}
    signature = part.signature or default_signature
    said: dict[str, Any] = {"functionCall": call}
    return {**said, "thoughtSignature": signature} if signature else said


def _arguments(text: str) -> dict[str, Any]:
    """Return the arguments as the object that is required, whatever a model wrote."""
    if not text.strip():
        return {}
    arguments = read_object(text)
    return {"arguments": text} if arguments is None else arguments


def _result(result: ToolResult, names: dict[str, str]) -> dict[str, Any]:
    text = "".join(part.text for part in result.content if isinstance(part, Text))
    name = "error" if result.is_error else "result"
    said: dict[str, Any] = {
        "id": result.call_id,
        "name": names.get(result.call_id, result.call_id),
        "response": {name: text},
    }
    return {"functionResponse": said}


def _names(parts: Iterable[Part]) -> dict[str, str]:
    """Return the name behind each call's id: a result must name its function."""
    return {part.id: part.name for part in parts if isinstance(part, ToolCall)}
