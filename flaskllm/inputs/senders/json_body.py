"""JSON of a sender: read within bounds, and looked into without trust.

What a sender says about a meeting goes into logs, keys and answers, so every text
that is taken from it is one bounded line.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from flaskllm.core import json_text
from flaskllm.inputs.senders.types import SenderRefusedError

MAX_DEPTH = 64
LONGEST_LINE = 300
MOST_NAMES = 200
_BOM = b"\xef\xbb\xbf"
# Epoch seconds stay below this until the year 5138; milliseconds passed it in 1973.
_FIRST_MILLISECONDS = 1e11


def read_json(data: bytes) -> Any:
    """Return the value that a body of JSON holds.

    Raises:
        SenderRefusedError: `malformed`: it is none, no UTF-8, or nested too deeply.
    """
    try:
        value = json_text.load(data.removeprefix(_BOM))
    except (ValueError, RecursionError):
        raise SenderRefusedError("malformed", "The body is no JSON.") from None
    return shallow(value)


def shallow(value: Any) -> Any:
    """Return a value that is not nested too deeply.

    Raises:
        SenderRefusedError: `malformed`: it is.
    """
    if _is_deep(value):
        raise SenderRefusedError(
            "malformed", f"The body is nested deeper than {MAX_DEPTH} levels."
        )
    return value


def read_object(data: bytes) -> dict[str, Any]:
    """Return the object that a body of JSON holds.

    Raises:
        SenderRefusedError: `malformed`, as `read_json`, or it is no object.
    """
    return object_of(read_json(data))


def object_of(value: object) -> dict[str, Any]:
    """Return a value that is an object.

    Raises:
        SenderRefusedError: `malformed`: it is none.
    """
    if not isinstance(value, dict):
        raise SenderRefusedError("malformed", "The body is no JSON object.")
    return value


def inner(value: object, *names: str) -> dict[str, Any]:
    """Return the object under a path of names; empty where there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def objects(value: object) -> Iterator[dict[str, Any]]:
    """Yield the objects of a list; nothing where it is none."""
    if isinstance(value, list):
        yield from (each for each in value if isinstance(each, dict))


def line(value: object) -> str:
    """Return a text or a number as one bounded line; empty for everything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    text = value if isinstance(value, str) else str(value)
    shown = (each if each.isprintable() else " " for each in text[: LONGEST_LINE * 4])
    return " ".join("".join(shown).split())[:LONGEST_LINE]


def named(**values: object) -> dict[str, str]:
    """Return those of the values that say something, each as one line."""
    lines = {name: line(value) for name, value in values.items()}
    return {name: text for name, text in lines.items() if text}


def names(values: Iterable[object]) -> tuple[str, ...]:
    """Return the values as lines, each once, without the empty ones."""
    return tuple(dict.fromkeys(filter(None, map(line, values))))[:MOST_NAMES]


def moment(value: object) -> datetime | None:
    """Return a moment with its offset, or None where there is none.

    Text is read as ISO 8601; a number, or a text that is one, as seconds or
    milliseconds since 1970.
    """
    text = line(value)
    try:
        if text.replace(".", "", 1).isdecimal():
            return _since_1970(float(text))
        found = datetime.fromisoformat(text)
    except (ValueError, OverflowError, OSError):
        return None
    return found if found.tzinfo else None


def _since_1970(number: float) -> datetime:
    seconds = number / 1000 if number >= _FIRST_MILLISECONDS else number
    return datetime.fromtimestamp(seconds, UTC)


def _is_deep(value: object) -> bool:
    level: list[object] = [value]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for each in level
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
            if isinstance(child, dict | list)
        ]
        if not level:
            return False
    return True
