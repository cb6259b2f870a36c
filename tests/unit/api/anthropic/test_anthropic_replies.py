"""Whole answers and errors as Anthropic words them."""

import pytest

from flaskllm.api.anthropic.errors import body_of, status_of
from flaskllm.api.anthropic.replies import message_of
from flaskllm.core import errors
from flaskllm.llm.parts import Thinking, ToolCall
from flaskllm.llm.types import Completion, Usage


def completion(text="", reason="stop", **fields):
    usage = Usage(10, 20, 30, 4, 5, source="provider")
    return Completion(text, reason, usage, "m-1", **fields)


def test_a_text_becomes_a_message_of_one_block():
    message = message_of(completion("hi"))

    assert message.pop("id").startswith("msg_")
    assert message == {
        "type": "message",
        "role": "assistant",
        "model": "m-1",
        "content": [{"type": "text", "text": "hi"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 10,
            "cache_read_input_tokens": 20,
            "cache_creation_input_tokens": 30,
            "output_tokens": 9,
        },
    }


def test_thoughts_come_first_and_calls_last():
    told = message_of(
        completion(
            "so",
            "tool_calls",
            thinking=(Thinking("hm", "sig"), Thinking(redacted="x"), Thinking("oh")),
            tool_calls=(ToolCall("t1", "f", '{"a": 1}'), ToolCall("t2", "g", "")),
        )
    )

    assert told["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "thinking", "thinking": "oh", "signature": ""},
        {"type": "text", "text": "so"},
        {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
        {"type": "tool_use", "id": "t2", "name": "g", "input": {}},
    ]
    assert told["stop_reason"] == "tool_use"


def test_a_stop_sequence_is_named():
    told = message_of(completion("a", stop_sequence="END"))

    assert (told["stop_reason"], told["stop_sequence"]) == ("stop_sequence", "END")


def test_a_refusal_is_told_in_its_words():
    told = message_of(completion(reason="content_filter", refusal="No."))

    assert told["content"] == [{"type": "text", "text": "No."}]
    assert told["stop_reason"] == "refusal"


@pytest.mark.parametrize("arguments", ["[]", "{", "NaN", "x"])
def test_arguments_that_are_no_object_are_a_broken_answer(arguments):
    calls = (ToolCall("t1", "f", arguments),)

    with pytest.raises(errors.LLMProtocolError):
        message_of(completion(reason="tool_calls", tool_calls=calls))


def test_arguments_of_an_answer_that_was_cut_are_empty():
    calls = (ToolCall("t1", "f", '{"a": '),)

    told = message_of(completion(reason="length", tool_calls=calls))

    assert told["content"][0]["input"] == {}
    assert told["stop_reason"] == "max_tokens"


@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (errors.InvalidInputError, 400, "invalid_request_error"),
        (errors.LLMInvalidRequest, 400, "invalid_request_error"),
        (errors.LLMContextTooLong, 400, "invalid_request_error"),
        (errors.LLMRefused, 400, "invalid_request_error"),
        (errors.AuthenticationError, 401, "authentication_error"),
        (errors.BudgetExceeded, 402, "billing_error"),
        (errors.PermissionDenied, 403, "permission_error"),
        (errors.NotFound, 404, "not_found_error"),
        (errors.ModelNotFound, 404, "not_found_error"),
        (errors.MethodNotAllowed, 405, "invalid_request_error"),
        (errors.PayloadTooLarge, 413, "request_too_large"),
        (errors.UnsupportedMediaType, 415, "invalid_request_error"),
        (errors.RateLimitExceeded, 429, "rate_limit_error"),
        (errors.LLMRateLimited, 429, "rate_limit_error"),
        (errors.InternalError, 500, "api_error"),
        (errors.LLMAPIError, 502, "api_error"),
        (errors.LLMCredentialRejected, 502, "api_error"),
        (errors.LLMServerError, 502, "api_error"),
        (errors.ServiceUnavailable, 503, "api_error"),
        (errors.NoModelConfigured, 503, "api_error"),
        (errors.InsufficientStorage, 507, "api_error"),
        (errors.LLMTimeout, 504, "timeout_error"),
        (errors.LLMUnavailable, 529, "overloaded_error"),
    ],
)
def test_each_error_has_its_status_and_type(error, status, kind):
    told = body_of(error(), "req_12345678")

    assert (status_of(error()), told["error"]["type"]) == (status, kind)
    assert told["type"] == "error"
    assert told["request_id"] == "req_12345678"


def test_a_prompt_that_is_too_long_is_told_in_the_words_clients_look_for():
    told = body_of(errors.LLMContextTooLong(details="9 of 8."), "req_12345678")

    assert told["error"]["message"] == (
        "prompt is too long: The input is longer than the model's context window. "
        "9 of 8."
    )
