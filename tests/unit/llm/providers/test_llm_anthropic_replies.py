import json

import pytest
from fakes import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.errors import (
    LLMAPIError,
    LLMCredentialRejected,
    LLMInvalidRequest,
    LLMProtocolError,
    LLMRateLimited,
    LLMRequestRejected,
    LLMServerError,
    LLMUnavailable,
)
from flaskllm.llm.parts import Message
from flaskllm.llm.providers import Lister, Provider, TokenCounter, build_provider
from flaskllm.llm.providers.anthropic_reply import read_usage
from flaskllm.llm.types import CallerBody, CompletionRequest, Usage
from flaskllm.net.transport import HttpReply

PROVIDER = build_provider("anthropic", None, "sk-ant-fake", FakeClock())
ASK = CompletionRequest("fast", (Message("user", "Hi"),))
COUNTED = {"input_tokens": 12, "output_tokens": 5}


def decode(told, request=ASK):
    data = told if isinstance(told, bytes) else json.dumps(told).encode()
    return PROVIDER.decode(HttpReply(200, {}, data), request)


def message(stop_reason="end_turn", *content, **more):
    told = list(content) or [{"type": "text", "text": "Hi"}]
    return {"content": told, "stop_reason": stop_reason, "usage": COUNTED, **more}


def explained(status, headers=None, /, **error):
    body = json.dumps({"type": "error", "error": error}).encode()
    return PROVIDER.explain(HttpReply(status, headers or {}, body))


def test_it_offers_what_the_dialect_has():
    assert isinstance(PROVIDER, Lister)
    assert isinstance(PROVIDER, TokenCounter)
    assert PROVIDER.wires == {"anthropic.messages"}
    listing = PROVIDER.encode_listing()
    assert (listing.method, listing.body) == ("GET", b"")
    assert listing.url == "https://api.anthropic.com/v1/models?limit=1000"


REASONS = {
    "end_turn": "stop",
    "max_tokens": "length",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "refusal": "content_filter",
    "model_context_window_exceeded": "length",
    "something_new": "stop",
    "tool_use": "stop",
    None: "stop",
}


@pytest.mark.parametrize(("sent", "read"), REASONS.items(), ids=str)
def test_a_stop_reason_is_read_and_a_call_without_a_call_is_none(sent, read):
    assert decode(message(sent)).finish_reason == read


def test_where_the_dialect_is_shared_the_reply_is_kept_as_it_came():
    body = json.dumps(message(model="m" * 900)).encode()
    shared = CompletionRequest(
        "fast", ASK.messages, body=CallerBody("anthropic.messages", {})
    )

    assert decode(body, shared).raw == body
    assert decode(body).raw is None
    assert decode(body).model == "m" * 200


def test_numbers_of_any_size_come_back_as_arguments():
    call = {"type": "tool_use", "id": "a", "name": "t", "input": {"n": 2**70}}

    (found,) = decode(message("tool_use", call)).tool_calls

    assert json.loads(found.arguments) == {"n": 2**70}


@given(body=st.binary())
def test_no_bytes_break_it(body):
    with pytest.raises(LLMAPIError):
        decode(body)


BROKEN = [b"<html>", b'{"content": [{"type": 7}]}', b'{"content": "x"}', b"{}"]


@pytest.mark.parametrize("body", BROKEN, ids=repr)
def test_what_is_no_message_is_a_broken_promise(body):
    with pytest.raises(LLMProtocolError) as caught:
        decode(body)

    assert caught.value.__cause__ is None


USAGES = {
    "plain": (COUNTED, Usage(12, 0, 0, 5, 0, "provider")),
    "from the cache alone": (
        {"input_tokens": 0, "cache_read_input_tokens": 9, "output_tokens": 5},
        Usage(0, 9, 0, 5, 0, "provider"),
    ),
    "written to the cache": (
        {**COUNTED, "cache_creation_input_tokens": 9, "cache_read_input_tokens": None},
        Usage(12, 0, 9, 5, 0, "provider"),
    ),
    "with thoughts": (
        {**COUNTED, "output_tokens_details": {"thinking_tokens": 4}},
        Usage(12, 0, 0, 1, 4, "provider"),
    ),
    "with strange details": (
        {**COUNTED, "output_tokens_details": [4]},
        Usage(12, 0, 0, 5, 0, "provider"),
    ),
}
SUSPECT = {
    "missing": None,
    "a list": [12, 5],
    "empty": {},
    "no input": {"input_tokens": 0, "output_tokens": 5},
    "negative": {**COUNTED, "output_tokens": -5},
    "a string": {**COUNTED, "input_tokens": "12"},
    "a fraction": {**COUNTED, "input_tokens": 12.5},
    "true": {**COUNTED, "output_tokens": True},
    "absurd": {**COUNTED, "cache_read_input_tokens": 10**18},
    "more thoughts than answer": {
        **COUNTED,
        "output_tokens_details": {"thinking_tokens": 6},
    },
    "negative thoughts": {
        **COUNTED,
        "output_tokens_details": {"thinking_tokens": -1},
    },
}


@pytest.mark.parametrize(("sent", "usage"), USAGES.values(), ids=USAGES)
def test_usage_is_read_into_its_normal_form(sent, usage):
    assert read_usage(sent) == usage


@pytest.mark.parametrize("sent", SUSPECT.values(), ids=SUSPECT)
def test_usage_that_cannot_be_true_is_not_believed(sent):
    assert read_usage(sent) == Usage(source="none")


def test_a_count_of_the_input_is_read():
    assert PROVIDER.decode_count(HttpReply(200, {}, b'{"input_tokens": 2095}')) == 2095


@pytest.mark.parametrize("body", [b"", b"{}", b'{"input_tokens": -1}', b"[]"])
def test_a_count_that_cannot_be_true_is_a_broken_promise(body):
    with pytest.raises(LLMProtocolError):
        PROVIDER.decode_count(HttpReply(200, {}, body))


def test_an_error_page_is_told_by_its_status():
    found = PROVIDER.explain(HttpReply(529, {"retry-after": "9"}, b"<html>"))

    assert type(found) is LLMUnavailable
    assert found.retry_after_seconds == 9.0


def test_a_permanent_error_has_no_time_to_come_back():
    found = explained(404, {"retry-after": "9"}, type="not_found_error", message="x")

    assert type(found) is LLMRequestRejected
    assert found.retry_after_seconds is None


def test_the_type_goes_before_the_status():
    assert type(explained(500, type="rate_limit_error", message="x")) is LLMRateLimited


# Proxies and gateways put this type on whatever goes wrong.
BLAMED_ON_THE_CALLER = {
    401: LLMCredentialRejected,
    429: LLMRateLimited,
    500: LLMServerError,
    502: LLMServerError,
    529: LLMUnavailable,
    400: LLMInvalidRequest,
    404: LLMInvalidRequest,
    413: LLMInvalidRequest,
    422: LLMInvalidRequest,
}


@pytest.mark.parametrize(("status", "kind"), BLAMED_ON_THE_CALLER.items())
def test_an_invalid_request_is_believed_only_where_the_status_may_mean_it(status, kind):
    found = explained(
        status, {"retry-after": "9"}, type="invalid_request_error", message="x"
    )

    assert type(found) is kind
    assert found.retry_after_seconds == (9.0 if found.transient else None)


PATHS = {
    "tools.0.custom.name: Field required": "tools.0.custom.name",
    "`top_k` is deprecated": "top_k",
    "My secret plan: is refused": None,
    "tooling: is refused": None,
    "": None,
}


@pytest.mark.parametrize(("text", "path"), PATHS.items(), ids=repr)
def test_only_a_field_of_the_dialect_is_named(text, path):
    found = explained(400, type="invalid_request_error", message=text)

    assert type(found) is LLMInvalidRequest
    assert [each.path for each in found.fields] == ([path] if path else [])
    assert "secret" not in found.details


def test_the_provider_keeps_its_credential_to_itself():
    assert "sk-ant-fake" not in repr(PROVIDER)


def test_the_protocol_is_kept():
    provider: Provider = PROVIDER

    assert provider.read_stream(ASK).finish_reason is None
