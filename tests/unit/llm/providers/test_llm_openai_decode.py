import json
from dataclasses import replace

import pytest
from fakes import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.errors import (
    LLMAPIError,
    LLMContextTooLong,
    LLMProtocolError,
    LLMRateLimited,
    LLMUnavailable,
)
from flaskllm.llm.parts import Message, Thinking, ToolCall
from flaskllm.llm.providers import build_provider
from flaskllm.llm.types import CallerBody, Completion, CompletionRequest, Usage
from flaskllm.net.transport import HttpReply

PROVIDER = build_provider("vllm", None, None, FakeClock())
COUNTED = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}


ASKED = CompletionRequest("fast", (Message("user", "When?"),))


def decode(body, wire=None):
    """Decode the answer to a request of our own, or to one that was passed on."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    passed = CallerBody(wire, {"model": "fast"}) if wire else None
    return PROVIDER.decode(HttpReply(200, {}, data), replace(ASKED, body=passed))


def reply(content="Friday.", finish_reason="stop", **message):
    return {
        "choices": [
            {
                "message": {"role": "assistant", "content": content, **message},
                "finish_reason": finish_reason,
            }
        ],
        "model": "m-1",
        "usage": COUNTED,
    }


REASONS = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "content_filter": "content_filter",
    "eos_token": "stop",
    None: "stop",
}


@pytest.mark.parametrize(("sent", "read"), REASONS.items(), ids=map(str, REASONS))
def test_a_finish_reason_is_read_and_an_unknown_one_means_stop(sent, read):
    assert decode(reply(finish_reason=sent)) == Completion(
        "Friday.", read, Usage(12, 0, 0, 5, 0, "provider"), "m-1"
    )


@pytest.mark.parametrize("reason", ["error", "abort", "insufficient_system_resource"])
def test_an_answer_that_broke_off_is_no_answer(reason):
    with pytest.raises(LLMUnavailable):
        decode(reply(finish_reason=reason))


def test_a_refusal_is_a_filtered_answer():
    completion = decode(reply(content=None, refusal="I cannot."))

    assert (completion.finish_reason, completion.text) == ("content_filter", "")
    assert completion.refusal == "I cannot."


def test_an_empty_refusal_is_none():
    assert decode(reply(refusal="")).finish_reason == "stop"


@pytest.mark.parametrize("reason", ["length", "tool_calls", "content_filter"])
def test_no_content_is_an_empty_text_where_the_reason_explains_it(reason):
    assert decode(reply(content=None, finish_reason=reason)).text == ""


def test_no_content_without_a_reason_is_a_broken_promise():
    with pytest.raises(LLMProtocolError):
        decode(reply(content=None))


def test_content_in_pieces_is_joined_and_thinking_left_out():
    pieces = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]},
        {"type": "text", "text": "Fri"},
        {"type": "text", "text": "day."},
    ]

    assert decode(reply(content=pieces)).text == "Friday."

    assert decode(reply(content=pieces)).thinking == (Thinking("Hm."),)


THOUGHTS = {
    "reasoning_content": {"reasoning_content": "Hm."},
    "reasoning": {"reasoning": "Hm."},
    "both with the same words": {"reasoning_content": "Hm.", "reasoning": "Hm."},
}


@pytest.mark.parametrize("thought", THOUGHTS.values(), ids=THOUGHTS)
def test_thoughts_are_read_once_where_the_service_puts_them(thought):
    assert decode(reply(**thought)).thinking == (Thinking("Hm."),)


def test_thoughts_of_another_type_are_none():
    assert decode(reply(reasoning={"effort": "high"})).thinking == ()


def test_thoughts_alone_are_an_answer():
    assert decode(reply(content=None, reasoning="Hm.")).text == ""


CALLS = {
    "whole": (
        {"id": "c1", "function": {"name": "f", "arguments": "{}"}},
        ToolCall("c1", "f", "{}"),
    ),
    "arguments as an object": (
        {"id": "c1", "function": {"name": "f", "arguments": {"a": 1}}},
        ToolCall("c1", "f", '{"a":1}'),
    ),
    "arguments null": (
        {"id": "c1", "function": {"name": "f", "arguments": None}},
        ToolCall("c1", "f", ""),
    ),
}


@pytest.mark.parametrize(("sent", "read"), CALLS.values(), ids=CALLS)
def test_a_call_of_a_tool_is_read(sent, read):
    completion = decode(reply(content=None, tool_calls=[sent]))

    assert completion.tool_calls == (read,)
    assert completion.finish_reason == "tool_calls"


@pytest.mark.parametrize("identity", ["", None, 7])
def test_a_call_without_an_id_gets_one(identity):
    sent = {"id": identity, "function": {"name": "f", "arguments": "{}"}}

    first = decode(reply(tool_calls=[sent])).tool_calls[0].id
    second = decode(reply(tool_calls=[sent])).tool_calls[0].id

    assert first.startswith("call_")
    assert first != second


@pytest.mark.parametrize(
    "call", [{}, {"function": None}, {"function": {"name": ""}}, 7]
)
def test_a_call_that_names_no_tool_is_none(call):
    assert decode(reply(tool_calls=[call])).tool_calls == ()


def test_where_the_dialect_is_shared_the_body_is_kept_as_it_came():
    data = json.dumps({**reply(), "extra": [1]}, indent=1).encode()

    assert decode(data, "openai.chat").raw == data
    assert decode(data).raw is None
    assert decode(data, "anthropic.messages").raw is None


OTHER_ANSWERS = [{"audio": {"data": "x"}}, {"function_call": {"name": "f"}}]


@pytest.mark.parametrize("message", OTHER_ANSWERS, ids=str)
def test_what_only_the_same_dialect_can_hold_is_an_answer_there_alone(message):
    body = reply(content=None, **message)

    assert decode(body, "openai.chat").raw
    with pytest.raises(LLMProtocolError):
        decode(body)


def test_a_completed_text_is_read():
    choice = {"text": "Friday.", "index": 0, "logprobs": None, "finish_reason": "stop"}
    data = json.dumps({"choices": [choice], "model": "m-1", "usage": COUNTED}).encode()

    assert decode(data, "openai.text") == Completion(
        "Friday.", "stop", Usage(12, 0, 0, 5, 0, "provider"), "m-1", raw=data
    )


def test_only_the_first_choice_counts():
    body = reply()
    body["choices"] += reply("Monday.")["choices"]

    assert decode(body).text == "Friday."


def test_a_missing_name_is_empty_and_a_long_one_is_cut():
    assert decode({**reply(), "model": None}).model == ""
    assert decode({**reply(), "model": "m" * 5000}).model == "m" * 200


BROKEN = {
    "html": b"<!doctype html><title>Log in</title>",
    "empty": b"",
    "cut off": b'{"choices": [{"message": {"content": "Fri',
    "not utf-8": b'{"choices": [{"message": {"content": "\xff"}}]}',
    "half a surrogate pair": b'{"choices": [{"message": {"content": "\\ud83d"}}]}',
    "a list": b"[]",
    "a string": b'"hello"',
    "nested deeply": b"[" * 100_000,
    "deep usage": b'{"usage": ' + b"[" * 100_000,
    "no choices": b"{}",
    "empty choices": b'{"choices": []}',
    "choices null": b'{"choices": null}',
    "choices of another type": b'{"choices": "many"}',
    "no message": b'{"choices": [{"finish_reason": "stop"}]}',
    "message null": b'{"choices": [{"message": null}]}',
    "content of another type": b'{"choices": [{"message": {"content": 7}}]}',
    "a choice of another type": b'{"choices": [7]}',
    "text of another type": b'{"choices": [{"text": 7}]}',
}


@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_what_is_no_completion_is_a_protocol_error(body):
    with pytest.raises(LLMProtocolError) as caught:
        decode(body)

    assert caught.value.__cause__ is None
    assert "Log in" not in caught.value.details


ERRORS = {
    "an object without a status": ({"message": "oops"}, LLMUnavailable),
    "a text": ("oops", LLMUnavailable),
    "with a status": ({"code": 429, "message": "later"}, LLMRateLimited),
    "with a status that is none": ({"code": 7, "message": "x"}, LLMUnavailable),
    "with a known type": (
        {"code": 400, "type": "exceed_context_size_error", "message": "x"},
        LLMContextTooLong,
    ),
}


@pytest.mark.parametrize(("error", "expected"), ERRORS.values(), ids=ERRORS)
def test_an_error_with_status_200_is_the_error_that_it_is(error, expected):
    with pytest.raises(expected):
        decode({"error": error})


def test_an_error_without_a_frame_is_the_error_that_it_is():
    with pytest.raises(LLMRateLimited):
        decode({"object": "error", "message": "later", "code": 429})


def test_a_reason_of_another_type_means_stop():
    assert decode(reply(finish_reason={})).finish_reason == "stop"


def test_an_empty_error_beside_choices_is_none():
    assert decode({**reply(), "error": None}).text == "Friday."


@given(body=st.binary())
def test_no_bytes_break_it(body):
    with pytest.raises(LLMAPIError):
        decode(body)
