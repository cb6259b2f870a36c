"""Where limits are counted: in a store that processes share, or here without it."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

from limits import RateLimitItem
from limits.strategies import SlidingWindowCounterRateLimiter

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.errors import APIError
from flaskllm.core.recovery import Recovery
from flaskllm.core.sliding import Window
from flaskllm.core.windows import Windows
from flaskllm.storage.counters import SqlCounters
from flaskllm.storage.redis_counters import RedisCounters

SharedCounters: TypeAlias = SqlCounters | RedisCounters
"""What processes count in together."""

_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Place:
    """Somewhere to count: the strategy, and the storage that it counts in."""

    strategy: SlidingWindowCounterRateLimiter
    storage: Windows | SharedCounters


class LimitCounting:
    """Counts in the shared storage; in memory where there is none, or it fails.

    When it fails, this process goes on by itself from where it last saw the counts.
    The storage is asked again at most once a second.

    Attributes:
        is_shared: Whether others may count under the same keys.
    """

    def __init__(
        self,
        local: Windows,
        shared: SharedCounters | None,
        clock: Clock,
        count_local: Callable[[], None],
    ) -> None:
        """Keep the collaborators, see `Limits`."""
        self.is_shared = shared is not None
        self._windows = local
        self._clock = clock
        self._local = _place(local)
        self._shared = None if shared is None else _place(shared)
        self._recovery = Recovery(clock)
        self._shared_since = 0.0
        self._count_local = count_local

    def hit(self, item: RateLimitItem, identifier: str, amount: int) -> bool:
        """Count `amount` if there is room for it, and tell whether there was."""
        return self._count(
            lambda on: on.strategy.hit(item, identifier, cost=amount),
        )

    def correct(
        self, item: RateLimitItem, identifier: str, amount: int, counted_at: float
    ) -> None:
        """Count `amount` more, whatever the limit; less where it is negative.

        What is less is taken from the window in which `counted_at` lies. It is not
        taken where that was before the storage came back: it may have been counted
        here.
        """
        if amount < 0 and counted_at < self._shared_since:
            return
        key, seconds = item.key_for(identifier), item.get_expiry()
        self._count(lambda on: on.storage.correct(key, seconds, amount, counted_at))

    def window(self, item: RateLimitItem, identifier: str) -> Window | None:
        """Return what this process saw last; None where it has seen nothing."""
        return self._windows.window(item.key_for(identifier), item.get_expiry())

    def _count(self, count: Callable[[_Place], _Result]) -> _Result:
        if self._shared is None:
            return count(self._local)
        if self._recovery.may_ask():
            try:
                result = count(self._shared)
            except APIError as error:
                self._tell_failure(error)
            else:
                self._tell_success()
                return result
        self._count_local()
        return count(self._local)

    def _tell_failure(self, error: APIError) -> None:
        if self._recovery.failed():
            logs.event(
                _log,
                logging.WARNING,
                "limits_counted_locally",
                code=error.code,
                reason=error.details,
            )

    def _tell_success(self) -> None:
        if self._recovery.succeeded():
            self._shared_since = self._clock.now().timestamp()
            logs.event(_log, logging.INFO, "limits_counted_together")


def _place(storage: Windows | SharedCounters) -> _Place:
    return _Place(SlidingWindowCounterRateLimiter(storage), storage)
