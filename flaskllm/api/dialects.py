"""In which dialect a path is spoken to."""

from typing import Literal

Dialect = Literal["native", "openai", "anthropic"]

_ANTHROPIC = "/v1/messages"
_OPENAI = "/v1"


def dialect_of(path: str) -> Dialect:
    """Return the dialect of a path, also of one at which there is nothing."""
    if _is_below(path, _ANTHROPIC):
        return "anthropic"
    return "openai" if _is_below(path, _OPENAI) else "native"


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")
