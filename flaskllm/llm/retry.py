"""Whom to ask first, and what to do after a failure: pure decisions over values.

A *retry* asks a deployment again that was tried before, or waits for one: it counts,
and a request has two. Asking one for the first time is free, and at once.
"""

import math
from collections.abc import Container, Sequence
from dataclasses import dataclass

from flaskllm.core.errors import (
    APIError,
    LLMAnswerDiffers,
    LLMAPIError,
    LLMInvalidRequest,
    LLMRateLimited,
    LLMRefused,
    LLMServerError,
)
from flaskllm.llm.history import Failure, History
from flaskllm.llm.patience import Policy, suiting, wait_seconds
from flaskllm.llm.telling import errors_of, out_of_time, telling


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask this deployment at once, for the first time.

    As the last resort it is asked although its breaker is open.
    """

    deployment: str
    as_last_resort: bool = False


@dataclass(frozen=True, slots=True)
class Retry:
    """Wait, then ask this deployment; it counts as one of the request's retries."""

    deployment: str
    wait_seconds: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Raise this error: the one that tells the caller most."""

    error: APIError


Decision = Ask | Retry | GiveUp

# No other deployment is asked: a refusal is not routed around, and a field that is
# wrong for one is not tried out on the next.
_FINAL = (LLMRefused, LLMInvalidRequest)


def begin(history: History, policy: Policy) -> Decision:
    """Return whom to ask when no failure is to be answered: at first, or at a door.

    The first of the untried that nothing speaks against. Else a retry of the one
    that is ready first: a deployment with a passing error, `Retry-After` seconds
    after it but never before the backoff; or one that is known to be limited, as
    soon as it is not. Else, once a request, the deployment whose cool-down ends
    first, as the last resort. Else the error that tells most.

    No wait is longer than the policy's or the deadline. Who was silent is never asked
    again, and who asked for patience twice neither.
    """
    promising = _promising(history)
    if promising:
        return Ask(promising[0])
    if history.failures and history.remaining_seconds <= 0.0:
        return GiveUp(out_of_time(history))
    return (
        _retry(tuple(history.options), history, policy)
        or _last_resort(history)
        or GiveUp(telling(errors_of(history)))
    )


def decide(error: APIError, history: History, policy: Policy) -> Decision:
    """Return what follows the failure of an attempt, the history's last.

    What is no failure of a model (the caller is gone, the budget is spent), what a
    model refused, and what the caller has to mend ends the request.

    ============================  ==================================================
    a fault at this one request   the same deployment, once more
    limited                       another of its route, or with its model; else the
                                  same, once, when it told how long that takes
    an answer that differs        the same, once, where it may be asked to continue
    ============================  ==================================================

    After all else, and then, the request goes on as it began, see `begin`.
    """
    if not isinstance(error, LLMAPIError) or isinstance(error, _FINAL):
        return GiveUp(error)
    here = history.failures[-1].deployment
    move: Decision | None = None
    if is_due_again(history.failures[-1], history.retried):
        move = _retry((here,), history, policy)
    elif isinstance(error, LLMRateLimited):
        move = _replaced(here, history) or _outwaited(error, here, history, policy)
    elif isinstance(error, LLMAnswerDiffers):
        move = _continued(here, history, policy)
    return move or begin(history, policy)


def is_due_again(failure: Failure, retried: Container[str]) -> bool:
    """Tell whether the deployment failed at this one request, and only once so far."""
    is_of_request = isinstance(failure.error, LLMServerError)
    return is_of_request and failure.deployment not in retried


def _promising(history: History) -> tuple[str, ...]:
    return tuple(
        name for name in suiting(history) if history.options[name].obstacle is None
    )


def _replaced(here: str, history: History) -> Ask | None:
    """Ask another of the same route, or one with the same model."""
    own = history.options[here]
    for name in _promising(history):
        option = history.options[name]
        if option.alias == own.alias or option.model == own.model:
            return Ask(name)
    return None


def _outwaited(
    error: LLMRateLimited, here: str, history: History, policy: Policy
) -> Retry | None:
    """Wait as long as the deployment told, rather than change the model."""
    if error.retry_after_seconds is None:
        return None
    return _retry((here,), history, policy)


def _continued(here: str, history: History, policy: Policy) -> Retry | None:
    """Return that the deployment is asked to continue, which is done once."""
    differed = [
        failure
        for failure in history.failures
        if failure.deployment == here and isinstance(failure.error, LLMAnswerDiffers)
    ]
    is_left = len(history.retried) < policy.retries
    may_be_asked = history.may_continue and history.remaining_seconds > 0.0
    return Retry(here, 0.0) if may_be_asked and is_left and len(differed) == 1 else None


def _retry(names: Sequence[str], history: History, policy: Policy) -> Retry | None:
    """Return the retry of the one that is ready first, of equals the one left longest.

    None when no retries are left, or no wait for any of them fits the deadline.
    """
    if len(history.retried) >= policy.retries:
        return None
    waits = {
        name: seconds
        for name in names
        if (seconds := wait_seconds(name, history, policy)) is not None
    }
    if not waits:
        return None
    latest = {failure.deployment: failure.at_seconds for failure in history.failures}
    name = min(waits, key=lambda name: (waits[name], latest.get(name, 0.0)))
    fits = waits[name] < history.remaining_seconds
    return Retry(name, waits[name]) if fits else None


def _last_resort(history: History) -> Ask | None:
    """Return the untried whose cool-down ends first; None where there is none.

    Nor is there where another request is trying one of them at this moment.
    """
    cooling = {
        name: obstacle
        for name in suiting(history)
        if (obstacle := history.options[name].obstacle) and obstacle.reason == "cooling"
    }
    is_tried = any(obstacle.is_probed for obstacle in cooling.values())
    if not cooling or is_tried or history.had_last_resort:
        return None
    due = {
        name: math.inf if obstacle.seconds is None else obstacle.seconds
        for name, obstacle in cooling.items()
    }
    return Ask(min(due, key=due.__getitem__), as_last_resort=True)
