"""How many repeats a deployment may get, measured by its first attempts."""

from flaskllm.llm.health.policy import Policy
from flaskllm.llm.health.windows import SlidingCount


class RetryBudget:
    """Allows ``repeats <= max(floor, share * first attempts)`` in a sliding window.

    So a deployment that fails gets little more than was meant for it, however many
    callers it fails. Not for several threads at once.
    """

    __slots__ = ("_firsts", "_policy", "_repeats")

    def __init__(self, policy: Policy) -> None:
        """Start with an empty window."""
        self._policy = policy
        self._firsts = SlidingCount(policy.repeats_seconds)
        self._repeats = SlidingCount(policy.repeats_seconds)

    def wait_seconds(self, now_seconds: float) -> float:
        """Return when one more repeat is allowed; 0.0 is now."""
        share = self._policy.repeats_share * self._firsts.total(now_seconds)
        allowed = max(self._policy.fewest_repeats, int(share))
        # None is never: it takes a floor and a share of nothing.
        seconds = self._repeats.room_in_seconds(1, allowed, now_seconds)
        return float(self._policy.repeats_seconds) if seconds is None else seconds

    def count(self, is_repeat: bool, now_seconds: float) -> None:
        """Count an attempt that is made now."""
        (self._repeats if is_repeat else self._firsts).add(1, now_seconds)
