import json

import pytest
from fakes import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.errors import (
    LLMAPIError,
    LLMProtocolError,
    LLMRateLimited,
    LLMRequestRejected,
    LLMUnavailable,
)
from flaskllm.llm.parts import Message
from flaskllm.llm.providers import build_provider
from flaskllm.llm.providers.gemini_reply import read_usage
from flaskllm.llm.types import CompletionRequest, Usage
from flaskllm.net.transport import HttpReply

PROVIDER = build_provider("gemini", None, "AIza-fake", FakeClock())
ASK = CompletionRequest("fast", (Message("user", "Hi"),))
COUNTED = {"promptTokenCount": 12, "candidatesTokenCount": 5, "totalTokenCount": 17}


def decode(told):
    data = told if isinstance(told, bytes) else json.dumps(told).encode()
    return PROVIDER.decode(HttpReply(200, {}, data), ASK)


def reply(finish="STOP", *parts, **more):
    content = {"role": "model", "parts": list(parts) or [{"text": "Hi"}]}
    candidate = {"content": content, "finishReason": finish}
    return {"candidates": [candidate], "usageMetadata": COUNTED, **more}


REASONS = {
    "STOP": "stop",
    "MAX_TOKENS": "length",
    "SAFETY": "content_filter",
    "RECITATION": "content_filter",
    "BLOCKLIST": "content_filter",
    "PROHIBITED_CONTENT": "content_filter",
    "SPII": "content_filter",
    "LANGUAGE": "content_filter",
    "OTHER": "stop",
    "SOMETHING_NEW": "stop",
    None: "stop",
}


@pytest.mark.parametrize(("sent", "read"), REASONS.items(), ids=str)
def test_a_finish_reason_is_read_and_an_unknown_one_means_stop(sent, read):
    assert decode(reply(sent)).finish_reason == read


BROKEN_OFF = ["MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "MALFORMED_RESPONSE"]


@pytest.mark.parametrize("reason", BROKEN_OFF)
def test_what_the_service_could_not_read_is_no_answer(reason):
    with pytest.raises(LLMProtocolError):
        decode(reply(reason))


def test_a_call_that_was_cut_off_is_cut_off():
    call = {"functionCall": {"name": "t", "args": {}}}

    assert decode(reply("MAX_TOKENS", call)).finish_reason == "length"


def test_parts_of_another_kind_are_left_out():
    parts = [{"executableCode": {"code": "x"}}, {"inlineData": {}}, {"text": "Hi"}]

    assert decode(reply("STOP", *parts)).text == "Hi"


def test_thoughts_alone_are_no_answer():
    with pytest.raises(LLMProtocolError):
        decode(reply("STOP", {"text": "Hm", "thought": True}))


def test_a_missing_name_is_empty_and_a_long_one_is_cut():
    assert decode(reply()).model == ""
    assert decode(reply(modelVersion="m" * 900)).model == "m" * 200


BROKEN = {
    "html": b"<html>",
    "no candidate": b'{"candidates": []}',
    "no content": b'{"candidates": [{"finishReason": "STOP"}]}',
    "no parts": b'{"candidates": [{"content": {"role": "model"}}]}',
    "a reason for nothing": b'{"promptFeedback": {}}',
    "of another type": b'{"candidates": "many"}',
    "a call without a name": (
        b'{"candidates": [{"content": {"parts": [{"functionCall": {}}]}}]}'
    ),
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_what_is_no_answer_is_a_broken_promise(body):
    with pytest.raises(LLMProtocolError) as caught:
        decode(body)

    assert caught.value.__cause__ is None


@given(body=st.binary())
def test_no_bytes_break_it(body):
    with pytest.raises(LLMAPIError):
        decode(body)


USAGES = {
    "plain": (COUNTED, Usage(12, 0, 0, 5, 0, "provider")),
    "no total": (
        {"promptTokenCount": 12, "candidatesTokenCount": 5},
        Usage(12, 0, 0, 5, 0, "provider"),
    ),
    "no answer": (
        {"promptTokenCount": 12, "totalTokenCount": 12},
        Usage(12, 0, 0, 0, 0, "provider"),
    ),
    "thoughts beside the answer": (
        {**COUNTED, "thoughtsTokenCount": 60, "totalTokenCount": 77},
        Usage(12, 0, 0, 5, 60, "provider"),
    ),
    "thoughts in the total alone": (
        {**COUNTED, "totalTokenCount": 77},
        Usage(12, 0, 0, 5, 60, "provider"),
    ),
    "the cache inside the prompt": (
        {**COUNTED, "cachedContentTokenCount": 10},
        Usage(2, 10, 0, 5, 0, "provider"),
    ),
    "tools of Google's": (
        {**COUNTED, "toolUsePromptTokenCount": 3, "totalTokenCount": 20},
        Usage(15, 0, 0, 5, 0, "provider"),
    ),
}
SUSPECT = {
    "missing": None,
    "a list": [12],
    "empty": {},
    "no prompt": {"candidatesTokenCount": 5},
    "negative": {**COUNTED, "candidatesTokenCount": -5},
    "a string": {**COUNTED, "promptTokenCount": "12"},
    "absurd": {**COUNTED, "totalTokenCount": 10**18},
    "total below its parts": {**COUNTED, "totalTokenCount": 16},
    "more cached than sent": {**COUNTED, "cachedContentTokenCount": 13},
}


@pytest.mark.parametrize(("sent", "usage"), USAGES.values(), ids=USAGES)
def test_usage_is_read_into_its_normal_form(sent, usage):
    assert read_usage(sent) == usage


@pytest.mark.parametrize("sent", SUSPECT.values(), ids=SUSPECT)
def test_usage_that_cannot_be_true_is_not_believed(sent):
    assert read_usage(sent) == Usage(source="none")


def explained(status, headers=None, /, **error):
    body = json.dumps({"error": error}).encode()
    return PROVIDER.explain(HttpReply(status, headers or {}, body))


def test_an_error_page_is_told_by_its_status_and_its_header():
    found = PROVIDER.explain(HttpReply(503, {"retry-after": "9"}, b"<html>"))

    assert type(found) is LLMUnavailable
    assert found.retry_after_seconds == 9.0


def test_a_permanent_error_has_no_time_to_come_back():
    found = explained(404, {"retry-after": "9"}, status="NOT_FOUND")

    assert type(found) is LLMRequestRejected
    assert found.retry_after_seconds is None


def test_the_status_in_words_goes_before_the_one_of_the_reply():
    assert type(explained(500, status="RESOURCE_EXHAUSTED")) is LLMRateLimited


DETAILS = {
    "no list": "x",
    "no objects": [1, None],
    "no violations": [{"violations": "x", "metadata": 7}],
    "a limit that is no text": [{"violations": [{"quotaId": 7}, 5]}],
    "a delay that is no time": [{"retryDelay": "soon"}, {"retryDelay": None}],
}


@pytest.mark.parametrize("details", DETAILS.values(), ids=DETAILS)
def test_strange_details_tell_nothing(details):
    found = explained(429, status="RESOURCE_EXHAUSTED", message=7, details=details)

    assert type(found) is LLMRateLimited
    assert found.retry_after_seconds is None


def test_a_delay_is_never_longer_than_an_hour():
    found = explained(429, details=[{"retryDelay": "90000s"}])

    assert found.retry_after_seconds == 3600.0


def test_nothing_of_the_upstreams_text_is_told():
    secret = {"field": "my secret plan"}
    found = explained(
        400,
        status="INVALID_ARGUMENT",
        message="my secret plan",
        details=[{"fieldViolations": [secret, {"field": 5}]}],
    )

    assert found.fields == ()
    assert "secret" not in found.details
