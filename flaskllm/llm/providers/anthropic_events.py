"""The fields of an event of Anthropic's streams, and what to think of a broken one."""

from collections.abc import Mapping
from typing import Any, Final

from flaskllm.core.errors import LLMProtocolError
from flaskllm.core.sse import SSEEvent

MESSAGE_STOP: Final = b'event: message_stop\ndata: {"type": "message_stop"}\n\n'
# Where a delta of this type holds its text.
WRITTEN: Mapping[str, str] = {"text_delta": "text", "thinking_delta": "thinking"}
# What an event names that carries a part of the answer.
_CARRIERS = (b"content_block", b'"delta"')


class MalformedError(Exception):
    """An event is not what its type promises."""


def carries(event: SSEEvent) -> bool:
    """Tell whether an event that cannot be read carried a part of an answer."""
    if event.name.startswith("content_block"):
        return True
    return any(name in event.data for name in _CARRIERS)


def hole() -> LLMProtocolError:
    """Return the error for an event without which the answer has a hole."""
    return LLMProtocolError(details="A part of the answer cannot be read.")


def read_part(told: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an object that must be there.

    Raises:
        MalformedError: It is not, or is something else.
    """
    value = told.get(name)
    if not isinstance(value, dict):
        raise MalformedError
    return value


def read_string(told: dict[str, Any], name: str) -> str:
    """Return a text that may be missing, but is nothing else.

    Raises:
        MalformedError: It is.
    """
    value = told.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedError
    return value


def read_index(told: dict[str, Any]) -> int:
    """Return the index of the block that an event is about.

    Raises:
        MalformedError: It names none.
    """
    index = told.get("index")
    if not isinstance(index, int):
        raise MalformedError
    return index
