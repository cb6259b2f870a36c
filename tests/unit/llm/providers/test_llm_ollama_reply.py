import json

import pytest
from fakes import FakeClock

from flaskllm.core.errors import (
    LLMContextTooLong,
    LLMProtocolError,
    LLMRateLimited,
    LLMRequestRejected,
)
from flaskllm.llm.parts import Message, ToolCall
from flaskllm.llm.providers import Describer, ListedModel, build_provider
from flaskllm.llm.tokens import estimate, estimate_request
from flaskllm.llm.types import CompletionRequest, Usage
from flaskllm.net.transport import HttpReply

ASKED = CompletionRequest("fast", (Message("user", "Hello"),))
LONG = CompletionRequest("fast", (Message("user", "the meeting on friday " * 2500),))


def provider():
    return build_provider("ollama", None, None, FakeClock())


def reply(text="Friday.", **told):
    message = {"role": "assistant", "content": text, **told.pop("message", {})}
    body = {"model": "llama3.1:8b", "message": message, "done": True, **told}
    return HttpReply(200, {}, json.dumps(body).encode())


def usage(request=ASKED, **told):
    return provider().decode(reply(**told), request).usage


COUNTS = {
    "all": ((26, 3, None), Usage(26, 0, 0, 3, 0, "provider")),
    "partly cached": ((26, 3, 6), Usage(20, 6, 0, 3, 0, "provider")),
    "more cached than there is": ((26, 3, 27), Usage(26, 0, 0, 3, 0, "provider")),
    "none": ((None, None, None), Usage()),
    "senseless": ((-1, 10**18, None), Usage()),
    "no numbers": (("26", True, None), Usage()),
}


@pytest.mark.parametrize(("counts", "expected"), COUNTS.values(), ids=COUNTS)
def test_counts_come_in_their_normal_form(counts, expected):
    prompt, answer, cached = counts

    found = usage(
        prompt_eval_count=prompt, eval_count=answer, prompt_eval_cached_count=cached
    )

    assert found == expected


@pytest.mark.parametrize("missing", [None, 0])
def test_a_prompt_that_was_cached_whole_is_estimated(missing):
    found = usage(prompt_eval_count=missing, eval_count=3)

    assert found == Usage(
        input_uncached=estimate_request(ASKED, "cl100k"),
        output_text=3,
        source="estimated",
    )


def test_an_answer_that_was_not_counted_is_estimated():
    found = usage(text="On Friday at nine.", prompt_eval_count=26)

    assert found.source == "estimated"
    assert found.output_text == estimate("On Friday at nine.", "cl100k")


@pytest.mark.parametrize("told", [{"arguments": '{"a": 1}'}, {"arguments": None}, {}])
def test_arguments_are_json_text_however_they_come(told):
    call = {"function": {"name": "now", **told}}

    found = provider().decode(reply(message={"tool_calls": [call]}), ASKED)

    assert json.loads(found.tool_calls[0].arguments) in ({"a": 1}, {})


def test_a_call_without_id_gets_one_that_the_talk_has_not_seen():
    earlier = Message("assistant", (ToolCall("call_0", "now", "{}"),))
    asked = CompletionRequest(None, (*ASKED.messages, earlier))
    calls = [{"function": {"name": "now"}}, {"function": {"name": "then"}}]

    found = provider().decode(reply(message={"tool_calls": calls}), asked)

    assert [call.id for call in found.tool_calls] == ["call_1", "call_2"]


def test_a_long_name_of_a_model_is_cut():
    assert len(provider().decode(reply(model="m" * 999), ASKED).model) == 200


def test_tools_called_at_the_cap_are_no_whole_call():
    call = {"function": {"name": "now"}}
    cut = reply(message={"tool_calls": [call]}, done_reason="length")

    assert provider().decode(cut, ASKED).finish_reason == "length"


def test_an_unknown_reason_is_a_way_to_stop():
    assert provider().decode(reply(done_reason="tired"), ASKED).finish_reason == "stop"


FINE = {
    "the whole prompt": estimate_request(LONG, "cl100k") - 500,
    "as many as a context, but near the estimate": 10_239,
    "only what was not cached": 37,
    "few, but no number of a cut": 3000,
}


class TestCutPrompt:
    """A server that does not know `truncate` gives itself away by its count."""

    # LONG is about 10,000 tokens.
    CUTS = (8192 // 2 + 2, 8192 // 2 + 4, 4096, 4095, 2048)

    @pytest.mark.parametrize("count", CUTS)
    def test_what_a_cut_leaves_is_refused(self, count):
        with pytest.raises(LLMContextTooLong):
            provider().decode(reply(prompt_eval_count=count, eval_count=3), LONG)

    def test_a_stream_ends_in_the_error_and_is_not_finished(self):
        reader = provider().read_stream(LONG)
        reader.feed(b'{"model": "llama3.1:8b", "message": {"content": "Fri"}}\n')

        with pytest.raises(LLMContextTooLong):
            reader.feed(b'{"done": true, "prompt_eval_count": 4096}\n')

        assert not reader.is_finished

    @pytest.mark.parametrize("count", FINE.values(), ids=FINE)
    def test_what_may_be_whole_is_answered(self, count):
        found = provider().decode(reply(prompt_eval_count=count, eval_count=3), LONG)

        assert found.usage.tokens_input == count

    def test_of_an_unknown_tokenizer_more_doubt_is_allowed(self):
        asked = CompletionRequest(None, (Message("user", "the next meeting " * 2300),))
        known = reply(prompt_eval_count=4096, eval_count=3)
        unknown = reply(prompt_eval_count=4096, eval_count=3, model="mine:latest")

        with pytest.raises(LLMContextTooLong):
            provider().decode(known, asked)
        assert provider().decode(unknown, asked).text == "Friday."


class TestStream:
    def test_nothing_counts_after_the_last_line(self):
        reader = provider().read_stream(ASKED)

        pieces = reader.feed(
            b'{"message": {"content": "Friday."}}\n{"done": true, "eval_count": 3}\n'
            b'{"message": {"content": "And more."}}\n'
        )

        assert "".join(piece.text for piece in pieces) == "Friday."
        assert reader.is_complete
        assert reader.end() == []

    def test_the_output_is_thoughts_words_and_calls(self):
        reader = provider().read_stream(ASKED)
        call = {"function": {"name": "find", "arguments": {"day": 1}}}
        line = {"message": {"thinking": "Hm.", "content": "So.", "tool_calls": [call]}}

        reader.feed(json.dumps(line).encode() + b"\n")

        assert reader.output == 'Hm.So.find{"day": 1}'
        assert reader.has_token

    def test_a_line_that_is_too_long_is_an_error(self):
        reader = provider().read_stream(ASKED)

        with pytest.raises(LLMProtocolError):
            reader.feed(b"x" * (2 * 1024 * 1024))


class TestErrors:
    def test_a_page_of_a_proxy_is_told_by_its_status(self):
        page = HttpReply(429, {"retry-after": "3"}, b"<html>does not support tools")

        found = provider().explain(page)

        assert isinstance(found, LLMRateLimited)
        assert found.retry_after_seconds == 3.0

    def test_nothing_of_the_text_is_told_on(self):
        body = b'{"error": "\\"secret-model\\" does not support tools"}'

        found = provider().explain(HttpReply(400, {}, body))

        assert isinstance(found, LLMRequestRejected)
        assert "secret" not in found.details


DETAILS = {
    "a model that can all": (
        {
            "capabilities": ["completion", "tools", "vision", "thinking", "insert"],
            "model_info": {
                "general.architecture": "qwen3vl",
                "qwen3vl.context_length": 262144,
            },
        },
        ListedModel(
            "m", 262144, None, frozenset({"json", "tools", "vision", "thinking"})
        ),
    ),
    "a model for vectors": (
        {
            "capabilities": ["embedding"],
            "model_info": {
                "general.architecture": "nomic-bert",
                "nomic-bert.context_length": 2048,
            },
        },
        ListedModel("m", 2048, None, frozenset({"embeddings"})),
    ),
    "an old server": ({"details": {"family": "llama"}}, ListedModel("m")),
    "a senseless window": (
        {"model_info": {"general.architecture": "x", "x.context_length": -1}},
        ListedModel("m"),
    ),
    "a window in words": (
        {"model_info": {"general.architecture": "x", "x.context_length": "many"}},
        ListedModel("m"),
    ),
}


@pytest.mark.parametrize(("told", "listed"), DETAILS.values(), ids=DETAILS)
def test_the_details_of_a_model_become_their_value(told, listed):
    there = provider()

    assert isinstance(there, Describer)
    shown = HttpReply(200, {}, json.dumps(told).encode())
    assert there.decode_show(shown, "m") == listed


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"capabilities": 7}'])
def test_what_holds_no_details_is_a_protocol_error(body):
    with pytest.raises(LLMProtocolError):
        provider().decode_show(HttpReply(200, {}, body), "m")
