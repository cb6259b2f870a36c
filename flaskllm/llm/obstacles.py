"""What is said of deployments that may not be asked now."""

import math
from collections.abc import Mapping

from flaskllm.core.errors import (
    LLMAPIError,
    LLMCredentialRejected,
    LLMRateLimited,
    LLMUnavailable,
)
from flaskllm.llm.health.standings import Obstacle, Reason

_WORDS: Mapping[Reason, str] = {
    "cooling": "cooling",
    "limited": "limited",
    "credential": "credential rejected",
    "busy": "busy",
    "disabled": "taken out by an operator",
}

# The first reason that one of them has names the error of all: what passes soonest.
_ERRORS: tuple[tuple[Reason, type[LLMAPIError]], ...] = (
    ("cooling", LLMUnavailable),
    ("busy", LLMRateLimited),
    ("limited", LLMRateLimited),
    ("credential", LLMCredentialRejected),
    ("disabled", LLMUnavailable),
)
# Whose limits, the upstream's or the settings', the caller need not know.
_LIMITS = "The limits of this model's deployments are used up."


def told(name: str, obstacle: Obstacle) -> str:
    """Return one obstacle in words: `rack (cooling 3 s)`."""
    word = _WORDS[obstacle.reason]
    if obstacle.seconds is None:
        return f"{name} ({word})"
    return f"{name} ({word} {math.ceil(obstacle.seconds)} s)"


def error_of(obstacles: Mapping[str, Obstacle]) -> LLMAPIError:
    """Return the error of a request that these obstacles keep from every deployment.

    Its hint is the shortest time after which one of them has passed, as far as it
    is known.

    Args:
        obstacles: By the deployment's name; at least one.
    """
    reasons = {_decisive(obstacle) for obstacle in obstacles.values()}
    error = next(error for reason, error in _ERRORS if reason in reasons)
    said = ", ".join(told(name, obstacle) for name, obstacle in obstacles.items())
    known = [each.seconds for each in obstacles.values() if each.seconds is not None]
    return error(
        _LIMITS if error is LLMRateLimited else None,
        details=f"No deployment may be asked now: {said}.",
        retry_after_seconds=min(known, default=None),
    )


def _decisive(obstacle: Obstacle) -> Reason:
    """Return the reason by which the error is chosen.

    Where too many attempts wait for a first byte no limit is used up: the upstream
    does not answer.
    """
    is_stuck = obstacle.reason == "busy" and obstacle.seconds is None
    return "cooling" if is_stuck else obstacle.reason
