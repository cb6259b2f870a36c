"""A streamed answer as OpenAI tells it: the order of events, and what is in them."""

import json
from dataclasses import replace

import pytest
from model_fakes import RESCUE, SEAM, USAGE, FakeStream

from flaskllm.api.openai.streams import event
from flaskllm.core.errors import LLMProtocolError, LLMTimeout
from flaskllm.llm.streams import Chunk, Opening, ToolFragment

HELLO = [{"role": "user", "content": "Hello"}]
COUNTED = {
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
}


def events(data):
    """Return the JSON of each event; the end mark stays a text."""
    assert data.endswith(b"\n\n")
    blocks = data.decode().removesuffix("\n\n").split("\n\n")
    texts = [block.removeprefix("data: ") for block in blocks]
    return [text if text == "[DONE]" else json.loads(text) for text in texts]


@pytest.fixture
def streamed(ask, completions):
    """Return the events of a chat whose answer comes in these pieces."""

    def run(*pieces, finish_reason="stop", **body):
        completions.stream_answer = FakeStream(
            list(pieces),
            finish_reason=finish_reason,
            is_raw=isinstance(pieces[0], bytes) if pieces else False,
        )
        body = {"messages": HELLO, "stream": True, **body}
        return events(ask("/chat/completions", body).data)

    return run


def deltas(told):
    return [each["choices"][0]["delta"] for each in told if each != "[DONE]"]


FIRST = {"role": "assistant", "content": "", "refusal": None}


def test_the_role_comes_first_and_the_finish_reason_alone(streamed):
    told = streamed(Chunk(text="Hel"), Chunk(text="lo"), finish_reason="length")

    assert deltas(told) == [FIRST, {"content": "Hel"}, {"content": "lo"}, {}]
    reasons = [each["choices"][0]["finish_reason"] for each in told[:-1]]
    assert reasons == [None, None, None, "length"]
    assert told[-1] == "[DONE]"


def test_all_events_are_of_one_answer(streamed):
    *told, _ = streamed(Chunk(text="a"), Chunk(text="b"))

    (shared,) = {(e["id"], e["object"], e["created"], e["model"]) for e in told}
    assert shared[0].startswith("chatcmpl-")
    assert shared[1:] == ("chat.completion.chunk", 1767603600, "upstream-name")
    assert {each["choices"][0]["index"] for each in told} == {0}


def test_usage_is_told_only_to_who_asked_for_it(streamed):
    told = streamed(Chunk(text="a", usage=USAGE))

    assert all("usage" not in each and each["choices"] for each in told[:-1])


def test_usage_comes_last_without_a_choice(streamed):
    options = {"include_usage": True}
    *others, last, done = streamed(Chunk(text="a"), stream_options=options)

    assert (last["choices"], last["usage"], done) == ([], COUNTED, "[DONE]")
    assert others
    assert all(each["usage"] is None for each in others)


def test_an_empty_answer_has_its_role_and_its_end(streamed):
    assert deltas(streamed()) == [FIRST, {}]


def test_calls_of_tools_come_in_fragments(streamed):
    told = streamed(
        Chunk(tool=ToolFragment(0, "call_1", "weather")),
        Chunk(tool=ToolFragment(0, arguments='{"a":')),
        Chunk(tool=ToolFragment(0, arguments="1}")),
        Chunk(tool=ToolFragment(1, "call_2", "time", "{}")),
        finish_reason="tool_calls",
    )

    assert [each["tool_calls"] for each in deltas(told)[1:-1]] == [
        [
            {
                "index": 0,
                "id": "call_1",
                "type": "function",
                "function": {"name": "weather", "arguments": ""},
            }
        ],
        [{"index": 0, "function": {"arguments": '{"a":'}}],
        [{"index": 0, "function": {"arguments": "1}"}}],
        [
            {
                "index": 1,
                "id": "call_2",
                "type": "function",
                "function": {"name": "time", "arguments": "{}"},
            }
        ],
    ]
    assert told[-2]["choices"][0]["finish_reason"] == "tool_calls"


def test_thoughts_and_refusals_have_deltas_of_their_own(streamed):
    told = streamed(Chunk(thinking="Hm."), Chunk(text="a", refusal="No."))

    assert deltas(told)[1:-1] == [
        {"reasoning_content": "Hm."},
        {"content": "a"},
        {"refusal": "No."},
    ]


def test_a_chunk_that_says_nothing_has_no_event(streamed):
    told = streamed(Chunk(thinking_signature="s"), Chunk(text="a"), Chunk(usage=USAGE))

    assert deltas(told) == [FIRST, {"content": "a"}, {}]


@pytest.mark.parametrize("error", [LLMProtocolError(), LLMTimeout(details="late")])
def test_a_stream_that_breaks_ends_with_an_error_and_no_end_mark(streamed, error):
    told = streamed(Chunk(text="a"), error)

    assert list(told[-1]) == ["error"]
    assert told[-1]["error"]["type"] == "server_error"
    assert "[DONE]" not in told
    assert all(not each["choices"][0]["finish_reason"] for each in told[:-1])


def test_what_the_upstream_streams_in_this_dialect_passes_untouched(ask, completions):
    raw = b'data: {"x": 1}\r\n\r\n', b"data: [DONE]\n\n"
    completions.stream_answer = FakeStream(list(raw), is_raw=True, dropped=("seed",))
    reply = ask("/chat/completions", {"messages": HELLO, "stream": True})

    assert reply.data == b"".join(raw)
    assert reply.headers["X-Flaskllm-Dropped"] == "seed"


def test_a_raw_stream_that_breaks_ends_with_our_error(ask, completions):
    pieces = [b"data: {}\n\n", LLMProtocolError()]
    completions.stream_answer = FakeStream(pieces, is_raw=True)
    reply = ask("/chat/completions", {"messages": HELLO, "stream": True})

    assert events(reply.data)[-1]["error"]["code"] == "upstream_protocol"


BREAKS = "\n\ndata: [DONE]\n\n\r\x0b\x0c\x1c\x85\u2028\u2029"


def test_what_a_model_writes_never_makes_an_event(streamed):
    told = streamed(Chunk(text=BREAKS))

    assert deltas(told) == [FIRST, {"content": BREAKS}, {}]


def test_an_event_is_one_line_to_every_way_to_cut_lines():
    data = event({"text": BREAKS})

    assert len(data.decode().splitlines()) == 2
    assert events(data) == [{"text": BREAKS}]


@pytest.fixture
def text_streamed(ask, completions):
    def run(*pieces, **body):
        completions.stream_answer = FakeStream(list(pieces))
        body = {"prompt": "Once", "stream": True, **body}
        return events(ask("/completions", body).data)

    return run


def test_a_text_completion_streams_its_text(text_streamed):
    told = text_streamed(Chunk(text="a"), Chunk(thinking="x"), Chunk(text="b"))

    choices = [each["choices"][0] for each in told[:-1]]
    assert [(each["text"], each["finish_reason"]) for each in choices] == [
        ("a", None),
        ("b", None),
        ("", "stop"),
    ]
    assert {each["object"] for each in told[:-1]} == {"text_completion"}
    assert all(each["id"].startswith("cmpl-") for each in told[:-1])
    assert told[-1] == "[DONE]"


def test_a_text_completion_tells_usage_and_errors_alike(text_streamed):
    options = {"include_usage": True}
    *_, last, done = text_streamed(Chunk(text="a"), stream_options=options)
    broken = text_streamed(Chunk(text="a"), LLMProtocolError())

    assert (last["choices"], last["usage"], done) == ([], COUNTED, "[DONE]")
    assert broken[-1]["error"]["code"] == "upstream_protocol"
    assert "[DONE]" not in broken


def began(**opening):
    """Return a seam behind events that were passed on, which began so."""
    return replace(SEAM, opening=Opening(**opening))


RAW = b'data: {"id":"up-1","choices":[{"delta":{"role":"assistant"}}]}\n\n'
UP = {"id": "up-1", "created": 17, "model": "m-1"}


def test_after_a_seam_the_events_go_on_as_those_that_were_passed_on(streamed):
    options = {"include_usage": True}
    told = streamed(RAW, began(**UP), Chunk(text="lo"), stream_options=options)

    first, words, last, counted, done = told
    assert first == json.loads(RAW.removeprefix(b"data: "))
    assert words["choices"][0]["delta"] == {"content": "lo"}
    assert last["choices"][0]["finish_reason"] == "stop"
    assert last["flaskllm"] == {"rescue": RESCUE}
    assert (counted["usage"], done) == (COUNTED, "[DONE]")
    for ours in (words, last, counted):
        assert {name: ours[name] for name in UP} == UP
        assert ours["object"] == "chat.completion.chunk"
    assert all("flaskllm" not in ours for ours in (words, counted))


def test_what_was_not_said_of_the_beginning_is_our_own(streamed):
    _, words, last, _ = streamed(RAW, began(), Chunk(text="lo"))

    assert words["id"] == last["id"]
    assert words["id"].startswith("chatcmpl-")
    assert (words["model"], words["created"]) == ("upstream-name", 1767603600)
    assert words["choices"][0]["delta"] == {"content": "lo"}


def test_a_beginning_at_time_zero_stays_one(streamed):
    _, words, *_ = streamed(RAW, began(id="up-1", created=0), Chunk(text="lo"))

    assert words["created"] == 0


def test_after_a_seam_within_our_own_chunks_they_simply_go_on(streamed):
    *told, done = streamed(Chunk(text="Hel"), SEAM, Chunk(text="lo"))

    assert deltas(told) == [FIRST, {"content": "Hel"}, {"content": "lo"}, {}]
    assert len({each["id"] for each in told}) == 1
    assert [each.get("flaskllm") for each in told] == [None] * 3 + [{"rescue": RESCUE}]
    assert done == "[DONE]"


def test_a_seam_before_any_event_leaves_the_role_to_be_told(streamed):
    told = streamed(SEAM, Chunk(text="lo"))

    assert deltas(told) == [FIRST, {"content": "lo"}, {}]


def test_a_text_completion_goes_on_too(ask, completions):
    raw = b'data: {"id":"up-1","choices":[{"text":"Hel"}]}\n\n'
    pieces = [raw, began(**UP), Chunk(text="lo")]
    completions.stream_answer = FakeStream(pieces, is_raw=True)

    reply = ask("/completions", {"prompt": "Hello", "stream": True})
    *told, done = events(reply.data)

    assert [each["choices"][0]["text"] for each in told] == ["Hel", "lo", ""]
    assert {each["id"] for each in told} == {"up-1"}
    assert told[1] | UP == told[1]
    assert told[-1]["flaskllm"] == {"rescue": RESCUE}
    assert told[-1]["choices"][0]["finish_reason"] == "stop"
    assert done == "[DONE]"


def test_a_stream_that_breaks_again_ends_with_the_error(streamed):
    told = streamed(RAW, began(**UP), Chunk(text="lo"), LLMTimeout())

    assert told[-1]["error"]["code"] == "upstream_timeout"
    assert "[DONE]" not in told
