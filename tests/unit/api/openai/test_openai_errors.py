"""Every error in OpenAI's words: its status, type and code, and whether to retry."""

import inspect

import pytest
from face_fakes import build
from model_fakes import CHAT

from flaskllm.core import errors

HELLO = {"messages": [{"role": "user", "content": "Hello"}]}
CASES = {
    "InvalidInputError": (400, "invalid_request_error", None),
    "AuthenticationError": (401, "invalid_request_error", "invalid_api_key"),
    "BudgetExceeded": (429, "insufficient_quota", "insufficient_quota"),
    "PermissionDenied": (403, "invalid_request_error", "insufficient_permissions"),
    "NotFound": (404, "invalid_request_error", None),
    "ModelNotFound": (404, "invalid_request_error", "model_not_found"),
    "MethodNotAllowed": (405, "invalid_request_error", "method_not_supported"),
    "Conflict": (409, "invalid_request_error", None),
    "PayloadTooLarge": (413, "invalid_request_error", "request_too_large"),
    "UnsupportedMediaType": (415, "invalid_request_error", "unsupported_content_type"),
    "IdempotencyKeyReused": (422, "invalid_request_error", "idempotency_key_reused"),
    "UpgradeRequired": (426, "invalid_request_error", None),
    "RateLimitExceeded": (429, "requests", "rate_limit_exceeded"),
    "LLMAPIError": (502, "server_error", "upstream_error"),
    "LLMProtocolError": (502, "server_error", "upstream_protocol"),
    "LLMRequestRejected": (502, "server_error", "upstream_rejected"),
    "LLMInvalidRequest": (400, "invalid_request_error", None),
    "LLMCredentialRejected": (502, "server_error", "upstream_credential"),
    "LLMRefused": (400, "invalid_request_error", "content_filter"),
    "LLMContextTooLong": (400, "invalid_request_error", "context_length_exceeded"),
    "LLMRateLimited": (429, "requests", "rate_limit_exceeded"),
    "LLMAnswerDiffers": (502, "server_error", "upstream_error"),
    "LLMServerError": (502, "server_error", "upstream_error"),
    "LLMUnavailable": (503, "server_error", "overloaded"),
    "NoModelConfigured": (503, "server_error", "no_model_configured"),
    "LLMTimeout": (504, "server_error", "upstream_timeout"),
    "CallerGone": (499, "invalid_request_error", None),
    "JobsDisabled": (503, "invalid_request_error", None),
    "JobCancelled": (410, "invalid_request_error", None),
    "NeedsFetch": (424, "invalid_request_error", None),
    "FetchFailed": (502, "invalid_request_error", None),
    "FetchRefused": (502, "invalid_request_error", None),
    "ServiceUnavailable": (503, "server_error", "service_unavailable"),
    "InsufficientStorage": (507, "server_error", "insufficient_storage"),
    "InternalError": (500, "server_error", "internal_error"),
}


@pytest.fixture
def failed(ask, completions):
    """Return the reply to a chat that fails with this error."""

    def run(error):
        completions.answer = error
        return ask("/chat/completions", HELLO)

    return run


def test_every_error_of_ours_is_in_the_table():
    kinds = [
        value
        for value in vars(errors).values()
        if inspect.isclass(value) and issubclass(value, errors.APIError)
    ]

    assert {kind.__name__ for kind in kinds} - {"APIError"} == set(CASES)


@pytest.mark.parametrize("name", CASES)
def test_each_error_has_openai_s_status_type_and_code(failed, name):
    reply = failed(getattr(errors, name)("It failed.", details="Because."))

    status, kind, code = CASES[name]
    assert reply.status_code == status
    told = reply.json["error"]
    assert set(told) == {"message", "type", "param", "code"}
    assert (told["type"], told["code"]) == (kind, code)
    assert told["message"] == "It failed. Because."


def test_the_first_wrong_field_is_the_param(failed):
    error = errors.InvalidInputError.of("messages.0.role", "is unknown", "user")

    assert failed(error).json["error"]["param"] == "messages.0.role"


@pytest.mark.parametrize(
    ("error", "param"),
    [
        (errors.ModelNotFound(), "model"),
        (errors.LLMContextTooLong(), "messages"),
        (errors.LLMTimeout(), None),
    ],
    ids=lambda value: type(value).__name__ if value else "",
)
def test_param_is_there_also_when_it_is_null(failed, error, param):
    assert failed(error).json["error"]["param"] == param


@pytest.mark.parametrize(
    ("error", "retry", "milliseconds", "seconds"),
    [
        (errors.RateLimitExceeded(retry_after_seconds=1.5), "true", "1500", "2"),
        (errors.LLMRateLimited(retry_after_seconds=60.0), "true", "60000", "60"),
        (errors.ServiceUnavailable(retry_after_seconds=0.0), "true", "1", "1"),
        (errors.RateLimitExceeded(), "false", None, None),
        (errors.ServiceUnavailable(), "false", None, None),
        (errors.LLMRateLimited(retry_after_seconds=61.0), "false", None, "61"),
        (errors.LLMUnavailable(retry_after_seconds=5.0), "false", None, "5"),
        (errors.LLMTimeout(retry_after_seconds=5.0), "false", None, "5"),
        (errors.LLMProtocolError(retry_after_seconds=5.0), "false", None, "5"),
        (errors.LLMTimeout(), "false", None, None),
        (errors.InternalError(), "false", None, None),
        (errors.BudgetExceeded(retry_after_seconds=5.0), "false", None, "5"),
        (errors.InvalidInputError(), "false", None, None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_a_client_is_told_whether_another_try_helps(
    failed, error, retry, milliseconds, seconds
):
    headers = failed(error).headers

    assert headers["x-should-retry"] == retry
    assert headers.get("retry-after-ms") == milliseconds
    assert headers.get("retry-after") == seconds


@pytest.fixture
def client(services):
    return build(services).test_client()


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1", 404, "unknown_url"),
        ("GET", "/v1/nothing", 404, "unknown_url"),
        ("POST", "/v1/chat", 404, "unknown_url"),
        ("GET", "/v1/chat/completions", 405, "method_not_supported"),
    ],
)
def test_addresses_below_v1_fail_in_openai_s_words(client, method, path, status, code):
    reply = client.open(path, method=method, headers=CHAT)

    assert (reply.status_code, reply.json["error"]["code"]) == (status, code)
    assert reply.headers["openai-version"] == "2020-10-01"


@pytest.mark.parametrize("path", ["/v1/messages", "/v1/messages/nothing"])
def test_addresses_below_messages_fail_in_anthropic_s_words(client, path):
    reply = client.put(path, headers=CHAT)

    assert reply.json["type"] == "error"
    assert reply.headers["x-should-retry"] == "false"
    assert "openai-version" not in reply.headers


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/chat/completions", "native"),
        ("/completions", "native"),
        ("/embeddings", "native"),
        ("/messages", "native"),
        ("/messages/count_tokens", "native"),
        ("/models", "native"),
        ("/models/org/name", "native"),
        ("/responses", "native"),
        ("/v1/v1/messages", "openai"),
        ("/v1/v1/models", "openai"),
    ],
)
def test_who_asks_at_a_wrong_base_url_is_told_the_right_one(client, path, dialect):
    reply = client.post(path, headers=CHAT)

    told = reply.json["error"]["message"] if dialect == "openai" else reply.json
    assert reply.status_code == 404
    assert "OpenAI's base URL ends in /v1, Anthropic's does not." in str(told)


@pytest.mark.parametrize("path", ["/v1/nothing", "/nothing", "/modelsx", "/v1/v10"])
def test_other_wrong_addresses_name_the_list_of_routes(client, path):
    assert "openapi.json lists" in client.get(path, headers=CHAT).text


@pytest.mark.parametrize("path", ["/v1x", "/api/v1/nothing", "/nothing", "/"])
def test_every_other_address_fails_in_our_words(client, path):
    reply = client.get(path, headers=CHAT)

    assert reply.json["code"] == "NOT_FOUND"
    assert "x-should-retry" not in reply.headers
    assert "openai-version" not in reply.headers


def test_a_bad_token_reads_as_openai_words_it(client):
    reply = client.get("/v1/models", headers={"Authorization": "Bearer wrong"})

    assert reply.status_code == 401
    assert reply.json["error"]["code"] == "invalid_api_key"
    assert "WWW-Authenticate" in reply.headers


def test_a_body_over_its_cap_is_413(client):
    reply = client.post(
        "/v1/chat/completions",
        headers={**CHAT, "Content-Type": "application/json"},
        environ_overrides={"CONTENT_LENGTH": str(32 * 1024 * 1024 + 1)},
    )

    assert (reply.status_code, reply.json["error"]["code"]) == (
        413,
        "request_too_large",
    )


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"messages": NaN}', b"\xff"])
def test_a_body_that_is_no_json_object_is_400(client, body):
    reply = client.post(
        "/v1/chat/completions",
        data=body,
        headers={**CHAT, "Content-Type": "application/json"},
    )

    assert reply.status_code == 400
    assert reply.json["error"]["type"] == "invalid_request_error"


def test_a_body_of_another_type_is_415(client):
    reply = client.post("/v1/chat/completions", data="x", headers=CHAT)

    assert (reply.status_code, reply.json["error"]["code"]) == (
        415,
        "unsupported_content_type",
    )
