import json
from contextlib import suppress
from itertools import pairwise

import pytest
from fakes import FakeClock
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.errors import LLMAPIError, LLMProtocolError, LLMUnavailable
from flaskllm.llm.parts import Message
from flaskllm.llm.providers import build_provider
from flaskllm.llm.streams import Chunk
from flaskllm.llm.types import CompletionRequest, Usage

PROVIDER = build_provider("gemini", None, "AIza-fake", FakeClock())
ASK = CompletionRequest("fast", (Message("user", "Hi"),), stream=True)


def event(told, end=b"\r\n"):
    return b"data: " + json.dumps(told).encode() + end + end


def said(*parts, finish=None, **more):
    candidate = {"content": {"role": "model", "parts": list(parts)}}
    if finish:
        candidate["finishReason"] = finish
    return event({"candidates": [candidate], "modelVersion": "gemini-x", **more})


def text(words, **more):
    return said({"text": words}, **more)


def fed(*events):
    reader = PROVIDER.read_stream(ASK)
    pieces = [piece for each in events for piece in reader.feed(each)]
    return reader, pieces


FIRST_TOKENS = {
    "words": (text("Hi"), True),
    "no words": (text(""), False),
    "a thought": (said({"text": "Hm", "thought": True}), True),
    "a call": (said({"functionCall": {"name": "t"}}), True),
    "a finish that explains itself": (said(finish="MAX_TOKENS"), True),
    "a finish of nothing": (said(finish="STOP"), False),
    "counts alone": (event({"usageMetadata": {"promptTokenCount": 5}}), False),
}


@pytest.mark.parametrize(
    ("first", "has_token"), FIRST_TOKENS.values(), ids=FIRST_TOKENS
)
def test_the_first_token_is_what_a_model_says_first(first, has_token):
    assert fed(first)[0].has_token is has_token


def test_an_answer_of_nothing_is_no_answer():
    reader, _ = fed(said(finish="STOP"))

    with pytest.raises(LLMProtocolError):
        reader.end()


def test_the_finish_comes_last_with_the_counts_of_the_last_event():
    reader, pieces = fed(
        text("Hi", usageMetadata={"promptTokenCount": 12, "candidatesTokenCount": 1}),
        text("!", finish="STOP", usageMetadata={"promptTokenCount": 12}),
    )

    assert pieces == [Chunk(model="gemini-x"), Chunk(text="Hi"), Chunk(text="!")]
    assert (reader.is_finished, reader.is_complete) == (True, False)
    assert reader.may_go_on
    usage = Usage(12, 0, 0, 0, 0, "provider")
    assert reader.end() == [Chunk(finish_reason="stop", usage=usage)]
    assert (reader.is_complete, reader.end()) == (True, [])


def test_a_stream_without_a_finish_has_broken_off():
    reader, _ = fed(text("Hi"))

    with pytest.raises(LLMProtocolError):
        reader.end()


def test_calls_that_come_without_ids_get_different_ones():
    call = {"functionCall": {"name": "t", "args": {"a": 1}}}

    reader, pieces = fed(said(call, call), said(call, finish="STOP"))

    tools = [piece.tool for piece in pieces if piece.tool]
    assert [tool.index for tool in tools] == [0, 1, 2]
    assert len({tool.id for tool in tools}) == 3
    assert reader.output == '{"a":1}' * 3
    assert reader.finish_reason == "tool_calls"


@pytest.mark.parametrize("told", ["x", {"code": "?"}, {"code": 900}, [1]])
def test_an_error_that_tells_nothing_is_an_error_too(told):
    with pytest.raises(LLMUnavailable):
        fed(event({"error": told}))


def test_an_error_is_told_by_its_code_when_it_has_no_other_word():
    with pytest.raises(LLMAPIError) as caught:
        fed(event({"error": {"code": 401, "message": "x"}}))

    assert caught.value.code == "LLM_CREDENTIAL_REJECTED"


WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9)


@st.composite
def streams(draw):
    """Return a stream's bytes, its words, and whether it says its finish."""
    pieces = draw(st.lists(WORDS, min_size=1, max_size=5))
    noise = st.sampled_from([b"", b": ping\r\n\r\n", b"data: {\r\n\r\n"])
    told = [text(piece) for piece in pieces]
    ends = draw(st.booleans())
    told += [said(finish="STOP")] if ends else []
    data = b"".join(each + draw(noise) for each in told)
    if draw(st.booleans()):
        data = data.replace(b"\r\n", b"\n")
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
    assert reader.is_finished is ends


@given(data=st.binary(max_size=300))
def test_no_bytes_break_a_reader(data):
    reader = PROVIDER.read_stream(ASK)

    # An error of our own where it looks like a part of the answer, and no other.
    with suppress(LLMProtocolError):
        reader.feed(b"data: " + data + b"\r\n\r\n")

    assert not reader.is_complete


HOLES = {
    "cut": b'data: {"candidates": [{"content\r\n\r\n',
    "candidates of another type": event({"candidates": 7}),
    "parts of another type": event({"candidates": [{"content": {"parts": "x"}}]}),
}


@pytest.mark.parametrize("sent", HOLES.values(), ids=HOLES)
@pytest.mark.parametrize("finish", [None, "STOP"])
def test_what_carried_a_part_of_the_answer_and_cannot_be_read_breaks_the_stream(
    sent, finish
):
    reader, _ = fed(text("Fri", finish=finish))

    with pytest.raises(LLMProtocolError):
        reader.feed(sent)

    assert reader.malformed == 0


ERROR = event({"error": {"code": 503, "status": "UNAVAILABLE", "message": "x"}})


def test_an_error_after_pieces_in_the_same_bytes_does_not_lose_them():
    reader, pieces = fed(text("Fri") + ERROR)

    assert [piece.text for piece in pieces] == ["", "Fri"]
    assert isinstance(reader.broken, LLMUnavailable)
    assert reader.text == "Fri"


def test_of_an_event_that_breaks_off_nothing_is_told_nor_kept():
    reader, pieces = fed(text("Fri") + text("day", finish="MALFORMED_RESPONSE"))

    assert [piece.text for piece in pieces] == ["", "Fri"]
    assert isinstance(reader.broken, LLMProtocolError)
    assert (reader.text, reader.output) == ("Fri", "Fri")


def test_the_text_is_told_apart_from_thoughts_and_calls():
    reader, _ = fed(said({"text": "Hm.", "thought": True}, {"text": "Fri"}))
    assert reader.is_joinable

    reader.feed(said({"functionCall": {"name": "t", "args": {}}}))

    assert (reader.text, reader.output) == ("Fri", "Hm.Fri{}")
    assert not reader.is_joinable
    assert reader.opening is None
