"""How many repeats a deployment may get, measured by its first attempts."""

from flaskllm.llm.health.policy import Policy
from flaskllm.llm.health.windows import SlidingCount

# Ten tenths are a little less than one.
_ONE = 1.0 - 1e-9


class RetryBudget:
    """Lets each first attempt earn a share of a repeat, and a few be had in advance.

    What was earned is lost with its window, so that a quiet hour pays for no storm.
    Some repeats in each window need not be earned yet: with few callers each gets its
    own. They are earned back first, so that over many callers
    ``repeats <= share * first attempts`` all the same. Not for several threads at
    once.
    """

    __slots__ = ("_earned", "_firsts", "_policy", "_repeats")

    def __init__(self, policy: Policy) -> None:
        """Start with nothing earned and nothing owed."""
        self._policy = policy
        self._earned = 0.0
        self._firsts = SlidingCount(policy.repeats_seconds)
        self._repeats = SlidingCount(policy.repeats_seconds)

    def wait_seconds(self, now_seconds: float) -> float:
        """Return when one more repeat is allowed; 0.0 is now."""
        if self._left(now_seconds) >= _ONE:
            return 0.0
        most = self._policy.fewest_repeats
        seconds = self._repeats.room_in_seconds(1, most, now_seconds)
        # None is never: none may be had in advance.
        return float(self._policy.repeats_seconds) if seconds is None else seconds

    def count(self, is_repeat: bool, now_seconds: float) -> None:
        """Count an attempt that is made now."""
        left = self._left(now_seconds)
        if is_repeat:
            self._earned = max(left - 1.0, -float(self._policy.fewest_repeats))
            self._repeats.add(1, now_seconds)
        else:
            self._earned = left + self._policy.repeats_share
            self._firsts.add(1, now_seconds)

    def _left(self, now_seconds: float) -> float:
        share = self._policy.repeats_share
        return min(self._earned, share * self._firsts.total(now_seconds))
