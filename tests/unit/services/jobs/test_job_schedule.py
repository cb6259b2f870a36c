"""What becomes of a job whose attempt failed."""

import pytest

from flaskllm.core.errors import (
    BudgetExceeded,
    InternalError,
    LLMRateLimited,
    LLMUnavailable,
    RateLimitExceeded,
    ServiceUnavailable,
)
from flaskllm.services.jobs.schedule import Again, after_failure

LONG = 1e9


def limited(seconds=None):
    return RateLimitExceeded(retry_after_seconds=seconds)


@pytest.mark.parametrize(
    ("error", "attempt", "failures", "left", "chance", "becomes"),
    [
        (LLMUnavailable(), 1, 0, LONG, 0.0, Again(10.0, 1)),
        (LLMUnavailable(), 3, 2, LONG, 0.0, Again(300.0, 3)),
        (LLMUnavailable(), 1, 0, LONG, 1.0, Again(12.0, 1)),
        (ServiceUnavailable(), 5, 4, LONG, 0.0, Again(3600.0, 5)),
        (LLMUnavailable(), 6, 5, LONG, 0.0, "dead"),
        (LLMUnavailable(), 1, 0, 10.0, 0.0, "dead"),
        (LLMRateLimited(retry_after_seconds=90.0), 1, 0, LONG, 0.0, Again(90.0, 1)),
        (LLMRateLimited(retry_after_seconds=90.0), 1, 0, 60.0, 0.0, "dead"),
        (limited(), 1, 5, LONG, 0.0, Again(2.0, 5)),
        (limited(), 900, 5, LONG, 0.0, Again(60.0, 5)),
        (limited(90.0), 1, 0, LONG, 0.0, Again(90.0, 0)),
        (BudgetExceeded(), 1, 0, LONG, 0.0, "failed"),
        (InternalError(), 1, 0, LONG, 0.0, "failed"),
    ],
)
def test_a_failure_leads_to(error, attempt, failures, left, chance, becomes):
    assert after_failure(error, attempt, failures, left, chance) == becomes
