"""A deployment's breaker in use: what it has seen lately, and who probes."""

from dataclasses import replace
from random import Random
from typing import Literal

from flaskllm.llm.health.breaker import Breaker, Step, Weather, after
from flaskllm.llm.health.changes import Change
from flaskllm.llm.health.policy import Policy
from flaskllm.llm.health.seats import Seat
from flaskllm.llm.health.standings import Obstacle
from flaskllm.llm.health.windows import SlidingCount

# The least that others wait for a probe, which may take any time.
_PROBE_SECONDS = 1.0


class Circuit:
    """One breaker. Not for several threads at once.

    Attributes:
        breaker: As it stands.
    """

    __slots__ = (
        "_failures",
        "_is_probed",
        "_outcomes",
        "_policy",
        "_probed_until_seconds",
        "_random",
        "breaker",
    )

    def __init__(self, breaker: Breaker, policy: Policy, random: Random) -> None:
        """Start with a breaker that stands like this."""
        self.breaker = breaker
        self._policy = policy
        self._random = random
        self._is_probed = False
        self._probed_until_seconds = float("-inf")
        self._outcomes = SlidingCount(policy.watched_seconds)
        self._failures = SlidingCount(policy.watched_seconds)

    def obstacle(self, as_last_resort: bool, now_seconds: float) -> Obstacle | None:
        """Return why it lets nobody through now."""
        until_seconds = self.breaker.until_seconds
        if until_seconds is None:
            return None
        left_seconds = until_seconds - now_seconds
        if self._is_probed or now_seconds < self._probed_until_seconds:
            seconds = max(_PROBE_SECONDS, left_seconds)
            return Obstacle("cooling", seconds, is_probed=True)
        if left_seconds > 0.0 and not as_last_resort:
            return Obstacle("cooling", left_seconds)
        return None

    def begin_probe(self) -> bool:
        """Let one through; tell whether it is a probe, for which others wait."""
        if self.breaker.until_seconds is None:
            return False
        self._is_probed = True
        return True

    def end_probe(self, seat: Seat) -> None:
        """Let others through again, if this was the probe."""
        if seat.is_probe:
            seat.is_probe = False
            self._is_probed = False

    def turn_away(self, seat: Seat, seconds: float, now_seconds: float) -> None:
        """Take in that another process probes it, for so long at most."""
        self.end_probe(seat)
        # It may have found out before; a look costs little, and is not for everybody.
        self._probed_until_seconds = now_seconds + min(seconds, _PROBE_SECONDS)

    def hear(
        self, left_seconds: float | None, openings: int, now_seconds: float
    ) -> bool:
        """Stand as another process found it; tell whether that is news here.

        Args:
            left_seconds: How long it is left alone; None is that it is closed.
            openings: How often it opened since its last whole answer.
            now_seconds: The monotonic clock.
        """
        was = self.breaker
        self._probed_until_seconds = float("-inf")
        if left_seconds is None:
            if was.until_seconds is None:
                return False
            self.breaker = Breaker(openings=openings, era=was.era + 1)
            self._outcomes.clear()
            self._failures.clear()
            return True
        seconds = min(left_seconds, self._policy.longest_cool_down_seconds)
        until_seconds = max(now_seconds + seconds, was.until_seconds or 0.0)
        openings = max(openings, was.openings)
        self.breaker = replace(
            was, until_seconds=until_seconds, openings=openings, era=was.era + 1
        )
        return was.until_seconds is None

    def step(
        self, seat: Seat, step: Step, code: str, now_seconds: float
    ) -> list[Change]:
        """Move the breaker on, unless the attempt began in an earlier era."""
        if seat.era != self.breaker.era:
            return []
        if step != "began":
            self._outcomes.add(1, now_seconds)
        if step == "failed":
            self._failures.add(1, now_seconds)
        elif self.breaker.is_untroubled:
            return []
        changes = self._turn(step, code, now_seconds)
        if step == "began":
            # How it ends is news for the breaker that it has closed.
            seat.era = self.breaker.era
        return changes

    def go_down(self, code: str, now_seconds: float) -> list[Change]:
        """Open, unless it is; nobody was asked."""
        if self.breaker.state(now_seconds) == "open":
            return []
        return self._turn("down", code, now_seconds)

    def _turn(self, step: Step, code: str, now_seconds: float) -> list[Change]:
        was = self.breaker
        weather = Weather(
            now_seconds,
            self._random.random(),
            self._outcomes.total(now_seconds),
            self._failures.total(now_seconds),
        )
        self.breaker = now = after(was, step, weather, self._policy)
        if now.era == was.era:
            return []
        if now.until_seconds is not None:
            kind: Literal["opened", "reopened"] = (
                "opened" if was.until_seconds is None else "reopened"
            )
            seconds = now.until_seconds - now_seconds
            return [Change(kind, code, seconds, times=now.openings)]
        self._outcomes.clear()
        self._failures.clear()
        return [Change("closed", times=now.openings)]
