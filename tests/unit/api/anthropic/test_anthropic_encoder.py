"""A stream in Anthropic's dialect keeps its order, whatever the chunks are."""

import json
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.api.anthropic.encoder import MessagesEncoder
from flaskllm.core.errors import LLMProtocolError, LLMTimeout
from flaskllm.core.sse import SSEParser
from flaskllm.llm.streams import Chunk, ToolFragment
from flaskllm.llm.types import Usage

# Which deltas may stand in a block of which type.
DELTAS = {
    "text": {"text_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "redacted_thinking": set(),
    "tool_use": {"input_json_delta"},
}
USAGE = Usage(10, 20, 30, 4, 5, source="provider")


@dataclass
class Whole:
    """What the encoder reads of an answer that ended."""

    finish_reason: str | None = "stop"
    usage: Usage = USAGE
    model: str = "m-1"


def events_of(data):
    found = SSEParser().feed(data)
    events = [json.loads(each.data) for each in found]
    assert [each.name for each in found] == [event["type"] for event in events]
    return events


def tell(*chunks, answer=None):
    encoder = MessagesEncoder("asked", 7, "req_12345678")
    data = b"".join(map(encoder.encode, chunks))
    return events_of(data + encoder.finish(answer or Whole()))


def types_of(events):
    return [event["type"] for event in events]


def deltas_of(events, kind):
    return [
        event["delta"]
        for event in events
        if event["type"] == "content_block_delta" and event["delta"]["type"] == kind
    ]


def test_a_text_is_told_as_one_block():
    events = tell(Chunk(model="m-1"), Chunk(text="Hel"), Chunk(text="lo"))

    assert types_of(events) == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert events[1]["content_block"] == {"type": "text", "text": ""}
    assert [each["text"] for each in deltas_of(events, "text_delta")] == ["Hel", "lo"]


def test_the_start_names_model_and_input_before_either_is_told():
    start = tell(Chunk(text="x"))[0]["message"]

    assert start["model"] == "asked"
    assert start["usage"]["input_tokens"] == 7
    assert start["content"] == []
    assert start["stop_reason"] is None


def test_the_start_never_says_that_there_was_no_input():
    encoder = MessagesEncoder("asked", 0, "req_12345678")

    (start, *_) = events_of(encoder.encode(Chunk(text="x", usage=Usage())))

    assert start["message"]["usage"]["input_tokens"] == 1


def test_the_start_says_what_the_upstream_counted_when_it_said_so():
    start = tell(Chunk(text="x", model="m-1", usage=USAGE))[0]["message"]

    assert start["model"] == "m-1"
    assert start["usage"] == {
        "input_tokens": 10,
        "cache_read_input_tokens": 20,
        "cache_creation_input_tokens": 30,
        "output_tokens": 1,
    }


def test_the_end_says_the_whole_usage_and_why():
    *_, delta, _ = tell(Chunk(text="x", stop_sequence="END"))

    assert delta["delta"] == {"stop_reason": "stop_sequence", "stop_sequence": "END"}
    assert delta["usage"] == {
        "input_tokens": 10,
        "cache_read_input_tokens": 20,
        "cache_creation_input_tokens": 30,
        "output_tokens": 9,
    }


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("stop", "end_turn"),
        ("length", "max_tokens"),
        ("tool_calls", "tool_use"),
        ("content_filter", "refusal"),
        (None, "end_turn"),
    ],
)
def test_a_finish_reason_becomes_a_stop_reason(reason, told):
    *_, delta, _ = tell(answer=Whole(finish_reason=reason))

    assert delta["delta"]["stop_reason"] == told


def test_a_thought_and_its_signature_are_one_block():
    events = tell(
        Chunk(thinking="h"),
        Chunk(thinking="m"),
        Chunk(thinking_signature="sig"),
        Chunk(text="x"),
    )

    starts = [e["content_block"] for e in events if "content_block" in e]
    assert [each["type"] for each in starts] == ["thinking", "text"]
    assert deltas_of(events, "signature_delta") == [
        {"type": "signature_delta", "signature": "sig"}
    ]


def test_a_hidden_thought_is_a_block_without_deltas():
    events = tell(Chunk(thinking_redacted="xx"), Chunk(thinking_signature="sig"))

    starts = [e["content_block"] for e in events if "content_block" in e]
    assert starts == [
        {"type": "redacted_thinking", "data": "xx"},
        {"type": "thinking", "thinking": "", "signature": ""},
    ]


def test_calls_are_blocks_of_their_own_and_one_without_an_id_gets_one():
    events = tell(
        Chunk(tool=ToolFragment(0, "a", "f", '{"x"')),
        Chunk(tool=ToolFragment(1, "", "g", "{}")),
        Chunk(tool=ToolFragment(0, arguments=":1}")),
    )

    starts = [e["content_block"] for e in events if "content_block" in e]
    assert [(each["name"], each["input"]) for each in starts] == [("f", {}), ("g", {})]
    assert starts[0]["id"] == "a"
    assert starts[1]["id"].startswith("toolu_")
    pieces = deltas_of(events, "input_json_delta")
    assert [each["partial_json"] for each in pieces] == ['{"x"', ":1}", "{}"]


def test_a_call_that_goes_on_after_a_text_is_no_second_call():
    encoder = MessagesEncoder("asked", 7, "req_12345678")
    encoder.encode(Chunk(tool=ToolFragment(0, "a", "f", '{"x"')))
    encoder.encode(Chunk(text="Hm."))

    with pytest.raises(LLMProtocolError):
        encoder.encode(Chunk(tool=ToolFragment(0, arguments=":1}")))


def test_a_refusal_is_told_as_text():
    events = tell(Chunk(refusal="No."), answer=Whole(finish_reason="content_filter"))

    assert deltas_of(events, "text_delta") == [{"type": "text_delta", "text": "No."}]


def test_an_answer_without_a_word_is_whole_too():
    assert types_of(tell()) == ["message_start", "message_delta", "message_stop"]


def test_a_stream_that_breaks_ends_with_an_error_and_nothing_else():
    encoder = MessagesEncoder("asked", 7, "req_12345678")
    encoder.encode(Chunk(text="x"))

    (error,) = events_of(encoder.fail(LLMTimeout(details="Too slow.")))

    assert error == {
        "type": "error",
        "error": {
            "type": "timeout_error",
            "message": "The model did not answer in time. Too slow.",
        },
        "request_id": "req_12345678",
    }


def tool_chunks(index, pieces):
    first = Chunk(tool=ToolFragment(index, f"id{index}", f"f{index}"))
    rest = [Chunk(tool=ToolFragment(index, arguments=piece)) for piece in pieces]
    return [first, *rest]


words = st.text(st.characters(exclude_categories=()), max_size=5)
said = st.one_of(
    st.builds(Chunk, text=words),
    st.builds(Chunk, thinking=words),
    st.builds(Chunk, thinking=words, thinking_signature=words),
    st.builds(Chunk, thinking_redacted=words),
    st.builds(Chunk, refusal=words),
    st.builds(Chunk, text=words, thinking=words),
    st.just(Chunk(usage=USAGE, model="m-1")),
)


@st.composite
def answers(draw):
    """Chunks of any kind in any order, with whole calls among them."""
    chunks = []
    for index in range(draw(st.integers(0, 3))):
        chunks += draw(st.lists(said, max_size=5))
        chunks += tool_chunks(index, draw(st.sampled_from([["{}"], ['{"a"', ":1}"]])))
    return chunks + draw(st.lists(said, max_size=5))


@given(answers(), st.booleans())
def test_whatever_is_told_the_blocks_keep_the_rules(chunks, is_whole):
    encoder = MessagesEncoder("asked", 7, "req_12345678")
    data = b"".join(map(encoder.encode, chunks))
    data += encoder.finish(Whole()) if is_whole else encoder.fail(LLMTimeout())

    events = events_of(data)

    kinds = types_of(events)
    assert kinds.count("message_start") == (1 if chunks or is_whole else 0)
    assert kinds.index("message_start") == 0 if chunks else True
    assert kinds.count("message_stop") == kinds.count("message_delta") == is_whole
    assert kinds[-1] == ("message_stop" if is_whole else "error")
    check_blocks(events, is_whole)


@given(answers())
def test_no_word_is_lost_or_made_up(chunks):
    events = tell(*chunks)

    texts = "".join(each["text"] for each in deltas_of(events, "text_delta"))
    thoughts = "".join(each["thinking"] for each in deltas_of(events, "thinking_delta"))
    assert texts == valid("".join(chunk.text or chunk.refusal for chunk in chunks))
    assert thoughts == valid("".join(chunk.thinking for chunk in chunks))


def valid(text):
    """Return the text as UTF-8 can hold it."""
    return text.encode("utf-8", "replace").decode("utf-8")


def check_blocks(events, is_whole):
    """Hold the rules of blocks: one at a time, increasing, closed, of one kind."""
    opened, last = None, -1
    for event in events:
        if event["type"] == "content_block_start":
            assert opened is None
            assert event["index"] == last + 1
            last, opened = event["index"], event["content_block"]["type"]
        elif event["type"] == "content_block_delta":
            assert event["index"] == last
            assert event["delta"]["type"] in DELTAS[opened]
        elif event["type"] == "content_block_stop":
            assert event["index"] == last
            assert opened is not None
            opened = None
        elif event["type"] in ("message_delta", "message_stop"):
            assert opened is None
    assert opened is None or not is_whole
