"""The JSON of a sender, read without believing its types."""

import json
from collections.abc import Mapping
from typing import Any

from flaskllm.inputs.charsets import decode
from flaskllm.inputs.senders import json_body
from flaskllm.inputs.senders.types import SenderRefusedError


def read_object(content: bytes | str) -> Mapping[str, Any]:
    """Return the object that a JSON text holds.

    Raises:
        SenderRefusedError: `malformed`: it is no JSON, or no object.
    """
    return json_body.object_of(read_json(content))


def read_json(content: bytes | str) -> Any:
    """Return what a JSON text holds.

    Raises:
        SenderRefusedError: `malformed`: it is no JSON, or nested too deeply.
    """
    text = content if isinstance(content, str) else decode(content, "utf-8").text
    try:
        # Not our quick reader: mails hold halves of surrogate pairs, which it refuses.
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        # Its own words would quote the delivery.
        raise SenderRefusedError("malformed", "The body is no JSON.") from None
    return json_body.shallow(value)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def text_at(source: Any, *names: str) -> str:
    """Return the text at a path of names; empty where there is none.

    Numbers count as text. What cannot be written out again (lone halves of a
    surrogate pair) becomes a question mark.
    """
    found = _at(source, names)
    if isinstance(found, str):
        return found.encode("utf-8", "replace").decode("utf-8")
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return str(found) if is_number else ""


def object_at(source: Any, *names: str) -> Mapping[str, Any]:
    """Return the object at a path of names; empty where there is none."""
    found = _at(source, names)
    return found if isinstance(found, dict) else {}


def list_at(source: Any, *names: str) -> list[Any]:
    """Return the list at a path of names; empty where there is none."""
    found = _at(source, names)
    return found if isinstance(found, list) else []


def _at(source: Any, names: tuple[str, ...]) -> Any:
    for name in names:
        source = source.get(name) if isinstance(source, dict) else None
    return source
