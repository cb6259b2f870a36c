import json
from datetime import UTC, datetime

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.errors import (
    Field,
    LLMAPIError,
    LLMContextTooLong,
    LLMCredentialRejected,
    LLMInvalidRequest,
    LLMProtocolError,
    LLMRateLimited,
    LLMRefused,
    LLMRequestRejected,
    LLMServerError,
    LLMTimeout,
    LLMUnavailable,
)
from flaskllm.llm.providers.openai_errors import explain, status_within
from flaskllm.net.transport import HttpReply

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
URL = "https://api.openai.com/v1/chat/completions"

STATUSES = {
    202: LLMProtocolError,
    307: LLMRequestRejected,
    400: LLMInvalidRequest,
    401: LLMCredentialRejected,
    402: LLMCredentialRejected,
    403: LLMCredentialRejected,
    404: LLMRequestRejected,
    405: LLMRequestRejected,
    408: LLMTimeout,
    409: LLMRequestRejected,
    413: LLMContextTooLong,
    422: LLMInvalidRequest,
    429: LLMRateLimited,
    500: LLMServerError,
    501: LLMRequestRejected,
    502: LLMServerError,
    503: LLMUnavailable,
    504: LLMTimeout,
    505: LLMRequestRejected,
    520: LLMUnavailable,
    522: LLMUnavailable,
    529: LLMUnavailable,
    999: LLMProtocolError,
}


def told(status, body=b"", headers=None):
    """Return the error for a reply as it comes through a real `requests` call."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    with responses.RequestsMock() as upstream:
        upstream.post(URL, status=status, body=data, headers=headers or {})
        reply = requests.post(URL, data=b"{}", allow_redirects=False, timeout=1)
    names = {name.lower(): value for name, value in reply.headers.items()}
    return explain(HttpReply(reply.status_code, names, reply.content), NOW)


@pytest.mark.parametrize(("status", "error"), STATUSES.items(), ids=map(str, STATUSES))
def test_a_status_stands_for_an_error(status, error):
    found = told(status, {"error": {"message": "secret words", "code": None}})

    assert type(found) is error
    assert str(status) in found.details


@pytest.mark.parametrize(
    ("status", "is_for_model"), [(401, False), (402, False), (403, True)]
)
def test_only_what_is_forbidden_says_nothing_about_the_credential_elsewhere(
    status, is_for_model
):
    assert told(status).is_for_model is is_for_model


CODES = {
    "context_length_exceeded": LLMContextTooLong,
    "string_above_max_length": LLMContextTooLong,
    "content_filter": LLMRefused,
    "content_policy_violation": LLMRefused,
    "invalid_prompt": LLMRefused,
    "Content_Filter": LLMRefused,
    "unknown_parameter": LLMInvalidRequest,
    "invalid_api_key": LLMCredentialRejected,
    "model_not_found": LLMRequestRejected,
    "OperationNotSupported": LLMRequestRejected,
}


@pytest.mark.parametrize(("code", "error"), CODES.items(), ids=CODES)
def test_a_code_goes_before_the_status(code, error):
    assert type(told(400, {"error": {"message": "x", "code": code}})) is error


UNPAID = ["insufficient_quota", "billing_not_active", "credit_balance_exhausted"]


@pytest.mark.parametrize("code", UNPAID)
def test_an_account_without_money_is_no_rate_limit(code):
    found = told(429, {"error": {"message": "x", "code": code}}, {"Retry-After": "5"})

    assert type(found) is LLMCredentialRejected
    assert found.retry_after_seconds is None


def test_the_type_is_read_where_the_code_is_unknown():
    body = {"error": {"code": "project_spend_limit", "type": "insufficient_quota"}}

    assert type(told(429, body)) is LLMCredentialRejected


def test_azures_inner_code_is_read():
    inner = {"code": "ResponsibleAIPolicyViolation"}

    found = told(400, {"error": {"code": None, "innererror": inner}})

    assert type(found) is LLMRefused


WORDINGS = {
    "openai": "This model's maximum context length is 8192 tokens. However, your "
    "messages resulted in 9001 tokens. Please reduce the length of the messages.",
    "vllm": "The decoder prompt (length 5000) is longer than the maximum model length "
    "of 4096.",
    "vllm, old": "max_tokens must be at least 1, got -186.",
    "sglang": "The input (85050 tokens) is longer than the model's context length "
    "(32768 tokens).",
    "llama.cpp": "the request exceeds the available context size, try increasing it",
    "llama-cpp-python": "Requested tokens (2285) exceed context window of 2048",
    "ollama": "the input length exceeds the context length",
    "anthropic's route": "prompt is too long: 200251 tokens > 200000 maximum",
    "gemini": "The input token count (1) exceeds the maximum of the context",
}
SHAPES = {
    "nested": lambda text: {"error": {"message": text, "type": "BadRequestError"}},
    "flat": lambda text: {"object": "error", "message": text, "code": 400},
    "text": lambda text: {"error": text},
    "detail": lambda text: {"detail": text},
}


@pytest.mark.parametrize("wording", WORDINGS.values(), ids=WORDINGS)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_an_input_that_is_too_long_is_known_by_its_wording(shape, wording):
    found = told(400, shape(wording))

    assert type(found) is LLMContextTooLong
    assert wording not in found.details


def test_the_wording_does_not_turn_a_rate_limit_into_a_long_input():
    body = {"error": {"message": "You exceeded the context tokens per minute."}}

    assert type(told(429, body)) is LLMRateLimited


@pytest.mark.parametrize("status", [408, 429, 503])
def test_a_passing_error_says_when_to_come_back(status):
    assert told(status, headers={"Retry-After": "7"}).retry_after_seconds == 7.0


def test_a_date_counts_from_now():
    headers = {"Retry-After": "Mon, 05 Jan 2026 09:00:20 GMT"}

    assert told(503, headers=headers).retry_after_seconds == 20.0


def test_a_lasting_error_never_says_when_to_come_back():
    assert told(400, headers={"Retry-After": "7"}).retry_after_seconds is None


BODIES = {
    "html": b"<html>503</html>",
    "nested deeply": b"[" * 100_000,
    "a list": b"[1]",
    "error is a list": b'{"error": [1]}',
    "error is null": b'{"error": null}',
    "numbers": b'{"error": {"code": 1, "type": 2, "message": 3, "innererror": 4}}',
    "not utf-8": b'{"error": "\xff"}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_senseless_body_leaves_the_status_to_speak(body):
    assert type(told(503, body)) is LLMUnavailable


def test_nothing_of_the_upstreams_text_is_repeated():
    secret = "the prompt was: my password is hunter2"
    body = {"error": {"message": secret, "type": secret, "code": secret}}

    for status in STATUSES:
        found = told(status, body)
        assert "hunter2" not in found.message + found.details


@given(status=st.integers(100, 999), body=st.binary())
def test_every_reply_is_explained(status, body):
    assert isinstance(explain(HttpReply(status, {}, body), NOW), LLMAPIError)


ADVICE = {
    404: "base_url",
    405: "base_url",
    409: "model name and capabilities",
    501: "base_url",
}


@pytest.mark.parametrize(("status", "advice"), ADVICE.items(), ids=map(str, ADVICE))
def test_a_rejected_request_says_what_to_mend(status, advice):
    assert advice in told(status).details


BAD_KEYS = [
    "Incorrect API key provided: sk***al.",
    "API key not valid. Please pass a valid API key.",
    "Invalid API Key",
]


@pytest.mark.parametrize("wording", BAD_KEYS)
def test_a_credential_that_is_refused_with_status_400_is_known_by_its_wording(wording):
    assert type(told(400, {"error": wording})) is LLMCredentialRejected


FIELDS = {
    "a parameter": (
        {"error": {"param": "messages[0].content", "code": "invalid_value"}},
        Field("messages[0].content", "is not valid"),
    ),
    "an unsupported one": (
        {"error": {"param": "top_k", "code": "unknown_parameter"}},
        Field("top_k", "is not known"),
    ),
    "without a frame": (
        {"param": "top_p", "code": 400},
        Field("top_p", "is not valid"),
    ),
    "a place": (
        {"detail": [{"loc": ["body", "tools", 0, "type"], "type": "missing"}]},
        Field("tools.0.type", "is missing"),
    ),
    "a place within a message": (
        {"message": {"detail": [{"loc": ["body", "seed"], "type": "extra_forbidden"}]}},
        Field("seed", "is not known"),
    ),
}


@pytest.mark.parametrize(("body", "field"), FIELDS.values(), ids=FIELDS)
def test_the_field_that_the_upstream_names_is_named(body, field):
    assert told(422, body).fields == (field,)


NO_FIELDS = {
    "none": {"error": {"param": None}},
    "a number": {"error": {"param": 7}},
    "a sentence": {"error": {"param": "the password is hunter2"}},
    "a long one": {"error": {"param": "a" * 101}},
    "a place of nothing": {"detail": [{"loc": ["body"]}, {"loc": 7}, 7]},
    "a detail that is a text": {"detail": "top_p is wrong"},
}


@pytest.mark.parametrize("body", NO_FIELDS.values(), ids=NO_FIELDS)
def test_what_is_no_path_of_a_field_is_not_named(body):
    assert told(400, body).fields == ()


def test_only_the_callers_own_fault_names_fields():
    assert told(500, {"error": {"param": "top_p"}}).fields == ()


WITHIN = {
    "its status": ({"code": 429}, 429),
    "its code": ({"code": "rate_limit_exceeded"}, 429),
    "its type": ({"code": None, "type": "overloaded_error"}, 503),
    "an unknown code": ({"code": "odd", "type": "server_error"}, 502),
    "a number that is no status": ({"code": 7}, 502),
    "a text": ("oops", 502),
}


@pytest.mark.parametrize(("error", "status"), WITHIN.values(), ids=WITHIN)
def test_an_error_within_an_answer_has_the_status_that_it_means(error, status):
    assert status_within(error) == status
