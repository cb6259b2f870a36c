"""How long a request waits, and for whom: pure, over what was tried."""

from collections.abc import Collection
from dataclasses import dataclass

from flaskllm.core.errors import (
    APIError,
    LLMAPIError,
    LLMContextTooLong,
    LLMRateLimited,
    LLMTimeout,
)
from flaskllm.llm.health.standings import Obstacle, Reason
from flaskllm.llm.history import Failure, History

_PASSING: tuple[Reason, ...] = ("limited", "busy")


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient a request is.

    `retries` counts per request. `base_seconds` and `cap_seconds` shape the
    backoff. Nothing is waited for longer than `longest_wait_seconds`.
    `hint_seconds` is what a caller is told to wait when no upstream said how long.
    """

    retries: int = 2
    base_seconds: float = 0.5
    cap_seconds: float = 8.0
    longest_wait_seconds: float = 3.0
    hint_seconds: float = 5.0


def backoff_seconds(retries_made: int, draw: float, policy: Policy) -> float:
    """Return ``draw * min(cap, base * 2 ** retries_made)``.

    Exponential backoff with full jitter: with `draw` uniform in [0, 1) the
    callers of a service that comes back do not all come at once (M. Brooker,
    "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    """
    return draw * min(policy.cap_seconds, policy.base_seconds * 2.0**retries_made)


def hint_seconds(error: APIError, policy: Policy) -> float | None:
    """Return when the same request may succeed, at least a second; None = never.

    What was never about a model says itself when its reason is over, if anything does:
    a budget, a limit, a database.
    """
    if not isinstance(error, LLMAPIError):
        return error.retry_after_seconds
    if not error.retryable:
        return None
    if error.retry_after_seconds is None:
        return policy.hint_seconds
    return max(1.0, error.retry_after_seconds)


def suiting(history: History) -> tuple[str, ...]:
    """Return the untried whose window nothing speaks against.

    A window that is unknown, of either side, speaks against nothing.
    """
    overrun = [
        history.options[failure.deployment].window or 0
        for failure in history.failures
        if isinstance(failure.error, LLMContextTooLong)
    ]
    too_short = max(overrun, default=0)
    return tuple(
        name
        for name in history.untried
        if (window := history.options[name].window) is None or window > too_short
    )


def wait_seconds(name: str, history: History, policy: Policy) -> float | None:
    """Return how long to wait for this deployment; None where that is in vain."""
    latest = {failure.deployment: failure for failure in history.failures}.get(name)
    # Who failed is not waited for until its repeats are earned again.
    passing = _PASSING if latest is None else ("limited",)
    limited_seconds = _passes_in(history.options[name].obstacle, passing)
    if limited_seconds is None:
        return None
    if latest is None:
        is_due = name in suiting(history) and name not in history.retried
        seconds = limited_seconds
    else:
        is_due = _may_pass(latest, history)
        asked_seconds = latest.error.retry_after_seconds or 0.0
        seconds = max(
            limited_seconds,
            asked_seconds - (history.now_seconds - latest.at_seconds),
            backoff_seconds(len(history.retried), history.draw, policy),
        )
    return seconds if is_due and seconds <= policy.longest_wait_seconds else None


def _passes_in(obstacle: Obstacle | None, passing: Collection[Reason]) -> float | None:
    """Return when what stands in the way passes by itself; None if that is unknown."""
    if obstacle is None:
        return 0.0
    return obstacle.seconds if obstacle.reason in passing else None


def _may_pass(latest: Failure, history: History) -> bool:
    """Tell whether the deployment that failed so may succeed in this request.

    Not who was silent; nor who was waited for as long as it told, and told again. To
    go on with a stream that broke the same is asked once, and only where it is alone.
    """
    error = latest.error
    if not isinstance(error, LLMAPIError) or not error.transient:
        return False
    if isinstance(error, LLMTimeout):
        return False
    if history.is_rescue:
        is_alone = len(history.options) == 1
        return is_alone and latest.deployment not in history.retried
    if isinstance(error, LLMRateLimited):
        return _times_told(latest.deployment, history) < 2
    return True


def _times_told(name: str, history: History) -> int:
    """Count how often a deployment told for how long it is limited."""
    return sum(
        failure.deployment == name
        and isinstance(failure.error, LLMRateLimited)
        and failure.error.retry_after_seconds is not None
        for failure in history.failures
    )
