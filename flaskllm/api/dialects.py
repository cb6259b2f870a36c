"""In which dialect a path is spoken to, and which paths miss theirs."""

from typing import Literal

Dialect = Literal["native", "openai", "anthropic"]

_ANTHROPIC = "/v1/messages"
_OPENAI = "/v1"
# Where a client asks whose base URL lacks `/v1`, or has it although it adds its own.
_MISSED = (
    "/chat/completions",
    "/completions",
    "/embeddings",
    "/messages",
    "/models",
    "/responses",
    "/v1/v1",
)


def dialect_of(path: str) -> Dialect:
    """Return the dialect of a path, also of one at which there is nothing."""
    if _is_below(path, _ANTHROPIC):
        return "anthropic"
    return "openai" if _is_below(path, _OPENAI) else "native"


def has_wrong_base(path: str) -> bool:
    """Tell whether only a client with a mistaken base URL would ask at this path."""
    return any(_is_below(path, missed) for missed in _MISSED)


def _is_below(path: str, root: str) -> bool:
    return path == root or path.startswith(f"{root}/")
