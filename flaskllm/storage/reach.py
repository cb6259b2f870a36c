"""Whether a database's server can be reached: while it cannot, nobody waits for it.

A connection that cannot be made, or does not answer, closes the way for all threads of
the process. From then on one at a time tries again, about once a second, and the others
are told at once; the first that succeeds opens the way.
"""

import logging
from copy import copy

from sqlalchemy import Connection, Engine

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.recovery import Recovery
from flaskllm.storage.driver_errors import (
    driver_errors_told,
    is_away,
    unavailable,
)

SUSPECT_SECONDS = 2.0
"""An answer to nothing takes no longer; nor does any, where nobody else has one."""

_log = logging.getLogger(__name__)


class Reach:
    """What the threads of a process know of one server."""

    def __init__(self, clock: Clock) -> None:
        """Take it to be there."""
        self._recovery = Recovery(clock)
        self._clock = clock
        self._failure: ServiceUnavailable | None = None

    @property
    def is_away(self) -> bool:
        """Tell whether it could not be reached when it was tried last."""
        return self._failure is not None

    def connect(self, engine: Engine) -> Connection:
        """Return a connection that has just answered, or is fresh.

        Raises:
            ServiceUnavailable: There is none; a moment ago there was none either, or
                it was tried just now.
        """
        if not self._recovery.may_ask():
            raise self._again()
        try:
            with driver_errors_told():
                connection = engine.connect()
        except ServiceUnavailable as failure:
            if is_away(failure):
                self._failed(failure)
            else:  # it answered, if only to refuse
                self._succeeded()
            raise
        except BaseException:  # ours, or the end of the process
            self._succeeded()
            raise
        self._succeeded()
        return connection

    def now_seconds(self) -> float:
        """Return the time by which waits are measured."""
        return self._clock.monotonic()

    def gives_up(self, since_seconds: float, limit_seconds: float | None) -> bool:
        """Tell whether to wait no longer for an answer.

        Args:
            since_seconds: When the wait began, by `now_seconds`.
            limit_seconds: As long as an answer may take; None has no limit, but
                that nobody else reaches the server either.
        """
        waited_seconds = self._clock.monotonic() - since_seconds
        if limit_seconds is not None and waited_seconds >= limit_seconds:
            return True
        return self.is_away and waited_seconds >= SUSPECT_SECONDS

    def _again(self) -> ServiceUnavailable:
        """Return the last failure anew: each thread raises its own."""
        failure = self._failure
        if failure is None:  # it came back at this very moment
            return unavailable("Its server cannot be reached.", 1.0)
        return copy(failure)

    def _failed(self, failure: ServiceUnavailable) -> None:
        self._failure = failure
        if self._recovery.failed():
            logs.event(
                _log, logging.ERROR, "database_not_reached", reason=failure.details
            )

    def _succeeded(self) -> None:
        if self._recovery.succeeded():
            logs.event(_log, logging.WARNING, "database_reached")
        self._failure = None
