"""What of a broken stream of Anthropic's is told and kept, and can be joined."""

from dataclasses import replace

import pytest
from anthropic_scene import (
    ASK,
    SHARED,
    TEXT,
    begin,
    delta,
    event,
    fed,
    finish,
    start,
    stop,
    text,
)

from flaskllm.core.errors import LLMProtocolError, LLMUnavailable
from flaskllm.llm.streams import Opening
from flaskllm.llm.types import CallerBody

HOLES = {
    "cut": b'event: content_block_delta\ndata: {"type": "cont\n\n',
    "cut, nameless": b'data: {"type": "content_block_delta", "ind\n\n',
    "no delta": event("content_block_delta", index=0),
    "no text": delta("text_delta", text=7),
    "no place": event("content_block_start", index="x", content_block=TEXT),
    "no finish": event("message_delta", delta=7),
}


@pytest.mark.parametrize("sent", HOLES.values(), ids=HOLES)
def test_what_carried_a_part_of_the_answer_and_cannot_be_read_breaks_the_stream(sent):
    reader, _ = fed(start(), begin(), text("Hi"))

    with pytest.raises(LLMProtocolError):
        reader.feed(sent)

    assert reader.malformed == 0


@pytest.mark.parametrize("sent", HOLES.values(), ids=HOLES)
def test_after_the_finish_nothing_can_be_missing(sent):
    reader, _ = fed(start(), begin(), text("Hi"), stop(), finish(), sent)

    assert (reader.malformed, reader.broken) == (1, None)


@pytest.mark.parametrize("request_", [ASK, SHARED], ids=["chunks", "raw"])
def test_an_error_after_events_in_the_same_bytes_does_not_lose_them(request_):
    sent = start() + begin() + text("Hi")
    error = event("error", error={"type": "overloaded_error", "message": "x"})

    reader, pieces = fed(sent + error, request=request_)

    assert isinstance(reader.broken, LLMUnavailable)
    assert reader.text == "Hi"
    assert pieces == ([sent] if request_ is SHARED else fed(sent)[1])


def test_the_text_is_told_apart_from_thoughts():
    reader, _ = fed(
        start(),
        begin(0, type="thinking", thinking=""),
        delta("thinking_delta", thinking="Hm."),
        delta("signature_delta", signature="s"),
        stop(),
        begin(1, type="redacted_thinking", data="x"),
        stop(1),
        begin(2, type="text", text="Fri"),
        text("day", 2),
    )

    assert (reader.text, reader.output) == ("Friday", "Hm.Friday")
    assert reader.is_joinable
    assert reader.opening is None


MORE = {
    "a call": begin(1, type="tool_use", id="a", name="t"),
    "a call of the upstream's": begin(1, type="server_tool_use", id="a", name="t"),
    "a citation": delta("citations_delta", citation={}),
}


@pytest.mark.parametrize("sent", MORE.values(), ids=MORE)
def test_an_answer_that_is_more_than_words_is_not_to_be_joined(sent):
    reader, _ = fed(start(), begin(), text("Hi"))
    assert reader.is_joinable

    reader.feed(sent)

    assert not reader.is_joinable


@pytest.mark.parametrize("is_raw", [False, True])
def test_an_answer_in_json_by_way_of_a_tool_is_text_where_it_is_told_as_text(is_raw):
    body = CallerBody("anthropic.messages", {}) if is_raw else None
    asked = replace(ASK, json_schema={"type": "object"}, body=body)

    reader, _ = fed(
        start(),
        begin(0, type="tool_use", id="a", name="give_json_answer"),
        delta("input_json_delta", partial_json="{}"),
        request=asked,
    )

    assert (reader.text, reader.is_joinable) == ("{}", not is_raw)


OPENINGS = {
    "before the message": ([], None),
    "before a block": ([start()], Opening("msg_1", "claude-x")),
    "within a thought": (
        [start(), begin(0, type="thinking", thinking="")],
        Opening("msg_1", "claude-x", block=0, next_block=1, is_thought=True),
    ),
    "within a text": (
        [start(), begin(0), stop(0), begin(1), text("Hi", 1)],
        Opening("msg_1", "claude-x", block=1, next_block=2),
    ),
    "at a block that cannot be read": (
        [start(), begin(0), stop(0) + begin(1, type="text", text=7)],
        Opening("msg_1", "claude-x", next_block=1),
    ),
    "between blocks": (
        [start(), begin(0), text("Hi"), stop(0)],
        Opening("msg_1", "claude-x", next_block=1),
    ),
    "blocks of no message": ([begin(0), text("Hi"), stop(0)], None),
}


@pytest.mark.parametrize(("sent", "opening"), OPENINGS.values(), ids=OPENINGS)
def test_where_the_dialect_is_shared_it_is_known_how_the_answer_began(sent, opening):
    reader, _ = fed(*sent, request=SHARED)

    assert reader.opening == opening
