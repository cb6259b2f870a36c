import json
from contextlib import suppress
from itertools import pairwise

import pytest
from anthropic_scene import (
    ASK,
    MESSAGE_STOP,
    PROVIDER,
    SHARED,
    begin,
    delta,
    event,
    fed,
    finish,
    start,
    stop,
    text,
)
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.errors import (
    LLMAPIError,
    LLMProtocolError,
    LLMTimeout,
)
from flaskllm.core.sse import encode_event
from flaskllm.llm.streams import Chunk, ToolFragment
from flaskllm.llm.types import Usage

FIRST_TOKENS = {
    "words": (text("Hi"), True),
    "no words": (text(""), False),
    "a thought": (delta("thinking_delta", thinking="Hm"), True),
    "a call": (begin(type="tool_use", id="a", name="t", input={}), True),
    "a redacted thought": (begin(type="redacted_thinking", data="x"), True),
    "words at the start": (begin(type="text", text="Hi"), True),
    "a thought at the start": (begin(type="thinking", thinking="Hm"), True),
    "the start alone": (begin(), False),
    "a sign of life": (event("ping"), False),
    "the finish": (finish(), True),
    "a finish without a reason": (finish(None), False),
}


@pytest.mark.parametrize(("last", "has_token"), FIRST_TOKENS.values(), ids=FIRST_TOKENS)
@pytest.mark.parametrize("request_", [ASK, SHARED], ids=["translated", "as it came"])
def test_the_first_token_is_what_a_model_says_first(last, has_token, request_):
    reader, _ = fed(start(), last, request=request_)

    assert reader.has_token is has_token


def test_counts_are_merged_and_the_last_one_wins():
    reader, _ = fed(
        start(input_tokens=12, cache_read_input_tokens=100, output_tokens=1),
        finish(output_tokens=7, cache_read_input_tokens=None),
        finish(output_tokens=9, input_tokens=13),
    )

    assert reader.usage == Usage(13, 100, 0, 9, 0, "provider")


def test_a_stream_tells_its_input_before_its_first_word():
    _, pieces = fed(start(input_tokens=12, output_tokens=1))

    usage = Usage(12, 0, 0, 1, 0, "provider")
    assert pieces == [Chunk(model="claude-x", usage=usage)]


def test_a_forgotten_end_mark_is_given_where_the_dialect_is_shared():
    sent = [start(), begin(), text("Hi"), stop(), finish()]
    raw, passed = fed(*sent, request=SHARED)
    ours, _ = fed(*sent)

    assert b"".join([*passed, *raw.end()]) == b"".join(sent) + MESSAGE_STOP
    assert ours.end() == []
    assert (raw.is_complete, ours.is_complete) == (True, True)
    assert (raw.end(), raw.output, raw.model) == ([], "Hi", "claude-x")


def test_an_end_mark_without_a_reason_is_an_end():
    plain, pieces = fed(start(), begin(), text("Hi"), event("message_stop"))
    called, _ = fed(
        start(), begin(type="tool_use", id="a", name="t"), event("message_stop")
    )

    assert pieces[-1] == Chunk(finish_reason="stop")
    assert (plain.is_complete, called.finish_reason) == (True, "tool_calls")


def test_what_comes_after_the_end_mark_is_not_read():
    reader, pieces = fed(start() + finish() + event("message_stop") + text("late"))

    assert "late" not in reader.output
    assert Chunk(text="late") not in pieces


def test_events_that_come_together_are_passed_on_together():
    both = start() + text("Hi")

    assert fed(both, request=SHARED)[1] == [both]


def test_an_event_that_cannot_be_read_is_counted_and_not_passed_on():
    broken = b'event: ping\ndata: {"type": "pi\n\n'
    nameless = b'data: {"no": "type"}\n\n'

    reader, pieces = fed(start() + broken + nameless, request=SHARED)

    assert (reader.malformed, pieces) == (1, [start() + nameless])


def test_an_event_without_a_type_goes_by_its_name():
    reader, _ = fed(b"event: message_stop\ndata: {}\n\n")

    assert reader.is_complete


def test_the_arguments_of_a_call_that_come_at_its_start_are_read():
    _, pieces = fed(
        begin(type="tool_use", id="a", name="t", input={"day": 5}), stop(), stop(7)
    )

    assert pieces == [
        Chunk(tool=ToolFragment(0, "a", "t")),
        Chunk(tool=ToolFragment(0, arguments='{"day":5}')),
    ]


def test_arguments_of_what_never_began_are_left_out():
    reader, pieces = fed(delta("input_json_delta", 3, partial_json="{}"))

    assert (pieces, reader.output) == ([], "")


def test_an_error_event_is_raised_as_what_it_is():
    with pytest.raises(LLMTimeout):
        fed(start(), event("error", error={"type": "timeout_error", "message": "x"}))


@pytest.mark.parametrize("told", [None, "x", {}, {"type": 7, "message": []}])
def test_an_error_event_that_tells_nothing_is_an_error_too(told):
    with pytest.raises(LLMAPIError):
        fed(event("error", error=told), request=SHARED)


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9)


@st.composite
def streams(draw):
    """Return a stream's bytes, its words, and whether it says its finish."""
    pieces = draw(st.lists(WORDS, max_size=5))
    noise = st.sampled_from([b"", b": ping\n\n", event("ping"), b"data: {\n\n"])
    told = [start(), begin(), *map(text, pieces), stop()]
    ends = draw(st.booleans())
    told += [finish(), event("message_stop")] if ends else []
    data = b"".join(each + draw(noise) for each in told)
    if draw(st.booleans()):
        data = data.replace(b"\n", b"\r\n")
    return data, "".join(pieces), ends


@given(stream=streams(), cuts=st.lists(st.integers(0, 3000), max_size=6))
def test_however_a_stream_is_cut_the_same_comes_out(stream, cuts):
    data, words, ends = stream
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    reader = PROVIDER.read_stream(ASK)

    chunks = [
        chunk
        for begins, ends_at in pairwise(places)
        for chunk in reader.feed(data[begins:ends_at])
    ]

    assert "".join(chunk.text for chunk in chunks) == words == reader.output
    assert reader.is_complete is ends


@given(stream=streams(), cut=st.integers(0, 3000))
def test_a_cut_stream_is_a_prefix_and_ends_well_only_after_its_finish(stream, cut):
    data, words, _ = stream
    reader = PROVIDER.read_stream(ASK)

    chunks = reader.feed(data[: cut % (len(data) + 1)])

    assert words.startswith("".join(chunk.text for chunk in chunks))
    if not reader.is_finished:
        with pytest.raises(LLMProtocolError):
            reader.end()


@given(data=st.binary(max_size=300))
@pytest.mark.parametrize("request_", [ASK, SHARED], ids=["translated", "as it came"])
def test_no_bytes_break_a_reader(request_, data):
    reader = PROVIDER.read_stream(request_)

    # An error of our own where it looks like a part of the answer, and no other.
    with suppress(LLMProtocolError):
        reader.feed(b"event: message_start\ndata: " + data + b"\n\n")

    assert not reader.is_complete


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["type", "index", "delta", "content_block", "usage", "text"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
KINDS = st.sampled_from(
    [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
)


@given(kind=KINDS, told=st.dictionaries(st.text(max_size=3), JSON), inner=JSON)
def test_no_shape_of_an_event_breaks_a_reader(kind, told, inner):
    shaped = {"message": inner, "delta": inner, "content_block": inner, "index": 0}

    for sent in (
        event(kind, **{**shaped, "usage": inner}),
        encode_event(json.dumps({**told, "type": kind})),
    ):
        try:
            reader, _ = fed(sent)
        except LLMProtocolError:
            continue  # a part of the answer was in it
        assert reader.malformed >= 0
