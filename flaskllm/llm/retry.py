"""What to do after an attempt failed: pure decisions over values.

A *retry* asks a deployment again that was tried before: it waits, and it counts.
A *fallback* asks one for the first time: at once, and free.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from flaskllm.core.errors import (
    APIError,
    LLMAPIError,
    LLMContextTooLong,
    LLMInvalidRequest,
    LLMRefused,
    LLMTimeout,
    NoModelConfigured,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """How patient a request is.

    `retries` counts per request. `base_seconds` and `cap_seconds` shape the
    backoff. `hint_seconds` is what a caller is told to wait when no upstream
    said how long.
    """

    retries: int = 2
    base_seconds: float = 0.5
    cap_seconds: float = 8.0
    hint_seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt that failed, at this moment of the monotonic clock."""

    deployment: str
    error: APIError
    at_seconds: float


@dataclass(frozen=True, slots=True)
class History:
    """A request so far.

    Attributes:
        failures: Oldest first; the one to decide about is the last.
        untried: The deployments that may still be asked for the first time, in
            the order to ask them; after the deadline only those that need no
            upstream.
        now_seconds: The monotonic clock.
        remaining_seconds: What is left until the request's deadline.
        draw: A fresh random number in [0, 1), for the jitter.
        objections: Why deployments were left out before any attempt.
        windows: The context window of each deployment, in tokens; None is unknown.
    """

    failures: tuple[Failure, ...]
    untried: tuple[str, ...]
    now_seconds: float
    remaining_seconds: float
    draw: float
    objections: tuple[APIError, ...] = ()
    windows: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Retry:
    """Wait, then ask this deployment again."""

    deployment: str
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class Fallback:
    """Ask this deployment at once, for the first time."""

    deployment: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Raise this error: the one that tells the caller most."""

    error: APIError


Decision = Retry | Fallback | GiveUp

# No other deployment is asked: a refusal is not routed around, and a field that is
# wrong for one is not tried out on the next.
_FINAL = (LLMRefused, LLMInvalidRequest)


def decide(error: APIError, history: History, policy: Policy) -> Decision:
    """Return what follows an error.

    What is no failure of a model (the caller is gone, the budget is spent), what a
    model refused, and what the caller has to mend ends the request. Then a
    deployment not tried yet is asked; after an input was too long for one, only
    such as may take a longer one. Then the deadline ends the request. Then, when
    retries are left, the deployment with a passing error is asked that is ready
    first: `Retry-After` seconds after its error, but never before the backoff. A
    wait that does not fit the deadline is not begun.
    """
    if not isinstance(error, LLMAPIError) or isinstance(error, _FINAL):
        return GiveUp(error)
    promising = _promising(history)
    if promising:
        return Fallback(promising[0])
    if history.remaining_seconds <= 0.0:
        return GiveUp(_out_of_time(history))
    return _retry(history, policy) or GiveUp(telling(_errors(history)))


def backoff_seconds(retries_made: int, draw: float, policy: Policy) -> float:
    """Return ``draw * min(cap, base * 2 ** retries_made)``.

    Exponential backoff with full jitter: with `draw` uniform in [0, 1) the
    callers of a service that comes back do not all come at once (M. Brooker,
    "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
    """
    return draw * min(policy.cap_seconds, policy.base_seconds * 2.0**retries_made)


def telling(errors: Sequence[APIError]) -> APIError:
    """Return the error that tells the caller most, from oldest to newest.

    The last after which the same request may succeed later, else the last. That
    only the built-in provider is left is no news after a model has failed.
    """
    heard = [e for e in errors if not isinstance(e, NoModelConfigured)] or errors
    hopeful = [error for error in heard if error.retryable]
    return (hopeful or heard)[-1]


def hint_seconds(error: APIError, policy: Policy) -> float | None:
    """Return when the same request may succeed, at least a second; None = never."""
    if not error.retryable:
        return None
    if error.retry_after_seconds is None:
        return policy.hint_seconds
    return max(1.0, error.retry_after_seconds)


def _promising(history: History) -> tuple[str, ...]:
    """Return the untried whose window nothing speaks against.

    A window that is unknown, of either side, speaks against nothing.
    """
    overrun = [
        history.windows.get(failure.deployment) or 0
        for failure in history.failures
        if isinstance(failure.error, LLMContextTooLong)
    ]
    too_short = max(overrun, default=0)
    return tuple(
        name
        for name in history.untried
        if (window := history.windows.get(name)) is None or window > too_short
    )


def _retry(history: History, policy: Policy) -> Retry | None:
    ready_seconds = _ready_seconds(history.failures)
    retries_made = len(history.failures) - len({f.deployment for f in history.failures})
    if not ready_seconds or retries_made >= policy.retries:
        return None
    deployment = min(ready_seconds, key=ready_seconds.__getitem__)
    wait_seconds = max(
        ready_seconds[deployment] - history.now_seconds,
        backoff_seconds(retries_made, history.draw, policy),
    )
    if wait_seconds >= history.remaining_seconds:
        return None
    return Retry(deployment, wait_seconds)


def _ready_seconds(failures: tuple[Failure, ...]) -> dict[str, float]:
    """Return from when on each deployment with a passing error may be asked."""
    latest = {failure.deployment: failure for failure in failures}
    return {
        name: failure.at_seconds + (failure.error.retry_after_seconds or 0.0)
        for name, failure in latest.items()
        if isinstance(failure.error, LLMAPIError) and failure.error.transient
    }


def _out_of_time(history: History) -> APIError:
    error = telling(_errors(history))
    if isinstance(error, LLMTimeout):
        return error
    return LLMTimeout(
        details=f"The deadline passed after attempt {len(history.failures)}; "
        f"what went wrong: {error.code}.",
    )


def _errors(history: History) -> tuple[APIError, ...]:
    return history.objections + tuple(failure.error for failure in history.failures)
