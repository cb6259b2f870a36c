"""How a stream is read into chunks; whole recorded streams are in tests/contract."""

import json
from itertools import pairwise

import pytest
from fakes import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.errors import (
    LLMAPIError,
    LLMProtocolError,
    LLMRateLimited,
    LLMUnavailable,
)
from flaskllm.llm.parts import Message
from flaskllm.llm.providers import build_provider
from flaskllm.llm.streams import Chunk, ToolFragment
from flaskllm.llm.types import CompletionRequest, Usage

REQUEST = CompletionRequest("fast", (Message("user", "x"),), stream=True)
COUNTED = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
READ = Usage(12, 0, 0, 5, 0, "provider")
DONE = b"data: [DONE]\n\n"


def reader():
    return build_provider("vllm", None, None, FakeClock()).read_stream(REQUEST)


def read_whole(stream, sent):
    for data in sent:
        stream.feed(data)
    return stream.end()


def event(told, name=None):
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(told)}\n\n".encode()


def chunk(finish=None, index=0, usage=None, **delta):
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return event({"model": "m-1", "choices": [choice], "usage": usage})


def test_a_chunk_may_say_everything_at_once_and_comes_out_in_order():
    call = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}
    stream = reader()

    chunks = stream.feed(
        chunk("stop", reasoning="Hm.", content="Fri", tool_calls=[call], usage=COUNTED)
    )

    assert chunks == [
        Chunk(model="m-1"),
        Chunk(thinking="Hm."),
        Chunk(text="Fri"),
        Chunk(tool=ToolFragment(0, "a", "f", "{}")),
        Chunk(finish_reason="tool_calls"),
        Chunk(usage=READ),
    ]
    assert stream.output == "Hm.Frif{}"
    assert stream.finish_reason == "tool_calls"


def test_an_opening_delta_is_no_token():
    stream = reader()

    chunks = stream.feed(chunk(role="assistant", content=""))

    assert chunks == [Chunk(model="m-1")]
    assert not stream.has_token


TOKENS = {
    "content": chunk(content="a"),
    "a thought": chunk(reasoning_content="a"),
    "a refusal": chunk(refusal="a"),
    "a call": chunk(tool_calls=[{"index": 0}]),
    "sound": chunk(audio={"data": "x"}),
    "the finish": chunk("length"),
}


@pytest.mark.parametrize("sent", TOKENS.values(), ids=TOKENS)
def test_a_token_is_seen(sent):
    stream = reader()

    stream.feed(sent)

    assert stream.has_token


@pytest.mark.parametrize("reason", [None, "", 7])
def test_what_is_no_finish_reason_finishes_nothing(reason):
    stream = reader()

    stream.feed(chunk(reason, content="a"))

    assert not stream.is_finished


def test_the_last_usage_counts_and_is_never_added():
    stream = reader()

    stream.feed(chunk(content="a", usage={**COUNTED, "completion_tokens": 1}))
    stream.feed(chunk("stop", usage=COUNTED))

    assert stream.usage == READ


def test_usage_that_cannot_be_true_is_none():
    stream = reader()

    stream.feed(chunk("stop", usage={**COUNTED, "prompt_tokens": 10**18}))

    assert stream.usage == Usage(source="none")


def test_usage_may_come_without_choices():
    stream = reader()

    assert stream.feed(event({"usage": COUNTED})) == [Chunk(usage=READ)]
    assert stream.malformed == 0


def test_of_several_answers_one_is_read():
    stream = reader()

    stream.feed(chunk(content="a") + chunk(index=1, content="b") + chunk("stop"))

    assert stream.output == "a"


def test_a_finish_that_is_said_twice_is_told_once():
    stream = reader()

    chunks = [*stream.feed(chunk("stop")), *stream.feed(chunk("stop", content="a"))]

    assert [each.finish_reason for each in chunks if each.finish_reason] == ["stop"]


def test_nothing_is_read_after_the_end_mark():
    stream = reader()

    stream.feed(chunk("stop", content="a") + DONE + chunk(content="b"))

    assert stream.is_complete
    assert stream.output == "a"
    assert stream.feed(chunk(content="c")) == []
    assert stream.end() == ()


def test_a_forgotten_end_mark_completes_what_was_finished():
    stream = reader()
    stream.feed(chunk("stop", content="a"))

    assert stream.end() == ()
    assert stream.is_complete


BROKEN = {
    "nothing": [],
    "no finish": [chunk(content="a")],
    "an end mark alone": [DONE],
    "an end mark without a finish": [chunk(content="a"), DONE],
    "half an event": [chunk("stop", content="a")[:-1]],
}


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN)
def test_what_ends_before_its_finish_is_broken(sent):
    with pytest.raises(LLMProtocolError):
        read_whole(reader(), sent)


ERRORS = {
    "an error": (event({"error": {"message": "x", "code": 429}}), LLMRateLimited),
    "an error that is a text": (event({"error": "x"}), LLMUnavailable),
    "without a frame": (event({"object": "error", "code": 429}), LLMRateLimited),
    "by the event's name": (
        event({"code": 429, "message": "x"}, "error"),
        LLMRateLimited,
    ),
    "by the name, unreadable": (b"event: error\ndata: oops\n\n", LLMUnavailable),
    "broken off": (chunk("error"), LLMUnavailable),
}


@pytest.mark.parametrize(("sent", "error"), ERRORS.values(), ids=ERRORS)
def test_an_error_within_a_stream_is_raised(sent, error):
    with pytest.raises(error):
        reader().feed(sent)


MALFORMED = {
    "cut": b'data: {"choi\n\n',
    "no json": b"data: hello\n\n",
    "no object": b"data: [1]\n\n",
    "no choices": event({"id": "x"}),
    "no choices at all": event({"choices": None}),
    "another dialect": event({"type": "ping", "delta": None}),
    "nested deeply": b"data: " + b"[" * 50_000 + b"\n\n",
}


@pytest.mark.parametrize("sent", MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_event_is_skipped_and_counted(sent):
    stream = reader()

    stream.feed(chunk(content="a") + sent + chunk("stop", content="b"))

    assert stream.malformed == 1
    assert stream.output == "ab"
    assert stream.is_finished


HOLES = {
    "cut": b'data: {"choices": [{"delta": {"content": "a\n\n',
    "choices of another type": event({"choices": "x"}),
    "choices of nothing": event({"choices": [None]}),
    "half a surrogate pair": b'data: {"choices": [{"text": "\\ud83d"}]}\n\n',
    "another dialect": event({"type": "response.output_text.delta", "delta": "a"}),
    "another dialect, cut": b'data: {"type": "x", "delta": "a\n\n',
}


@pytest.mark.parametrize("sent", HOLES.values(), ids=HOLES)
def test_what_carried_a_part_of_the_answer_and_cannot_be_read_breaks_the_stream(sent):
    stream = reader()
    stream.feed(chunk(content="a"))

    with pytest.raises(LLMProtocolError) as caught:
        stream.feed(sent)

    assert "a part of the answer" in caught.value.details.lower()
    assert stream.malformed == 0


@pytest.mark.parametrize("sent", HOLES.values(), ids=HOLES)
def test_after_the_finish_nothing_can_be_missing(sent):
    stream = reader()

    stream.feed(chunk("stop", content="a") + sent + DONE)

    assert (stream.malformed, stream.broken, stream.is_complete) == (1, None, True)


@pytest.mark.parametrize("sent", [each for each, _ in ERRORS.values()], ids=ERRORS)
def test_an_error_after_pieces_in_the_same_bytes_does_not_lose_them(sent):
    stream = reader()

    chunks = stream.feed(chunk(content="a") + chunk(content="b") + sent)

    assert [each.text for each in chunks] == ["", "a", "b"]
    assert isinstance(stream.broken, LLMAPIError)
    assert stream.text == "ab"


def test_of_an_event_that_breaks_off_nothing_is_told_nor_kept():
    stream = reader()

    chunks = stream.feed(chunk(content="a") + chunk("error", content="b"))

    assert chunks == [Chunk(model="m-1"), Chunk(text="a")]
    assert isinstance(stream.broken, LLMUnavailable)
    assert (stream.text, stream.output) == ("a", "a")


def test_the_text_is_told_apart_from_all_else_that_was_written():
    stream = reader()

    stream.feed(
        chunk(reasoning="Hm.")
        + chunk(content="Fri")
        + chunk(reasoning="Hm!", content="day")
        + chunk(index=1, content="Monday")
    )

    assert (stream.text, stream.output) == ("Friday", "Hm.FriHm!day")
    assert stream.is_joinable
    assert stream.opening is None


CALL = {"index": 0, "id": "a", "function": {"name": "f", "arguments": "{}"}}


@pytest.mark.parametrize(
    "delta",
    [{"tool_calls": [CALL]}, {"refusal": "No."}, {"audio": {"data": "x"}}],
    ids=str,
)
def test_an_answer_that_is_more_than_words_is_not_to_be_joined(delta):
    stream = reader()
    stream.feed(chunk(content="a"))
    assert stream.is_joinable

    stream.feed(chunk(**delta))

    assert not stream.is_joinable


ODD = [
    {"choices": [{}]},
    {"choices": [{"delta": None, "finish_reason": None}]},
    {"choices": [{"delta": {"content": 7, "refusal": 7, "tool_calls": 7}}]},
    {"choices": [{"delta": {"tool_calls": [7]}}]},
    {"choices": [{"delta": {"content": ["x", {"text": 7}]}}], "model": 7},
]


@pytest.mark.parametrize("told", ODD, ids=str)
def test_what_says_nothing_is_no_token(told):
    stream = reader()

    assert stream.feed(event(told)) == []
    assert not stream.has_token


def test_numbers_that_only_python_writes_do_not_lose_a_chunk():
    stream = reader()

    stream.feed(chunk(content="a", logprobs=float("-inf"), seed=2**80))

    assert stream.output == "a"


WHOLE = b"".join(
    [
        b": hello\n\n",
        chunk(role="assistant", content=""),
        b'data: {"choices": [\r\ndata: {"delta":{"content":"\xc3\xbcber"}}]}\r\n\r\n',
        b'data: {"oops\n\n',
        chunk(content="Grüße ☀", usage=COUNTED),
        chunk("stop"),
        event({"choices": [], "usage": COUNTED}),
        DONE,
    ]
)


@given(cuts=st.lists(st.integers(0, len(WHOLE)), max_size=30))
def test_where_the_network_cuts_changes_nothing(cuts):
    stream, places = reader(), sorted({0, *cuts, len(WHOLE)})

    chunks = [
        each
        for start, end in pairwise(places)
        for each in stream.feed(WHOLE[start:end])
    ]

    assert chunks == reader().feed(WHOLE)
    assert (stream.output, stream.malformed) == ("überGrüße ☀", 1)
    assert stream.is_complete


@given(end=st.integers(0, len(WHOLE)), noise=st.binary(max_size=40), rest=st.booleans())
def test_noise_gives_a_typed_error_or_a_prefix(end, noise, rest):
    stream = reader()
    data = WHOLE[:end] + noise + (WHOLE[end:] if rest else b"")

    try:
        stream.feed(data)
        stream.end()
    except LLMAPIError:
        assert not stream.is_complete
    assert min(stream.usage.tokens_input, stream.usage.tokens_output) >= 0
