"""What the counts of all processes said last of one deployment's limits."""

from flaskllm.core.upstream_counts import MINUTE, Refused

# Somebody else may free a seat at any moment, and nobody tells.
_BUSY_SECONDS = 0.1


class SharedLimits:
    """Refusals are remembered, so that nobody asks again before they have passed.

    Not for several threads at once. Moments are on the monotonic clock.
    """

    __slots__ = (
        "_any_until",
        "_busy_until",
        "_used",
        "_used_at",
        "_wide_tokens",
        "_wide_until",
    )

    def __init__(self) -> None:
        """Start with nothing said."""
        self._any_until = self._wide_until = self._busy_until = float("-inf")
        self._wide_tokens = 0
        self._used = 0.0
        self._used_at = float("-inf")

    def allow(self, headroom: float, now_seconds: float) -> None:
        """Take in that an attempt was let through, and what is free then."""
        self._used, self._used_at = 1.0 - headroom, now_seconds

    def refuse(self, refused: Refused, tokens: int, now_seconds: float) -> None:
        """Take in that an attempt of so many tokens was not let through."""
        if refused.reason == "busy":
            self._busy_until = now_seconds + min(refused.seconds, _BUSY_SECONDS)
            return
        self._used, self._used_at = 1.0, now_seconds
        self._any_until = now_seconds + refused.any_seconds
        # One of fewer tokens may fit before that.
        self._wide_until, self._wide_tokens = now_seconds + refused.seconds, tokens

    def leave(self) -> None:
        """Take in that an attempt of this process has ended."""
        self._busy_until = float("-inf")

    def wait_seconds(self, tokens: int, now_seconds: float) -> float:
        """Return how long an attempt of so many tokens is known to be refused."""
        until = self._any_until
        if tokens >= self._wide_tokens:
            until = max(until, self._wide_until)
        return max(0.0, until - now_seconds)

    def busy_seconds(self, now_seconds: float) -> float:
        """Return how long not to ask for a seat; 0.0 is not at all."""
        return max(0.0, self._busy_until - now_seconds)

    def headroom(self, now_seconds: float) -> float:
        """Return what is free of the limits; what was used passes within a minute."""
        left = 1.0 - (now_seconds - self._used_at) / MINUTE
        return 1.0 - self._used * max(0.0, left)
