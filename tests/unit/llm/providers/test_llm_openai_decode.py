import json

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
from flaskllm.llm.providers import build_provider
from flaskllm.llm.providers.openai import read_usage
from flaskllm.llm.types import Completion, Usage
from flaskllm.net.transport import HttpReply

PROVIDER = build_provider("vllm", None, None, FakeClock())
COUNTED = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}


def decode(body):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return PROVIDER.decode(HttpReply(200, {}, data))


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
    "reason of another type": (
        b'{"choices": [{"message": {"content": "x"}, "finish_reason": {}}]}'
    ),
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


def test_an_empty_error_beside_choices_is_none():
    assert decode({**reply(), "error": None}).text == "Friday."


@given(body=st.binary())
def test_no_bytes_break_it(body):
    with pytest.raises(LLMAPIError):
        decode(body)


USAGES = {
    "plain": (COUNTED, Usage(12, 0, 0, 5, 0, "provider")),
    "no total": (
        {"prompt_tokens": 12, "completion_tokens": 5},
        Usage(12, 0, 0, 5, 0, "provider"),
    ),
    "cached and reasoning taken out": (
        {
            **COUNTED,
            "prompt_tokens_details": {"cached_tokens": 10},
            "completion_tokens_details": {"reasoning_tokens": 4},
        },
        Usage(2, 10, 0, 1, 4, "provider"),
    ),
    "details null": (
        {
            **COUNTED,
            "prompt_tokens_details": None,
            "completion_tokens_details": {"reasoning_tokens": None},
        },
        Usage(12, 0, 0, 5, 0, "provider"),
    ),
    "reasoning only in the total": (
        {**COUNTED, "total_tokens": 77},
        Usage(12, 0, 0, 5, 60, "provider"),
    ),
    "no answer": (
        {"prompt_tokens": 12, "completion_tokens": 0},
        Usage(12, 0, 0, 0, 0, "provider"),
    ),
}


@pytest.mark.parametrize(("sent", "usage"), USAGES.values(), ids=USAGES)
def test_usage_is_read_into_its_normal_form(sent, usage):
    assert read_usage(sent) == usage


SUSPECT = {
    "missing": None,
    "a list": [12, 5],
    "empty": {},
    "all zero": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0},
    "negative": {**COUNTED, "completion_tokens": -5},
    "a string": {**COUNTED, "prompt_tokens": "12"},
    "a fraction": {**COUNTED, "prompt_tokens": 12.5},
    "true": {**COUNTED, "completion_tokens": True},
    "absurd": {**COUNTED, "prompt_tokens": 10**18},
    "absurd total": {**COUNTED, "total_tokens": 10**18},
    "total below its parts": {**COUNTED, "total_tokens": 16},
    "total null": {**COUNTED, "total_tokens": None},
    "more cached than sent": {
        **COUNTED,
        "prompt_tokens_details": {"cached_tokens": 13},
    },
    "negative cached": {**COUNTED, "prompt_tokens_details": {"cached_tokens": -1}},
    "more reasoning than answer": {
        **COUNTED,
        "completion_tokens_details": {"reasoning_tokens": 6},
    },
}


@pytest.mark.parametrize("sent", SUSPECT.values(), ids=SUSPECT)
def test_usage_that_cannot_be_true_is_not_believed(sent):
    assert read_usage(sent) == Usage(source="none")


NAMES = st.sampled_from(
    [
        "prompt_tokens",
        "completion_tokens",
        "total_tokens",
        "prompt_tokens_details",
        "completion_tokens_details",
    ]
)
COUNTS = st.none() | st.integers() | st.text() | st.floats()
DETAILS = st.dictionaries(
    st.sampled_from(["cached_tokens", "reasoning_tokens"]), COUNTS
)


@given(usage=st.dictionaries(NAMES, COUNTS | DETAILS))
def test_no_count_is_ever_below_zero(usage):
    read = read_usage(usage)

    assert min(read.input_uncached, read.input_cache_read) >= 0
    assert min(read.output_text, read.output_reasoning) >= 0
