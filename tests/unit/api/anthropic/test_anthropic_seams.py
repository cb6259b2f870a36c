"""A stream in Anthropic's dialect stays one message when another goes on with it."""

from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_fakes import RESCUE, SEAM, USAGE

from flaskllm.api.anthropic.encoder import MessagesEncoder
from flaskllm.core.json_text import load
from flaskllm.core.sse import SSEParser
from flaskllm.llm.streams import Chunk, Opening, ToolFragment
from flaskllm.llm.types import Usage


@dataclass
class Whole:
    """What the encoder reads of an answer that ended."""

    finish_reason: str | None = "stop"
    usage: Usage = USAGE
    model: str = "m-2"


def encoder():
    return MessagesEncoder("asked", 7, "req_12345678")


def after(opening, *chunks, before=()):
    """Return the events that follow a seam behind this opening."""
    told = encoder()
    for chunk in before:
        told.encode(chunk)
    told.resume(replace(SEAM, opening=opening))
    data = b"".join(map(told.encode, chunks)) + told.finish(Whole())
    return [load(each.data) for each in SSEParser().feed(data)]


def steps(events):
    """Return the kind of each event, with the index of its block."""
    return [
        (each["type"].removeprefix("content_block_"), each.get("index"))
        for each in events
    ]


END = [("message_delta", None), ("message_stop", None)]
WITHIN_TEXT = Opening("msg_1", "m-1", block=1, next_block=2)
WITHIN_THOUGHT = Opening("msg_1", "m-1", block=0, next_block=1, is_thought=True)
BETWEEN = Opening("msg_1", "m-1", next_block=2)
PLACES = {
    "within a text": (WITHIN_TEXT, [("delta", 1), ("stop", 1)]),
    "within a thought": (
        WITHIN_THOUGHT,
        [("stop", 0), ("start", 1), ("delta", 1), ("stop", 1)],
    ),
    "between blocks": (BETWEEN, [("start", 2), ("delta", 2), ("stop", 2)]),
}


@pytest.mark.parametrize(("opening", "told"), PLACES.values(), ids=PLACES)
def test_text_goes_on_in_the_block_that_is_open_or_in_a_new_one(opening, told):
    events = after(opening, Chunk(model="m-2", usage=USAGE), Chunk(text="lo"))

    assert steps(events) == told + END


def test_a_thought_goes_on_in_its_block():
    events = after(WITHIN_THOUGHT, Chunk(thinking="Hm"), Chunk(text="lo"))

    assert steps(events) == [
        ("delta", 0),
        ("stop", 0),
        ("start", 1),
        ("delta", 1),
        ("stop", 1),
        *END,
    ]


def test_an_answer_that_was_over_but_for_its_end_has_its_end():
    assert steps(after(WITHIN_TEXT)) == [("stop", 1), *END]
    assert steps(after(BETWEEN)) == END


def test_the_seam_stands_with_the_reason_and_the_usage_of_both():
    *_, ended, stopped = after(WITHIN_TEXT, Chunk(text="lo"))

    assert ended["flaskllm"] == {"rescue": RESCUE}
    assert ended["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert ended["usage"]["output_tokens"] == USAGE.tokens_output
    assert stopped == {"type": "message_stop"}


def test_after_a_seam_within_our_own_chunks_they_simply_go_on():
    events = after(None, Chunk(text="lo"), before=[Chunk(text="Hel")])

    assert steps(events) == [("delta", 0), ("stop", 0), *END]
    assert events[-2]["flaskllm"] == {"rescue": RESCUE}


def test_a_seam_before_any_event_leaves_the_start_to_be_told():
    events = after(None, Chunk(text="lo"))

    assert steps(events)[:2] == [("message_start", None), ("start", 0)]


def test_without_a_seam_nothing_is_said_of_one():
    told = encoder()
    data = told.encode(Chunk(text="a")) + told.finish(Whole())

    assert b"flaskllm" not in data


CHUNKS = st.lists(
    st.sampled_from(
        [
            Chunk(text="a"),
            Chunk(thinking="b"),
            Chunk(thinking_signature="s"),
            Chunk(thinking_redacted="x"),
            Chunk(usage=USAGE),
            Chunk(tool=ToolFragment(0, "toolu_1", "find", "{}")),
        ]
    ),
    max_size=6,
).filter(lambda chunks: sum(chunk.tool is not None for chunk in chunks) < 2)


@given(opening=st.sampled_from([WITHIN_TEXT, WITHIN_THOUGHT, BETWEEN]), chunks=CHUNKS)
def test_whatever_follows_no_two_blocks_are_open_and_no_index_comes_twice(
    opening, chunks
):
    is_open, next_index = opening.block, opening.next_block

    for kind, index in steps(after(opening, *chunks))[:-2]:
        if kind == "start":
            assert (is_open, index) == (None, next_index)
            is_open, next_index = index, next_index + 1
        else:
            assert index == is_open
            is_open = None if kind == "stop" else is_open
    assert is_open is None
