"""A deployment's own requests and tokens per minute, counted in this process."""

from flaskllm.llm.health.windows import SlidingCount
from flaskllm.llm.terms import Limits

_MINUTE = 60


class OwnLimits:
    """What was asked in the last minute. Not for several threads at once.

    Tokens are reserved by an estimate when an attempt begins. When it is known
    what it used, too much is given back to the second in which it was reserved, and
    what is missing counts as of then.
    """

    __slots__ = ("_limits", "_requests", "_tokens")

    def __init__(self, limits: Limits) -> None:
        """Start with an empty minute."""
        self._limits = limits
        self._requests = SlidingCount(_MINUTE)
        self._tokens = SlidingCount(_MINUTE)

    @property
    def is_counting(self) -> bool:
        """Tell whether there is a limit per minute at all."""
        limits = self._limits
        return not (
            limits.requests_per_minute is None and limits.tokens_per_minute is None
        )

    def wait_seconds(self, tokens: int, now_seconds: float) -> float | None:
        """Return when a request of so many tokens fits; 0.0 is now, None never."""
        requests_limit = self._limits.requests_per_minute
        tokens_limit = self._limits.tokens_per_minute
        seconds: float | None = 0.0
        if requests_limit is not None:
            seconds = self._requests.room_in_seconds(1, requests_limit, now_seconds)
        if tokens_limit is None or seconds is None:
            return seconds
        for_tokens = self._tokens.room_in_seconds(tokens, tokens_limit, now_seconds)
        return None if for_tokens is None else max(seconds, for_tokens)

    def reserve(self, tokens: int, now_seconds: float) -> None:
        """Count a request that is made now, with so many tokens expected."""
        self._requests.add(1, now_seconds)
        self._tokens.add(tokens, now_seconds)

    def give_back(self, tokens: int, at_seconds: float) -> None:
        """Uncount a request that was counted at that moment and is not made."""
        self._requests.take_back(1, at_seconds)
        self._tokens.take_back(tokens, at_seconds)

    def correct(
        self, reserved: int, used: int, at_seconds: float, now_seconds: float
    ) -> None:
        """Count what a request used in place of what was reserved at that moment."""
        if used > reserved:
            self._tokens.add(used - reserved, now_seconds)
        elif used < reserved:
            self._tokens.take_back(reserved - used, at_seconds)

    def headroom(self, now_seconds: float) -> float:
        """Return the free part of the scarcer limit, in [0, 1]; 1 without one."""
        limits = self._limits
        return min(
            _free(self._requests, limits.requests_per_minute, now_seconds),
            _free(self._tokens, limits.tokens_per_minute, now_seconds),
        )


def _free(count: SlidingCount, limit: int | None, now_seconds: float) -> float:
    if limit is None:
        return 1.0
    return max(0.0, 1.0 - count.total(now_seconds) / limit)
