"""When a job that failed is begun again. Pure."""

from dataclasses import dataclass
from typing import Final, Literal

from flaskllm.core.errors import APIError, NeedsFetch, RateLimitExceeded

WAITS_SECONDS: Final = (10.0, 60.0, 300.0, 900.0, 3600.0)
"""What is waited after the first failure, the second, and so on; then it is dead."""
LONGEST_LIMIT_WAIT_SECONDS: Final = 60.0

_JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Again:
    """The job is begun once more. `failures` counts those that came so far."""

    delay_seconds: float
    failures: int


def after_failure(
    error: APIError, attempt: int, failures: int, left_seconds: float, chance: float
) -> Again | Literal["failed", "dead", "needs_fetch"]:
    """Return what becomes of a job whose attempt ended with this error.

    What would fail again is `failed`, but `needs_fetch` where somebody has to bring
    the document. `dead` is what has failed six times, or cannot be begun again before
    its deadline. A limit of the API token's own is no failure: the job waits for its
    turn, `min(60, 2 ** attempt)` seconds. Every wait is as long as the error asks for
    at least, and up to a fifth longer, so that not all come back at once.

    Args:
        error: What it ended with.
        attempt: Which one it was, from 1.
        failures: How many attempts failed before.
        left_seconds: Until the job's deadline.
        chance: From 0 to 1, evenly spread.
    """
    if isinstance(error, NeedsFetch):
        return "needs_fetch"
    if not error.retryable:
        return "failed"
    if isinstance(error, RateLimitExceeded):
        wait = min(LONGEST_LIMIT_WAIT_SECONDS, 2.0 ** min(attempt, 6))
    elif failures < len(WAITS_SECONDS):
        wait = WAITS_SECONDS[failures]
        failures += 1
    else:
        return "dead"
    least = max(wait, error.retry_after_seconds or 0.0)
    delay_seconds = least * (1 + _JITTER * chance)
    return Again(delay_seconds, failures) if delay_seconds < left_seconds else "dead"
