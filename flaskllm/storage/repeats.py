"""Transactions that are made again, once, where their connection was lost.

Before the commit the server has done nothing. Whether a commit was made whose answer
is lost nobody can know: there only what finds its own work is made again.
"""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flaskllm.core.errors import ServiceUnavailable

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

SOON_SECONDS = 2.0
"""Who has waited for longer than this is told, and waits for no second time."""


class ConnectionLost(ServiceUnavailable):
    """The connection was lost soon after its transaction had begun."""


class NothingDone(ConnectionLost):
    """It was lost before the commit."""


def lost(failure: ServiceUnavailable, *, is_ending: bool) -> ConnectionLost:
    """Return the failure of a connection as what the functions here know."""
    kind = ConnectionLost if is_ending else NothingDone
    return kind(
        failure.message,
        details=failure.details,
        retry_after_seconds=failure.retry_after_seconds,
    )


def once_more(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """Have a function called again, once, where nothing of it was done.

    What it does it does in one transaction that it begins itself. What it may have done
    before that one, to get ready or because another was faster, can be done again.
    """
    return _again_after(NothingDone, function)


def once_more_anyway(function: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """Have it called again also where its commit may have been made.

    Then it finds what it did itself, and returns the same.
    """
    return _again_after(ConnectionLost, function)


def _again_after(
    kind: type[ConnectionLost], function: Callable[_Given, _Result]
) -> Callable[_Given, _Result]:
    @wraps(function)
    def insist(*given: _Given.args, **more: _Given.kwargs) -> _Result:
        try:
            return function(*given, **more)
        except kind:
            return function(*given, **more)

    return insist
