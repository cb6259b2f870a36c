"""What a request says, for the rules that look for what must stay local. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from flaskllm.llm.parts import Image, Message, Part, Text, Thinking, ToolCall
from flaskllm.llm.types import CompletionRequest, EmbeddingRequest

UNREADABLE: Final = "unreadable"
"""Told in the place of a rule where the input is token numbers: nobody can look."""

# Longer texts without any space are files in base64.
_LONGEST_WORD = 4096


def texts_of(request: CompletionRequest | EmbeddingRequest) -> tuple[str, ...]:
    """Return every text that a request would send, equal ones once.

    Messages, tools, and their answers; pictures and other files are not looked into.
    """
    return tuple(dict.fromkeys(_all_texts(request)))


def _all_texts(request: CompletionRequest | EmbeddingRequest) -> Iterator[str]:
    if isinstance(request, EmbeddingRequest):
        yield from (each for each in request.inputs if isinstance(each, str))
        return
    for message in request.messages:
        yield from _texts_of_message(message)
    for tool in request.tools:
        yield tool.description
        yield from _leaves(tool.parameters)
    yield from _leaves(request.body.fields if request.body else None)
    yield request.user or ""


def has_unreadable(request: CompletionRequest | EmbeddingRequest) -> bool:
    """Tell whether inputs are token numbers, which no rule can read."""
    if isinstance(request, EmbeddingRequest):
        return any(not isinstance(each, str) for each in request.inputs)
    prompt = request.body.fields.get("prompt") if request.body else None
    return isinstance(prompt, list) and any(not isinstance(e, str) for e in prompt)


def _texts_of_message(message: Message) -> Iterator[str]:
    if isinstance(message.content, str):
        yield message.content
        return
    # What stands in several parts may be one sentence: `4111 1111` and `1111 1111`.
    yield message.text
    for part in message.content:
        yield from _texts_of_part(part)


def _texts_of_part(part: Part) -> Iterator[str]:
    if isinstance(part, Thinking):
        yield part.text
    elif isinstance(part, ToolCall):
        yield part.arguments
    elif not isinstance(part, Text | Image):
        yield "".join(each.text for each in part.content if isinstance(each, Text))


def _leaves(value: Any) -> Iterator[str]:
    """Yield the texts of plain JSON, without what is a file in base64."""
    if isinstance(value, str):
        if len(value) <= _LONGEST_WORD or any(map(str.isspace, value)):
            yield value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield str(name)
            yield from _leaves(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _leaves(each)
