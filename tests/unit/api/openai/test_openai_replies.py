"""Whole answers as OpenAI tells them, and the headers beside them."""

from dataclasses import replace

import pytest
from model_fakes import USAGE

from flaskllm.llm.parts import Thinking, ToolCall
from flaskllm.llm.types import Completion

HELLO = {"messages": [{"role": "user", "content": "Hello"}]}
PLAIN = Completion("Hi.", "stop", USAGE, "upstream-name")


@pytest.fixture
def said(ask, completions):
    """Return the reply to a chat that is answered like this."""

    def run(**changes):
        completions.answer = replace(PLAIN, **changes)
        reply = ask("/chat/completions", HELLO)
        assert reply.status_code == 200
        return reply.json

    return run


def test_an_answer_has_every_field_that_clients_read(said):
    told = said()

    assert told.pop("id").startswith("chatcmpl-")
    assert told == {
        "object": "chat.completion",
        "created": 1767603600,
        "model": "upstream-name",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Hi.",
                    "refusal": None,
                    "annotations": [],
                },
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 16,
            "completion_tokens": 9,
            "total_tokens": 25,
            "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 3,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 0,
                "rejected_prediction_tokens": 0,
            },
        },
        "system_fingerprint": None,
    }


def test_two_answers_have_two_ids(said):
    assert said()["id"] != said()["id"]


def test_calls_of_tools_stand_beside_no_content(said):
    call = ToolCall("call_1", "weather", '{"place":"Rome"}')
    (choice,) = said(text="", finish_reason="tool_calls", tool_calls=(call,))["choices"]

    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    assert choice["message"]["tool_calls"] == [
        {
            "id": "call_1",
            "type": "function",
            "function": {"name": "weather", "arguments": '{"place":"Rome"}'},
        }
    ]


@pytest.mark.parametrize(
    ("changes", "content", "refusal"),
    [
        ({"text": ""}, "", None),
        ({"text": "", "refusal": "No."}, None, "No."),
        ({"text": "x", "refusal": "No."}, "x", "No."),
    ],
)
def test_content_is_null_only_where_something_else_is_said(
    said, changes, content, refusal
):
    (choice,) = said(**changes)["choices"]

    told = choice["message"]
    assert (told["content"], told["refusal"]) == (content, refusal)


def test_thoughts_are_told_as_vendors_of_this_dialect_do(said):
    thoughts = (Thinking("Hm. "), Thinking(redacted="x"), Thinking("So."))
    (choice,) = said(thinking=thoughts)["choices"]

    assert choice["message"]["reasoning_content"] == "Hm. So."


def test_half_a_surrogate_pair_becomes_a_question_mark(said):
    (choice,) = said(text="a\ud800b")["choices"]

    assert choice["message"]["content"] == "a?b"


def test_the_bytes_of_an_upstream_of_this_dialect_are_the_reply(ask, completions):
    completions.answer = replace(PLAIN, raw=b'{"id": "theirs",  "x": 1}')
    reply = ask("/chat/completions", HELLO)

    assert reply.data == b'{"id": "theirs",  "x": 1}'
    assert reply.content_type == "application/json"


@pytest.mark.parametrize(
    ("dropped", "header"),
    [
        ((), None),
        (("logprobs", "messages.name"), "logprobs, messages.name"),
        (("a\r\nSet-Cookie: b", "ü,"), "a%0D%0ASet-Cookie%3A%20b, %C3%BC%2C"),
        (("x" * 100,), "x" * 64),
        (tuple("abcde" * 12), "a, b, c, d, e"),
    ],
)
def test_what_was_not_passed_on_is_named(ask, completions, dropped, header):
    completions.dropped = dropped
    reply = ask("/chat/completions", HELLO)

    assert reply.headers.get("X-Flaskllm-Dropped") == header


def test_headers_that_clients_know_are_there(ask, services):
    reply = ask(
        "/chat/completions",
        HELLO,
        **{
            "X-Request-ID": "req-of-caller",
            "X-Client-Request-Id": "theirs",
            "Idempotency-Key": "k",
            "OpenAI-Organization": "o",
            "OpenAI-Project": "p",
            "X-Stainless-Retry-Count": "1",
        },
    )

    assert reply.status_code == 200
    assert reply.headers["x-request-id"] == "req-of-caller"
    assert reply.headers["openai-version"] == "2020-10-01"
    assert int(reply.headers["openai-processing-ms"]) >= 0
