"""How the rate limits of a reply are read."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.llm.rate_limits import ToldLimit, told_limits

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
RESETS = {
    "6m0s": 360.0,
    "120ms": 0.12,
    "1s": 1.0,
    "2m59.56s": 179.56,
    "7.66s": 7.66,
    "1h2m3s": 3723.0,
    "1d": 86_400.0,
    "1m30.5s": 90.5,
    "59.70000000000001s": 59.7,
    "30": 30.0,
    "0.5": 0.5,
    "0s": 0.0,
    "2026-01-05T09:00:30Z": 30.0,
    "2026-01-05T10:00:30.5+01:00": 30.5,
    "2026-01-05t09:01:00z": 60.0,
    "2026-01-05T08:00:00Z": 0.0,
    "2026-02-31T08:00:00Z": None,
    "2026-01-05T09:00:30": None,
    "2026-01-05": None,
    "soon": None,
    "-1s": None,
    "1s1m": None,
    "1e3": None,
    "": None,
    "inf": None,
    "nan": None,
    "٣s": None,
    "1" * 30 + "s": None,
}
COUNTS = {"0": 0, "499": 499, "-1": None, "1.5": None, "": None, "9" * 16: None}


@pytest.mark.parametrize(("reset", "seconds"), RESETS.items())
def test_a_reset_is_a_duration_a_moment_or_seconds_and_else_absent(reset, seconds):
    headers = {
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": reset,
    }

    (told,) = told_limits(headers, NOW)

    assert told.reset_seconds == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize(("text", "count"), COUNTS.items())
def test_a_limit_whose_rest_is_no_count_is_not_told(text, count):
    headers = {"x-ratelimit-remaining-tokens": text, "x-ratelimit-limit-tokens": text}

    told = told_limits(headers, NOW)

    expected = () if count is None else (ToldLimit("tokens", count, count),)
    assert told == expected


def test_each_kind_of_either_vendor_is_read():
    openai = {
        "x-ratelimit-limit-requests": "60",
        "x-ratelimit-remaining-requests": "59",
        "x-ratelimit-reset-requests": "1s",
        "x-ratelimit-remaining-tokens": "149984",
    }
    kinds = ("requests", "tokens", "input-tokens", "output-tokens")
    anthropic = {f"anthropic-ratelimit-{kind}-remaining": "7" for kind in kinds}

    assert told_limits(openai, NOW) == (
        ToldLimit("requests", 59, 60, 1.0),
        ToldLimit("tokens", 149984),
    )
    assert told_limits(anthropic, NOW) == tuple(ToldLimit(kind, 7) for kind in kinds)


@pytest.mark.parametrize("headers", [{}, {"content-type": "text/plain"}])
def test_without_such_headers_nothing_is_told(headers):
    assert told_limits(headers, NOW) == ()


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_an_upstream_sends_is_read_or_absent(remaining, reset):
    headers = {
        "x-ratelimit-remaining-requests": remaining,
        "x-ratelimit-reset-requests": reset,
        "anthropic-ratelimit-tokens-remaining": "1",
        "anthropic-ratelimit-tokens-reset": reset,
    }

    for told in told_limits(headers, NOW):
        assert 0 <= told.remaining < 10**15
        assert told.reset_seconds is None or told.reset_seconds >= 0.0
