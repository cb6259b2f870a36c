"""Limits of principals: requests and tokens per minute, by the strategies of `limits`.

Both count in sliding windows of two numbers, see `core.sliding`: in memory where
there is one web process, in Redis or in the database where several must share what
they count.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, TypeAlias

from limits import RateLimitItemPerMinute
from limits.limits import safe_string

from flaskllm.core.auth import Principal
from flaskllm.core.clock import Clock
from flaskllm.core.errors import RateLimitExceeded
from flaskllm.core.windows import Windows
from flaskllm.services.limit_counting import LimitCounting, SharedCounters

Kind: TypeAlias = Literal["requests", "tokens"]

WINDOW_SECONDS: Final = 60

_MOST_ITEMS = 10_000


@dataclass(frozen=True, slots=True)
class Standing:
    """How one limit of a principal stands.

    Attributes:
        kind: What is counted.
        limit: How much of it a window admits.
        remaining: How much would be admitted now, from 0 to `limit`.
        more_seconds: When more than that will be; 0.0 where nothing is used.
        full_seconds: When all of it is free again, if nothing comes; 0.0 likewise.
    """

    kind: Kind
    limit: int
    remaining: int
    more_seconds: float
    full_seconds: float


class _PerMinute(RateLimitItemPerMinute):
    """A limit whose key is who it is for: a changed number goes on with the count."""

    def key_for(self, *identifiers: bytes | str | int | float) -> str:
        return "/".join([self.namespace, *map(safe_string, identifiers)])


class Limits:
    """Counts what principals ask for, and refuses what is too much.

    When the shared storage does not answer, each process counts by itself: a
    principal may then get up to its limit from each, and never more.
    """

    def __init__(
        self,
        local: Windows,
        shared: SharedCounters | None,
        clock: Clock,
        *,
        count_local: Callable[[], None],
    ) -> None:
        """Keep the collaborators; nothing is opened.

        Args:
            local: Counts in memory; `shared` tells it what it sees.
            shared: Counts in Redis or in the database; None where one process counts
                alone.
            clock: Says when a count was made, and when to ask the storage again.
            count_local: Hears of each count made in memory for want of the storage.
        """
        self._clock = clock
        self._shared = shared
        self._counting = LimitCounting(local, shared, clock, count_local)

    def hit_request(self, principal: Principal) -> None:
        """Count one request.

        Raises:
            RateLimitExceeded: There were too many; it tells when to come back.
        """
        limit = principal.limits.requests_per_minute
        if limit is None:
            return
        item = _item("requests", limit)
        if not self._counting.hit(item, principal.id, 1):
            raise RateLimitExceeded(
                details=f"This API token may make {limit} requests a minute.",
                retry_after_seconds=self._room_in_seconds(item, principal.id, 1),
            )

    def charge_tokens(self, principal: Principal, tokens: int) -> float:
        """Count the planned tokens of an attempt, input and output, before it is made.

        Returns:
            When that was, in seconds since 1970, for `correct_tokens`.

        Raises:
            RateLimitExceeded: There were too many; it tells when these would have
                room. It tells no time when they never will, since they alone are
                more than the limit.
        """
        now = self._clock.now().timestamp()
        limit = principal.limits.tokens_per_minute
        if limit is None or tokens <= 0:
            return now
        if not self._counting.hit(_item("tokens", limit), principal.id, tokens):
            raise self._too_many_tokens(principal, limit, tokens)
        return now

    def correct_tokens(
        self, principal: Principal, delta: int, charged_at: float | None = None
    ) -> None:
        """Count what an attempt used instead of what was planned.

        Args:
            principal: Who was charged.
            delta: Tokens used less tokens charged. What is negative is given back
                to the window that it was charged to, if that still counts; what is
                positive counts now, also beyond the limit.
            charged_at: What `charge_tokens` returned; now when omitted.
        """
        limit = principal.limits.tokens_per_minute
        if limit is None or delta == 0:
            return
        at = self._clock.now().timestamp() if charged_at is None else charged_at
        self._counting.correct(_item("tokens", limit), principal.id, delta, at)

    def standing(self, principal: Principal) -> tuple[Standing, ...]:
        """Return how the limits of a principal stand, as this process last saw them.

        It reads memory only. A limit is left out where this process has counted
        nothing for it yet, but others may have.
        """
        limits = principal.limits
        asked: tuple[tuple[Kind, int | None], ...] = (
            ("requests", limits.requests_per_minute),
            ("tokens", limits.tokens_per_minute),
        )
        found = (
            self._standing(kind, limit, principal.id)
            for kind, limit in asked
            if limit is not None
        )
        return tuple(each for each in found if each is not None)

    def forget_expired(self) -> int:
        """Remove the counts of the store that are over; return how many.

        Raises:
            ServiceUnavailable: The database does not work.
        """
        return 0 if self._shared is None else self._shared.forget_expired()

    def _too_many_tokens(
        self, principal: Principal, limit: int, tokens: int
    ) -> RateLimitExceeded:
        wait = self._room_in_seconds(_item("tokens", limit), principal.id, tokens)
        never = (
            ""
            if wait is not None
            else " It can never be made: shorten its input, or cap its output."
        )
        return RateLimitExceeded(
            "Too many tokens.",
            details=f"This API token may use {limit} tokens a minute, and up to "
            f"{tokens} are planned for this request, input and output.{never}",
            retry_after_seconds=wait,
        )

    def _room_in_seconds(
        self, item: _PerMinute, principal_id: str, amount: int
    ) -> float | None:
        window = self._counting.window(item, principal_id)
        now = self._clock.now().timestamp()
        if window is None:
            return 0.0 if amount <= item.amount else None
        return window.room_in_seconds(amount, item.amount, now, WINDOW_SECONDS)

    def _standing(self, kind: Kind, limit: int, principal_id: str) -> Standing | None:
        window = self._counting.window(_item(kind, limit), principal_id)
        if window is None:
            is_known = not self._counting.is_shared
            return Standing(kind, limit, limit, 0.0, 0.0) if is_known else None
        now = self._clock.now().timestamp()
        remaining = window.remaining(limit, now, WINDOW_SECONDS)
        more = window.room_in_seconds(
            min(remaining + 1, limit), limit, now, WINDOW_SECONDS
        )
        full = window.room_in_seconds(limit, limit, now, WINDOW_SECONDS)
        return Standing(kind, limit, remaining, more or 0.0, full or 0.0)


@lru_cache(maxsize=_MOST_ITEMS)
def _item(kind: Kind, limit: int) -> _PerMinute:
    return _PerMinute(limit, namespace=kind)
