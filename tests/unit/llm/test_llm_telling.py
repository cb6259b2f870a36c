"""Of several errors the caller gets the one that tells most."""

import pytest
from retry_cases import POLICY, history

from flaskllm.core.errors import (
    LLMContextTooLong,
    LLMRateLimited,
    LLMRequestRejected,
    LLMUnavailable,
    NoModelConfigured,
)
from flaskllm.llm.retry import GiveUp, decide
from flaskllm.llm.telling import errors_of, telling

REJECTED, DOWN, LIMITED = LLMRequestRejected(), LLMUnavailable(), LLMRateLimited()
TOO_LONG, NO_MODEL = LLMContextTooLong(), NoModelConfigured()
TELLING = {
    "the last": ([REJECTED, TOO_LONG], TOO_LONG),
    "the last that may pass": ([DOWN, LIMITED, REJECTED], LIMITED),
    "not that no model is configured": ([REJECTED, NO_MODEL], REJECTED),
    "unless nothing else happened": ([NO_MODEL], NO_MODEL),
}


@pytest.mark.parametrize(("errors", "expected"), TELLING.values(), ids=TELLING)
def test_the_error_that_tells_most_is_raised(errors, expected):
    assert telling(errors) is expected


def test_why_deployments_were_left_out_counts_as_heard():
    past = history(("offline", NO_MODEL), objections=(TOO_LONG,))

    assert decide(NO_MODEL, past, POLICY) == GiveUp(TOO_LONG)


def test_what_was_passed_over_stands_between_what_was_left_out_and_what_failed():
    past = history(
        ("b", DOWN),
        untried=("a",),
        obstacles={"a": ("limited", 9.0)},
        objections=(TOO_LONG,),
    )

    codes = [error.code for error in errors_of(past)]

    assert codes == ["LLM_CONTEXT_TOO_LONG", "LLM_RATE_LIMITED", "LLM_UNAVAILABLE"]
