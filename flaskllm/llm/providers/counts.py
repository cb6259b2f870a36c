"""Counts of tokens as upstreams tell them, and which of them can be true."""

from collections.abc import Mapping
from typing import Any

# Twice the longest context window on the market; more is a counting error.
MOST_TOKENS = 20_000_000

_IMPOSSIBLE = -10 * MOST_TOKENS


def read_count(told: Mapping[str, Any], name: str) -> int:
    """Return a count, 0 when it is absent or null, or far below 0 when it is senseless.

    What is far below zero stays below zero in every sum of a few counts, so a
    caller checks once, at the end.
    """
    value = told.get(name)
    if value is None:
        return 0
    if isinstance(value, int) and not isinstance(value, bool):
        return value if 0 <= value <= MOST_TOKENS else _IMPOSSIBLE
    return _IMPOSSIBLE
