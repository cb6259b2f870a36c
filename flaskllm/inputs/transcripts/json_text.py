"""JSON as text: values that know where their strings stand in it.

Strict (RFC 8259): no NaN, no infinities, no lone surrogate is passed on.
"""

import json
import math
import re
from collections.abc import Callable
from json.decoder import JSONDecoder, scanstring  # type: ignore[attr-defined]
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import Any

# Nothing that records speech nests deeper; readers of JSON call themselves.
MAX_DEPTH = 64
# Of one file, in code points: about two seconds of reading.
MAX_JSON_CHARACTERS = 16 * 1024 * 1024

# A string that never ends reaches to the end: it is looked through once.
_STRINGS_AND_BRACKETS = re.compile(
    r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL
)


class UnreadableJsonError(ValueError):
    """A text is no JSON, or none that is read here; it says why in a few words."""


class Placed(str):
    """A string of a JSON text, and where it stands in it.

    `start` and `end` count code points and enclose what is written between the
    quotation marks, escapes as they are.
    """

    __slots__ = ("end", "start")

    start: int
    end: int

    @classmethod
    def at(cls, text: str, start: int, end: int) -> "Placed":
        """Return text with its place."""
        placed = cls(text)
        placed.start, placed.end = start, end
        return placed


def read_json(text: str) -> Any:
    """Return the value of a JSON text; each string in it but keys is `Placed`.

    Raises:
        UnreadableJsonError: It is no JSON, is nested over 64 deep, longer than
            16 Mi characters, or holds a number that JSON does not have.
    """
    if len(text) > MAX_JSON_CHARACTERS:
        raise UnreadableJsonError(f"it is longer than {MAX_JSON_CHARACTERS} characters")
    if _depth(text) > MAX_DEPTH:
        raise UnreadableJsonError(f"it is nested over {MAX_DEPTH} deep")
    try:
        return _decoder().decode(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise UnreadableJsonError(f"{error.msg} at {place}") from error
    except UnreadableJsonError:
        raise
    except ValueError as error:  # an integer of thousands of digits
        raise UnreadableJsonError("a number is too large") from error


def _decoder() -> Any:
    decoder: Any = JSONDecoder(parse_float=_finite, parse_constant=_no_constant)
    # The scanner in C cannot tell places; the one in Python asks for each string.
    decoder.parse_string = _placed
    decoder.scan_once = py_make_scanner(decoder)
    return decoder


_scan: Callable[[str, int, bool], tuple[str, int]] = scanstring


def _placed(text: str, start: int, strict: bool = True) -> tuple[Placed, int]:
    value, end = _scan(text, start, strict)
    return Placed.at(value, start, end - 1), end


def _finite(written: str) -> float:
    value = float(written)
    if not math.isfinite(value):
        raise UnreadableJsonError("a number is too large")
    return value


def _no_constant(name: str) -> float:
    raise UnreadableJsonError(f"{name} is no number of JSON")


def _depth(text: str) -> int:
    """Return how deep brackets nest, whether or not they fit each other."""
    depth = deepest = 0
    for match in _STRINGS_AND_BRACKETS.finditer(text):
        mark = match.group()
        if mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
    return deepest
