"""Redis, for what many processes share and may lose: bounded, behind one breaker.

Slow is worse than dead. An operation that does not end in time opens the breaker,
which all uses of this process have in common: from then on none waits, and once a
second one of them asks whether it works again.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.connection import parse_url
from redis.exceptions import AuthorizationError
from redis.retry import Retry

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.errors import InternalError, ServiceUnavailable
from flaskllm.core.metrics_stores import StoreMetrics
from flaskllm.core.recovery import SECONDS_BETWEEN_TRIES, Recovery
from flaskllm.storage.redis_sockets import CONNECTIONS, limited

OPERATION_SECONDS: Final = 0.25
"""An operation takes no longer, connecting included."""

Purpose = Literal["limits", "routing", "cache", "flights", "changes"]
PREFIX: Final = "flaskllm"

_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)

# The nearest kind of an error comes first; the answer of a server that works, but
# cannot do this now, says more than its kind.
_REASONS: tuple[tuple[type[Exception], str], ...] = (
    (redis.AuthenticationError, "It does not accept the user or the password."),
    (AuthorizationError, "Its user may not do what is needed."),
    (redis.BusyLoadingError, "It is starting."),
    (redis.TimeoutError, f"It took longer than {OPERATION_SECONDS * 1000:.0f} ms."),
    (redis.ConnectionError, "It cannot be reached."),
    (redis.ReadOnlyError, "It can be read but not written."),
    (redis.OutOfMemoryError, "Its memory is full."),
)
# How the answer of a server begins that works, and cannot do this now.
_REFUSALS: Mapping[str, str] = {
    "MISCONF": "It cannot write to its disk.",
    "MASTERDOWN": "Its primary is away.",
    "NOREPLICAS": "Too few of its replicas are there.",
    "BUSY": "A script keeps it busy.",
    "CLUSTERDOWN": "Its cluster is down.",
    "NOPERM": "Its user may not do what is needed.",
}


def key_of(purpose: Purpose, name: str) -> str:
    """Return the key under which something lies; `doctor redis` counts by purpose."""
    return f"{PREFIX}:{purpose}:{name}"


class RedisStore:
    """One Redis. Any number of threads and forked processes may use it.

    It opens nothing until the first operation.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        metrics: StoreMetrics,
        operation_seconds: float = OPERATION_SECONDS,
    ) -> None:
        """Remember where it is.

        Args:
            url: `redis://`, `rediss://` (TLS) or `unix://`, as the settings check it.
            clock: Times every operation, and when to ask again.
            metrics: Count what fails.
            operation_seconds: An operation takes no longer, connecting included.
        """
        self._clock = clock
        self._operation_seconds = operation_seconds
        self._metrics = metrics
        self._recovery = Recovery(clock)
        self._reason = ""
        self._client = redis.Redis(connection_pool=_pool(url))

    def run(self, use: Callable[["redis.Redis"], _Result]) -> _Result:
        """Return what `use` brings, which may ask several commands of the client.

        Raises:
            ServiceUnavailable: It does not work, or did not a moment ago; what was
                asked may have been done all the same.
            InternalError: The command is wrong: our own fault.
        """
        if not self._recovery.may_ask():
            raise self._unavailable()
        try:
            with limited(self._operation_seconds, self._clock):
                result = use(self._client)
        except (redis.RedisError, OSError) as error:
            raise self._failed(error) from error
        except BaseException:
            self._succeeded()  # what went wrong is ours; the server did answer
            raise
        self._succeeded()
        return result

    def check(self) -> None:
        """Return when it answers.

        Raises:
            ServiceUnavailable: It does not.
        """
        self.run(lambda client: client.ping())

    def close(self) -> None:
        """Close this process's connections; the next use opens new ones."""
        self._client.connection_pool.disconnect()

    def _failed(self, error: Exception) -> Exception:
        reason = reason_of(error)
        if reason is None:
            self._succeeded()
            return InternalError(details=type(error).__name__)
        self._metrics.count_redis_failure()
        self._reason = reason
        if self._recovery.failed():
            self._metrics.show_redis(works=False)
            logs.event(_log, logging.WARNING, "redis_away", reason=reason)
        return self._unavailable()

    def _succeeded(self) -> None:
        if self._recovery.succeeded():
            self._metrics.show_redis(works=True)
            logs.event(_log, logging.INFO, "redis_back")

    def _unavailable(self) -> ServiceUnavailable:
        return ServiceUnavailable(
            "Redis cannot be used at the moment.",
            details=self._reason,
            retry_after_seconds=SECONDS_BETWEEN_TRIES,
        )


def reason_of(error: Exception) -> str | None:
    """Return what it means for the operator; None where the command is wrong."""
    for kind, reason in _REASONS:
        if isinstance(error, kind):
            return reason
    if isinstance(error, OSError):
        return "It cannot be reached."
    return _REFUSALS.get(str(error).partition(" ")[0])


def _pool(url: str) -> redis.ConnectionPool:
    options: dict[str, Any] = {
        "connection_class": CONNECTIONS[url.partition("://")[0]],
        # Ours are the time-outs, and the tries.
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": None,
        "socket_connect_timeout": None,
        # Each of these would be a round trip more.
        "protocol": 2,
        "driver_info": None,
    }
    parsed = parse_url(url)  # type: ignore[no-untyped-call]
    return redis.ConnectionPool(**(parsed | options))
