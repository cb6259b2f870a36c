"""JSON paths of an operator, used on the values of a stranger (RFC 9535).

Of the standard only what takes time in proportion to the document: names, indexes,
slices and wildcards, one of them a segment. No filters (their functions take regular
expressions), no descent (`..`), no lists of selectors.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flaskllm.inputs.senders import json_body
from flaskllm.inputs.senders.types import SenderRefusedError

LONGEST_PATH = 400
MOST_SEGMENTS = 20
# A wildcard in a wildcard multiplies; a delivery of 30 MiB has far fewer texts.
MOST_VALUES = 100_000

_SINGLE = frozenset({"NameSelector", "IndexSelector"})
_MANY = frozenset({"SliceSelector", "WildcardSelector"})


class PathError(ValueError):
    """A path is none, or more than is allowed here; the text says what to mend."""


class NoPathError(PathError):
    """It is no path at all; what stands there may be meant as a word."""


@dataclass(frozen=True, slots=True)
class Found:
    """What stands at a path.

    Attributes:
        values: In the document's order; may be empty.
        is_list: Whether the path may find several, even if it found one.
    """

    values: tuple[Any, ...]
    is_list: bool


def check(path: object) -> None:
    """Return when the path may be used.

    Raises:
        PathError: It may not.
    """
    _compile(path)


def find(path: str, document: object) -> Found:
    """Return what stands at a path.

    No-code tools send a JSON text inside a string: where the path goes on below a
    string, the string is read as JSON, once on the way.

    Raises:
        PathError: The path may not be used, or finds too much.
    """
    steps, is_list = _compile(path)
    reached: list[tuple[Any, bool]] = [(document, False)]
    for step in steps:
        reached = list(islice(_follow(step, reached), MOST_VALUES + 1))
        if len(reached) > MOST_VALUES:
            raise PathError(f"finds more than {MOST_VALUES} values")
    return Found(tuple(value for value, _ in reached), is_list)


def _follow(
    step: Any, reached: Iterable[tuple[Any, bool]]
) -> Iterator[tuple[Any, bool]]:
    """Yield what one step finds below each value, and whether a text was opened."""
    for value, was_opened in reached:
        below, opened = _open(value, was_opened)
        # The library would read a text as JSON by itself, at every step.
        if isinstance(below, dict | list):
            yield from ((match.obj, opened) for match in step.finditer(below))


def _open(value: object, was_opened: bool) -> tuple[Any, bool]:
    if was_opened or not isinstance(value, str):
        return value, was_opened
    try:
        return json_body.read_json(value.encode("utf-8", "replace")), True
    except SenderRefusedError:
        return value, True


def _compile(path: object) -> tuple[list[Any], bool]:
    """Return the path's steps, each a path of its own, and whether it finds many."""
    # Slow to import, and only needed where an endpoint has a mapping.
    from jsonpath import JSONPath, JSONPathEnvironment, JSONPathError

    if not isinstance(path, str) or len(path) > LONGEST_PATH:
        raise PathError(f"is no path; allowed: {LONGEST_PATH} characters at most")
    environment = JSONPathEnvironment(strict=True)
    try:
        compiled = environment.compile(path)
    except (JSONPathError, RecursionError, ValueError):
        raise NoPathError(
            "is no JSON path; allowed: one such as $.meeting.title"
        ) from None
    segments = getattr(compiled, "segments", ())
    kinds = [_kind(segment) for segment in segments]
    if len(kinds) > MOST_SEGMENTS:
        raise PathError(f"is too long; allowed: {MOST_SEGMENTS} steps at most")
    if not all(kind in _SINGLE | _MANY for kind in kinds):
        raise PathError(
            "has a filter, a descent (..) or a list; allowed: .name, [0], [1:3], [*]"
        )
    steps = [JSONPath(env=environment, segments=(each,)) for each in segments]
    return steps, any(kind in _MANY for kind in kinds)


def _kind(segment: Any) -> str:
    """Return the name of a segment's only selector, or of what is not allowed."""
    if type(segment).__name__ != "JSONPathChildSegment" or len(segment.selectors) != 1:
        return type(segment).__name__
    return type(segment.selectors[0]).__name__
