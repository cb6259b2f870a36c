"""Whether the API token of an answer that is under way is still good.

The guard asks when a request begins. A stream may outlive its API token by minutes,
a WebSocket by hours: they ask again here, as often as they like.
"""

from collections.abc import Callable
from typing import cast

from flask import g

from flaskllm.api import context
from flaskllm.core.clock import Clock
from flaskllm.core.errors import AuthenticationError

_EVERY_SECONDS = 1.0


class Tenure:
    """One API token, asked about at most once a second."""

    def __init__(self, is_good: Callable[[], bool], clock: Clock) -> None:
        """Start when it has just been proven.

        Args:
            is_good: Tells whether it is; what nobody can tell counts as good.
            clock: Tells when to ask.
        """
        self._is_good = is_good
        self._clock = clock
        self._due_seconds = clock.monotonic() + _EVERY_SECONDS

    def check(self) -> None:
        """Return while the API token is good; else raise.

        Between two looks this is one comparison, so it may stand in any loop.

        Raises:
            AuthenticationError: It was revoked, or has expired.
        """
        if self._clock.monotonic() < self._due_seconds:
            return
        is_good = self._is_good()
        # From now: a store that is slow must not be asked again at once.
        self._due_seconds = self._clock.monotonic() + _EVERY_SECONDS
        if not is_good:
            raise AuthenticationError(
                details="The API token was revoked, or has expired, meanwhile."
            )


def tenure_here() -> Tenure:
    """Return that of the API token with which this request was proven.

    It may be asked when the request is over.
    """
    house, token = context.services(), cast(str, g.api_token)
    return Tenure(lambda: house.api_tokens.is_good(token), house.clock)
