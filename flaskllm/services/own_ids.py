"""Ids that callers bring: their form, and the one answer where nothing has them."""

from collections.abc import Mapping
from typing import Final, Literal

from flaskllm.core.errors import NotFound
from flaskllm.core.ids import is_id

Noun = Literal["job", "delivery", "endpoint", "response"]

_PREFIXES: Final[Mapping[Noun, str]] = {
    "job": "job",
    "delivery": "msg",
    "endpoint": "end",
    "response": "resp",
}
_KEPT: Final[Mapping[Noun, str]] = {
    "job": "Jobs are kept as long as `jobs.keep_days` says.",
    "delivery": "Deliveries are kept as long as `jobs.keep_days` says.",
    "endpoint": "Endpoints are kept until their owner removes them.",
    "response": "Responses are kept for 30 days, unless they are made with "
    '"store": false.',
}
_MOST_SHOWN: Final = 80


def sane_id(noun: Noun, text: str) -> str:
    """Return an id if it may be one at all; no other text reaches the database.

    Raises:
        NotFound: It has not the form of one.
    """
    if not is_id(text, _PREFIXES[noun]):
        raise not_found(noun, text)
    return text


def not_found(noun: Noun, text: str) -> NotFound:
    """Return the one answer for what never was, is somebody else's, or has expired."""
    return NotFound(
        f"{noun.capitalize()} with id {text[:_MOST_SHOWN]!r} not found.",
        details=_KEPT[noun],
    )
