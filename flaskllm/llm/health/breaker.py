"""A breaker as a pure state machine: what was, what came, what is now.

::

    closed --failures in a row, or a failing share--> open
    open --its time is over--> half open
    half open --a probe's first token or answer--> closed
    half open --a probe fails--> open, for longer
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from flaskllm.llm.health.policy import Policy, growing_seconds
from flaskllm.llm.health.standings import State

Step = Literal["began", "succeeded", "failed", "down"]
"""What an attempt brought: its first token, a whole answer, or a failure; or that the
upstream was found to be down while nobody asked it."""


@dataclass(frozen=True, slots=True)
class Breaker:
    """One moment of it.

    Attributes:
        until_seconds: Until then, on the monotonic clock, nobody is let through;
            from then on a probe is. None while it is closed.
        failures_in_a_row: Since the last whole answer.
        openings: How often it opened since then.
        era: Grows with each opening and each closing. What an attempt of an earlier
            era brings is no news: it was asked under other circumstances.
    """

    until_seconds: float | None = None
    failures_in_a_row: int = 0
    openings: int = 0
    era: int = 0

    @property
    def is_untroubled(self) -> bool:
        """Tell whether nothing counts against the deployment."""
        return (
            self.until_seconds is None
            and self.failures_in_a_row == 0
            and self.openings == 0
        )

    def state(self, now_seconds: float) -> State:
        """Return its state; half open is an open one whose time is over."""
        if self.until_seconds is None:
            return "closed"
        return "open" if now_seconds < self.until_seconds else "half_open"

    def left_seconds(self, now_seconds: float) -> float:
        """Return for how long nobody is let through; 0.0 where somebody is."""
        return max(0.0, (self.until_seconds or now_seconds) - now_seconds)

    def due(self, now_seconds: float) -> "Breaker":
        """Return it with its time over: half open, if it was open."""
        if self.until_seconds is None or self.until_seconds <= now_seconds:
            return self
        return replace(self, until_seconds=now_seconds)


CLOSED = Breaker()


@dataclass(frozen=True, slots=True)
class Weather:
    """What else decides about a failure.

    Attributes:
        now_seconds: The monotonic clock.
        draw: Uniform in [0, 1), for the jitter.
        outcomes: How many attempts ended in the window, this one included.
        failures: How many of those failed.
    """

    now_seconds: float
    draw: float = 0.5
    outcomes: int = 0
    failures: int = 0


def after(breaker: Breaker, step: Step, weather: Weather, policy: Policy) -> Breaker:
    """Return the breaker after an attempt of its own era.

    A first token closes it, but only a whole answer takes back what counts against
    the deployment: one that begins well and always breaks off opens it again with
    its next failure, for longer.
    """
    return _STEPS[step](breaker, weather, policy)


def _begin(breaker: Breaker, weather: Weather, policy: Policy) -> Breaker:
    if breaker.until_seconds is None:
        return breaker
    return replace(breaker, until_seconds=None, era=breaker.era + 1)


def _succeed(breaker: Breaker, weather: Weather, policy: Policy) -> Breaker:
    if breaker.until_seconds is not None:
        return Breaker(era=breaker.era + 1)
    if breaker.failures_in_a_row or breaker.openings:
        return Breaker(era=breaker.era)
    return breaker


def _fail(breaker: Breaker, weather: Weather, policy: Policy) -> Breaker:
    failed = replace(breaker, failures_in_a_row=breaker.failures_in_a_row + 1)
    if breaker.until_seconds is None and not _is_enough(failed, weather, policy):
        return failed
    return _open(failed, weather, policy)


def _open(breaker: Breaker, weather: Weather, policy: Policy) -> Breaker:
    seconds = growing_seconds(
        policy.cool_down_seconds,
        policy.longest_cool_down_seconds,
        breaker.openings,
        weather.draw,
    )
    return replace(
        breaker,
        until_seconds=weather.now_seconds + seconds,
        openings=breaker.openings + 1,
        era=breaker.era + 1,
    )


def _is_enough(breaker: Breaker, weather: Weather, policy: Policy) -> bool:
    if breaker.failures_in_a_row >= policy.failures_in_a_row:
        return True
    return (
        weather.outcomes >= policy.fewest_outcomes
        and weather.failures >= policy.failing_share * weather.outcomes
    )


_STEPS: Mapping[Step, Callable[[Breaker, Weather, Policy], Breaker]] = {
    "began": _begin,
    "succeeded": _succeed,
    "failed": _fail,
    "down": _open,
}
