"""What is passed on of an upstream's rate limits."""

import pytest

from flaskllm.llm.rate_limits import rate_limits_of

TOLD = {
    "x-ratelimit-limit-requests": "60",
    "x-ratelimit-remaining-tokens": "149984",
    "x-ratelimit-reset-tokens": "6m0.5s",
    "anthropic-ratelimit-requests-limit": "50",
    "anthropic-ratelimit-tokens-remaining": "0",
    "anthropic-ratelimit-input-tokens-remaining": "9",
    "anthropic-ratelimit-output-tokens-reset": "2026-01-27T12:00:00Z",
}
NOT_TOLD = {
    "another prefix": {"retry-after": "9", "x-request-id": "req_1"},
    "another name": {
        "x-ratelimit-limit-organization": "1",
        "anthropic-ratelimit-unified-status": "allowed",
    },
    "more behind the name": {"x-ratelimit-limit-tokens-a": "1"},
    "an empty value": {"x-ratelimit-limit-tokens": ""},
    "a line break": {"x-ratelimit-limit-tokens": "1\n"},
    "a space": {"x-ratelimit-limit-tokens": "1 2"},
    "a long value": {"x-ratelimit-limit-tokens": "1" * 65},
}


def test_the_limits_that_vendors_tell_are_kept():
    assert rate_limits_of({"content-type": "text/plain", **TOLD}) == TOLD


@pytest.mark.parametrize("headers", NOT_TOLD.values(), ids=NOT_TOLD)
def test_what_is_no_limit_is_not_passed_on(headers):
    assert rate_limits_of(headers) == {}


def test_the_longest_value_is_still_kept():
    headers = {"x-ratelimit-reset-requests": "1" * 64}

    assert rate_limits_of(headers) == headers
