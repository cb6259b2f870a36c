"""What an error that was kept says by its code alone."""

from collections.abc import Iterator, Mapping
from typing import Final

from flaskllm.core.errors import APIError, InternalError


def status_of(code: str) -> int:
    """Return the HTTP status of an error; 500 for one of a newer program."""
    return _STATUSES.get(code, InternalError.status)


def _below(kind: type[APIError]) -> Iterator[type[APIError]]:
    """Yield a kind of error and all that derive from it."""
    yield kind
    for each in kind.__subclasses__():
        yield from _below(each)


_STATUSES: Final[Mapping[str, int]] = {
    each.code: each.status for each in _below(APIError)
}
