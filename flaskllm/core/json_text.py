"""JSON as it goes over a wire: fast where it can be, and lenient where it must."""

import json
import re
from typing import Any

import orjson
import pydantic_core

# Python's `splitlines`, with which many clients cut a stream, takes them for breaks.
_ESCAPES = {
    text.encode("utf-8"): f"\\u{ord(text):04x}".encode("ascii")
    for text in ("\x85", "\u2028", "\u2029")
}
_BREAK = re.compile(b"|".join(map(re.escape, _ESCAPES)))


def dump(value: Any) -> bytes:
    """Return the value as compact JSON in UTF-8.

    Half a surrogate pair, which UTF-8 cannot hold, becomes a question mark. Whole
    numbers may be of any size.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace")


def dump_line(value: Any) -> bytes:
    """Return the same for an event of a stream: one line to every client."""
    data = dump(value)
    if _BREAK.search(data):
        return _BREAK.sub(lambda found: _ESCAPES[found[0]], data)
    return data


def load(data: bytes) -> Any:
    """Return the value that a JSON text holds.

    What Python's own writer gives away is taken too: NaN and Infinity, which
    vLLM sends as log probabilities. A whole number beyond 64 bits becomes a float.

    Raises:
        ValueError: It is no JSON, no UTF-8, nested deeply, or holds half a
            surrogate pair.
    """
    try:
        return orjson.loads(data)
    except ValueError:
        return pydantic_core.from_json(data)


def read_object(data: bytes | str) -> dict[str, Any] | None:
    """Return the object that a JSON text holds, or None when it is anything else.

    Bytes of a wire are read as `load` does; a text that a model wrote is read to
    the last digit.
    """
    try:
        value = load(data) if isinstance(data, bytes) else json.loads(data)
    except (ValueError, RecursionError):  # nested deeper than Python's stack
        return None
    return value if isinstance(value, dict) else None
