"""How long a request waits, and what its caller is told to wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from retry_cases import POLICY

from flaskllm.core.errors import (
    LLMRateLimited,
    LLMRequestRejected,
    LLMUnavailable,
    ServiceUnavailable,
)
from flaskllm.llm.patience import backoff_seconds, hint_seconds


@pytest.mark.parametrize(
    ("made", "ceiling"), [(0, 0.5), (1, 1.0), (2, 2.0), (4, 8.0), (5, 8.0), (60, 8.0)]
)
def test_the_backoff_doubles_up_to_its_cap(made, ceiling):
    assert backoff_seconds(made, 1.0, POLICY) == ceiling


@given(made=st.integers(0, 100), draw=st.floats(0.0, 1.0, exclude_max=True))
def test_the_jitter_is_full(made, draw):
    assert 0.0 <= backoff_seconds(made, draw, POLICY) <= POLICY.cap_seconds


HINTS = {
    "unknown": (LLMUnavailable(), 5.0),
    "as the upstream says": (LLMRateLimited(retry_after_seconds=7.5), 7.5),
    "at least a second": (LLMRateLimited(retry_after_seconds=0.0), 1.0),
    "never for what lasts": (LLMRequestRejected(), None),
    "as the database says": (ServiceUnavailable(retry_after_seconds=60.0), 60.0),
    "never where it is damaged": (ServiceUnavailable(details="Damaged."), None),
}


@pytest.mark.parametrize(("error", "hint"), HINTS.values(), ids=HINTS)
def test_a_caller_is_told_when_to_come_back(error, hint):
    assert hint_seconds(error, POLICY) == hint
