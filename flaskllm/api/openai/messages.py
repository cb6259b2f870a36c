"""The turns of a conversation as OpenAI's chat has them, and as we have them.

Source: https://platform.openai.com/docs/api-reference/chat/create
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from flaskllm.api.images import image_of
from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.parts import Image, Message, Part, Text, ToolCall, ToolResult

TOOL_NAME = r"^[a-zA-Z0-9_-]{1,64}$"


class Fields(BaseModel):
    """An object of a caller's: its types as they stand, and what we do not know."""

    model_config = ConfigDict(extra="allow", strict=True)


class ImageFields(Fields):
    """Where a picture is, and how closely to look at it."""

    url: str
    detail: str | None = Field(None, max_length=16)


class PartFields(Fields):
    """A piece of what a turn says."""

    type: Literal["text", "image_url", "refusal"]
    text: str | None = None
    refusal: str | None = None
    image_url: ImageFields | None = None


class CalledFields(Fields):
    """A function that was called; `arguments` is JSON text."""

    name: str = Field(pattern=TOOL_NAME)
    arguments: str


class CallFields(Fields):
    """A call of a tool that the model made."""

    id: str = Field(min_length=1, max_length=512)
    type: Literal["function"] = "function"
    function: CalledFields


def _tag_of_content(value: Any) -> str:
    return "@text" if isinstance(value, str) else "@parts"


Content = Annotated[
    Annotated[str, Tag("@text")]
    | Annotated[list[PartFields], Field(min_length=1, max_length=1000), Tag("@parts")],
    Discriminator(_tag_of_content),
]


class MessageFields(Fields):
    """A turn."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Content | None = None
    refusal: str | None = None
    tool_calls: list[CallFields] | None = Field(None, max_length=128)
    tool_call_id: str | None = Field(None, max_length=512)


def read_messages(given: Sequence[MessageFields]) -> tuple[Message, ...]:
    """Return the conversation; results of tools that follow one another share a turn.

    Raises:
        InvalidInputError: A turn says what its role cannot say, or is the result
            of a call that the assistant's turn before it did not make.
    """
    messages: list[Message] = []
    results: list[ToolResult] = []
    called: set[str] = set()
    for position, turn in enumerate(given):
        path = f"messages.{position}"
        if turn.role == "tool":
            results.append(_result(turn, called, path))
            continue
        if results:
            messages.append(Message("tool", tuple(results)))
            results = []
        messages.append(_TURNS[turn.role](turn, path))
        called = {call.id for call in turn.tool_calls or ()}
    if results:
        messages.append(Message("tool", tuple(results)))
    return tuple(messages)


def unheld(given: Sequence[MessageFields]) -> Iterator[str]:
    """Give the names of fields that only OpenAI's own dialect can say."""
    for turn in given:
        if turn.model_extra:
            yield from (f"messages.{name}" for name in turn.model_extra)
        if isinstance(turn.content, list):
            for part in turn.content:
                if part.model_extra:
                    yield from (f"messages.content.{name}" for name in part.model_extra)


def _system(turn: MessageFields, path: str) -> Message:
    if isinstance(turn.content, str):
        return Message("system", turn.content)
    return Message("system", tuple(_texts(turn, path)))


def _user(turn: MessageFields, path: str) -> Message:
    if isinstance(turn.content, str):
        return Message("user", turn.content)
    return Message("user", tuple(_texts_and_images(turn, path)))


def _assistant(turn: MessageFields, path: str) -> Message:
    calls = turn.tool_calls or ()
    if isinstance(turn.content, str) and not calls:
        return Message("assistant", turn.content)
    parts: list[Part] = []
    if isinstance(turn.content, str):
        parts += [Text(turn.content)] if turn.content else []
    elif turn.content is not None:
        parts += [_said(part, place) for place, part in _parts(turn, path)]
    elif turn.refusal is not None:
        parts.append(Text(turn.refusal))
    elif not calls:
        raise InvalidInputError.of(
            f"{path}.content", "is missing", "a text, unless there are tool_calls"
        )
    for call in calls:
        parts.append(ToolCall(call.id, call.function.name, call.function.arguments))
    return Message("assistant", tuple(parts))


def _result(turn: MessageFields, called: set[str], path: str) -> ToolResult:
    if not turn.tool_call_id:
        raise InvalidInputError.of(
            f"{path}.tool_call_id", "is missing", "the id of the call"
        )
    if turn.tool_call_id not in called:
        raise InvalidInputError.of(
            f"{path}.tool_call_id",
            "is no call of the assistant's turn before it",
            "an id among the tool_calls that this message follows",
        )
    if isinstance(turn.content, str):
        return ToolResult(turn.tool_call_id, (Text(turn.content),))
    return ToolResult(turn.tool_call_id, tuple(_texts_and_images(turn, path)))


_TURNS: Mapping[str, Callable[[MessageFields, str], Message]] = {
    "system": _system,
    "developer": _system,
    "user": _user,
    "assistant": _assistant,
}


def _parts(turn: MessageFields, path: str) -> Iterator[tuple[str, PartFields]]:
    """Give each part of a turn that must have some, and its path."""
    if turn.content is None or isinstance(turn.content, str):
        raise InvalidInputError.of(
            f"{path}.content", "is missing", "a text or a list of parts"
        )
    for position, part in enumerate(turn.content):
        yield f"{path}.content.{position}", part


def _texts(turn: MessageFields, path: str) -> Iterator[Text]:
    return (_text(part, place) for place, part in _parts(turn, path))


def _texts_and_images(turn: MessageFields, path: str) -> Iterator[Text | Image]:
    for place, part in _parts(turn, path):
        yield _image(part, place) if part.type == "image_url" else _text(part, place)


def _said(part: PartFields, path: str) -> Text:
    """Return what an assistant said, or with which words it refused."""
    if part.type == "refusal" and part.refusal is not None:
        return Text(part.refusal)
    return _text(part, path)


def _text(part: PartFields, path: str) -> Text:
    if part.type != "text":
        raise InvalidInputError.of(
            f"{path}.type", f"{part.type!r} may not stand in this turn", "text"
        )
    if part.text is None:
        raise InvalidInputError.of(f"{path}.text", "is missing", "a text")
    return Text(part.text)


def _image(part: PartFields, path: str) -> Image:
    if part.image_url is None:
        raise InvalidInputError.of(f"{path}.image_url", "is missing", "an address")
    return image_of(part.image_url.url, f"{path}.image_url.url", part.image_url.detail)
