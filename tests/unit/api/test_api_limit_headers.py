"""What replies tell of limits: each dialect's words, and how times are written."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.api.limit_headers import (
    anthropic_headers,
    duration,
    native_headers,
    openai_headers,
)
from flaskllm.core.auth import PrincipalLimits
from flaskllm.llm.rate_limits import rate_limits_of, told_limits
from flaskllm.services.limits import Standing

NOW = datetime(2026, 1, 5, 9, 0, 0, 250_000, tzinfo=UTC)
REQUESTS = Standing("requests", 100, 57, more_seconds=11.2, full_seconds=71.5)
TOKENS = Standing("tokens", 40_000, 0, more_seconds=0.0, full_seconds=119.75)


def test_the_draft_s_fields_are_lists_of_named_items():
    assert native_headers([REQUESTS, TOKENS], NOW) == {
        "RateLimit-Policy": '"requests";q=100;w=60, "tokens";q=40000;w=60;qu="tokens"',
        "RateLimit": '"requests";r=57;t=12, "tokens";r=0;t=0',
    }


def test_openai_s_headers_tell_how_long_it_takes():
    assert openai_headers([REQUESTS, TOKENS], NOW) == {
        "x-ratelimit-limit-requests": "100",
        "x-ratelimit-remaining-requests": "57",
        "x-ratelimit-reset-requests": "1m11.5s",
        "x-ratelimit-limit-tokens": "40000",
        "x-ratelimit-remaining-tokens": "0",
        "x-ratelimit-reset-tokens": "1m59.75s",
    }


def test_anthropic_s_headers_tell_when_it_is():
    assert anthropic_headers([REQUESTS, TOKENS], NOW) == {
        "anthropic-ratelimit-requests-limit": "100",
        "anthropic-ratelimit-requests-remaining": "57",
        "anthropic-ratelimit-requests-reset": "2026-01-05T09:01:12Z",
        "anthropic-ratelimit-tokens-limit": "40000",
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": "2026-01-05T09:02:00Z",
    }


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.0, "0s"),
        (0.0001, "1ms"),
        (0.02, "20ms"),
        (0.9991, "1s"),
        (1.0, "1s"),
        (10.0, "10s"),
        (1.5, "1.5s"),
        (59.9999, "1m0s"),
        (360.0, "6m0s"),
        (62.25, "1m2.25s"),
    ],
)
def test_a_duration_is_written_as_openai_writes_it(seconds, told):
    assert duration(seconds) == told


@given(
    st.integers(1, 10**9),
    st.integers(0, 10**9),
    st.floats(0, 1000, allow_nan=False),
    st.sampled_from([openai_headers, anthropic_headers]),
)
def test_whoever_reads_an_upstream_s_headers_can_read_ours(
    limit, remaining, seconds, headers_of
):
    standing = Standing("tokens", limit, remaining, 0.0, seconds)
    headers = headers_of([standing], NOW)

    assert rate_limits_of(headers) == headers
    (told,) = told_limits(headers, NOW)
    assert (told.kind, told.limit, told.remaining) == ("tokens", limit, remaining)
    assert seconds <= told.reset_seconds + 1e-6 <= seconds + 1.001


class TestCounting:
    """Which requests count, on the face with fake services."""

    @pytest.fixture(autouse=True)
    def _limited(self, services):
        services.api_tokens.given["limits"] = PrincipalLimits(requests_per_minute=2)

    def test_a_request_that_is_refused_for_its_scope_counts(self, client, bearer):
        replies = [
            client.get("/api/v1/health/providers", headers=bearer("webhook"))
            for _ in range(3)
        ]

        assert [each.status_code for each in replies] == [403, 403, 429]
        assert replies[0].headers["RateLimit"] == '"requests";r=1;t=61'

    def test_one_from_an_address_that_it_may_not_come_from_does_not(
        self, client, bearer, services
    ):
        """Or a thief could use up what its owner has."""
        services.api_tokens.given["networks"] = ("192.0.2.0/24",)
        abroad = [
            client.get("/api/v1/templates", headers=bearer("webhook")) for _ in range(5)
        ]
        services.api_tokens.given["networks"] = None

        assert {each.status_code for each in abroad} == {403}
        assert "RateLimit" not in abroad[0].headers
        own = client.get("/api/v1/templates", headers=bearer("webhook"))
        assert own.status_code == 200

    def test_one_that_nobody_signed_or_that_has_no_view_does_not(self, client, bearer):
        for _ in range(5):
            assert client.get("/api/v1/health").status_code == 200
            assert client.get("/nowhere", headers=bearer("read")).status_code == 404
            assert client.get("/api/v1/templates").status_code == 401

        reply = client.get("/api/v1/templates", headers=bearer("webhook"))

        assert reply.headers["RateLimit"] == '"requests";r=1;t=61'
