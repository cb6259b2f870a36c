"""How much is asked of one deployment, and how much more may be."""

from flaskllm.llm.health.own_limits import OwnLimits
from flaskllm.llm.health.pauses import NO_PAUSE, Pause, after_answer, after_limit
from flaskllm.llm.health.policy import Policy
from flaskllm.llm.health.retry_budget import RetryBudget
from flaskllm.llm.health.shared_limits import SharedLimits
from flaskllm.llm.health.standings import Obstacle
from flaskllm.llm.health.told import ToldAllowances
from flaskllm.llm.rate_limits import ToldLimit
from flaskllm.llm.terms import Limits

# Until another attempt ends, and nobody knows when that is.
SOON_SECONDS = 1.0
# Who was heard of so lately is busy with many callers, and does not hang: three times
# as long as its last reply took to begin, and two seconds at most.
_QUIET_TIMES = 3.0
_QUIET_SECONDS = 2.0


class Load:
    """Attempts under way, and the limits of them. Not for several threads at once.

    Attributes:
        in_flight: Attempts that are under way.
        waiting: Those of them that have no byte yet.
        shared: What the counts of all processes said.
    """

    __slots__ = (
        "_budget",
        "_concurrent",
        "_own",
        "_pause",
        "_policy",
        "_quiet_from_seconds",
        "_told",
        "in_flight",
        "shared",
        "waiting",
    )

    def __init__(self, limits: Limits, policy: Policy) -> None:
        """Start with nothing under way."""
        self.in_flight = 0
        self.waiting = 0
        self._quiet_from_seconds = float("-inf")
        self._concurrent = limits.concurrent_requests
        self._policy = policy
        self._pause = NO_PAUSE
        self._told = ToldAllowances()
        self._own = OwnLimits(limits)
        self._budget = RetryBudget(policy)
        self.shared = SharedLimits()

    def obstacle(
        self, tokens: int, is_repeat: bool, now_seconds: float
    ) -> Obstacle | None:
        """Return what keeps an attempt of so many tokens from being made now."""
        return (
            self._limited(tokens, now_seconds)
            or self._busy(now_seconds)
            or (self._repeated(now_seconds) if is_repeat else None)
        )

    def count_in(self, tokens: int, is_repeat: bool, now_seconds: float) -> None:
        """Count an attempt that begins now."""
        self.in_flight += 1
        self.waiting += 1
        self._budget.count(is_repeat, now_seconds)
        self._told.take(tokens)
        if self._own.is_counting:
            self._own.reserve(tokens, now_seconds)

    def count_back(self, tokens: int, at_seconds: float) -> None:
        """Take back what was counted at that moment: the attempt is not made.

        A repeat stays counted: who is turned away comes again.
        """
        self.in_flight -= 1
        self.waiting -= 1
        self._told.give_back(tokens)
        if self._own.is_counting:
            self._own.give_back(tokens, at_seconds)

    def correct(
        self, reserved: int, used: int, at_seconds: float, now_seconds: float
    ) -> None:
        """Count the tokens that were used in place of those reserved at a moment."""
        if self._own.is_counting:
            self._own.correct(reserved, used, at_seconds, now_seconds)

    def heed(
        self, told: tuple[ToldLimit, ...], waited_seconds: float, now_seconds: float
    ) -> None:
        """Take in a reply that took so long to begin, and the limits that it tells."""
        patience_seconds = min(_QUIET_SECONDS, _QUIET_TIMES * waited_seconds)
        self._quiet_from_seconds = now_seconds + patience_seconds
        self._told.heed(told, now_seconds)

    def pause(
        self,
        said_seconds: float | None,
        asked_at_seconds: float,
        now_seconds: float,
        draw: float,
    ) -> float:
        """Take in a 429; return for how long nobody asks. See `pauses.after_limit`."""
        if said_seconds is not None and said_seconds > 0.0:
            self._told.stop_waiting()
        self._pause = after_limit(
            self._pause, said_seconds, asked_at_seconds, now_seconds, draw, self._policy
        )
        return self._pause.left_seconds(now_seconds)

    def hear_pause(self, left_seconds: float, unsaid: int, now_seconds: float) -> None:
        """Take in that another process was asked for patience."""
        seconds = min(left_seconds, self._policy.longest_said_seconds)
        until = max(self._pause.until_seconds, now_seconds + seconds)
        unsaid = max(self._pause.unsaid, unsaid)
        self._pause = Pause(until, now_seconds, unsaid)

    @property
    def unsaid(self) -> int:
        """Return how often in a row its upstream asked for patience without a time."""
        return self._pause.unsaid

    def answered(self, asked_at_seconds: float) -> None:
        """Take in a whole answer."""
        self._pause = after_answer(self._pause, asked_at_seconds)

    def headroom(self, now_seconds: float) -> float:
        """Return the free part of the scarcest limit, in [0, 1]."""
        return min(
            self._own.headroom(now_seconds),
            self._told.headroom(now_seconds),
            self.shared.headroom(now_seconds),
        )

    def _limited(self, tokens: int, now_seconds: float) -> Obstacle | None:
        own_seconds = self._own.wait_seconds(tokens, now_seconds)
        if own_seconds is None:
            return Obstacle("limited")
        seconds = max(
            own_seconds,
            self._pause.left_seconds(now_seconds),
            self._told.wait_seconds(now_seconds),
            self.shared.wait_seconds(tokens, now_seconds),
        )
        return Obstacle("limited", seconds) if seconds > 0.0 else None

    def _busy(self, now_seconds: float) -> Obstacle | None:
        most_waiting = self._policy.waiting_most
        if self._concurrent is not None and self.in_flight >= self._concurrent:
            return Obstacle("busy", SOON_SECONDS)
        if self.shared.busy_seconds(now_seconds) > 0.0:
            return Obstacle("busy", SOON_SECONDS)
        is_quiet = now_seconds >= self._quiet_from_seconds
        if most_waiting is not None and is_quiet and self.waiting >= most_waiting:
            # Nobody knows for how long: who waited for it would hold the very threads
            # that are kept for the other deployments.
            return Obstacle("busy")
        return None

    def _repeated(self, now_seconds: float) -> Obstacle | None:
        seconds = self._budget.wait_seconds(now_seconds)
        return Obstacle("busy", seconds) if seconds > 0.0 else None
