"""Events come out whole, wherever the network cut their bytes."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.errors import LLMProtocolError
from flaskllm.core.sse import DONE, PING, SSEEvent, SSEParser, encode_event

BOM = b"\xef\xbb\xbf"


def fed(pieces, **caps):
    """Return all events that a new parser gives for these pieces."""
    parser = SSEParser(**caps)
    return [event for piece in pieces for event in parser.feed(piece)]


def cut(stream, places):
    """Return a stream in the pieces between these places."""
    marks = [0, *sorted(places), len(stream)]
    return [stream[a:b] for a, b in pairwise(marks)]


def bytewise(stream):
    return [stream[place : place + 1] for place in range(len(stream))]


# The stream, and the name and the data of each of its events.
CASES = {
    "nothing": (b"", []),
    "one line": (b"data: a\n\n", [("", b"a")]),
    "two events": (b"data: a\n\ndata: b\n\n", [("", b"a"), ("", b"b")]),
    "CRLF": (b"data: a\r\n\r\ndata: b\r\n\r\n", [("", b"a"), ("", b"b")]),
    "CR": (b"data: a\r\rdata: b\r\r", [("", b"a"), ("", b"b")]),
    "LF, then CRLF": (b"data: a\n\r\ndata: b\n\n", [("", b"a"), ("", b"b")]),
    "CRLF, then LF": (b"data: a\r\n\ndata: b\n\n", [("", b"a"), ("", b"b")]),
    "CR, then CRLF": (b"data: a\r\r\ndata: b\r\r\n", [("", b"a"), ("", b"b")]),
    "CRLF, then CR": (b"data: a\r\n\rdata: b\n\n", [("", b"a"), ("", b"b")]),
    "CRLF after LF": (b"data: a\n\ndata: b\r\n\r\n", [("", b"a"), ("", b"b")]),
    "a name": (b"event: ping\ndata: {}\n\n", [("ping", b"{}")]),
    "a name behind": (b"data: {}\nevent: ping\n\n", [("ping", b"{}")]),
    "two names": (b"event: a\nevent: b\ndata:\n\n", [("b", b"")]),
    "a name that is no UTF-8": (b"event: \xff\ndata: 1\n\n", [("\ufffd", b"1")]),
    "several lines": (b"data: a\ndata: b\ndata\n\n", [("", b"a\nb\n")]),
    "CRLF lines": (b"data: a\r\ndata: b\r\n\r\n", [("", b"a\nb")]),
    "a CR inside": (b"data: a\rdata: b\n\n", [("", b"a\nb")]),
    "no space": (b"data:a\n\n", [("", b"a")]),
    "two spaces": (b"data:  a \n\n", [("", b" a ")]),
    "no data": (b"event: ping\n\nid: 7\n\n", []),
    "empty data": (b"data\n\ndata:\n\ndata: \n\n", [("", b"")] * 3),
    "a comment": (b": ping\n\ndata: a\n\n:\n\n", [("", b"a")]),
    "a comment within": (b": first\ndata: a\n: last\n\n", [("", b"a")]),
    "unknown fields": (b"retry: 1\nid: 2\nodd: 3\ndatax: 4\ndata: a\n\n", [("", b"a")]),
    "blank lines": (
        b"\n\n\ndata: a\n\n\n\n\r\ndata: b\n\n\r",
        [("", b"a"), ("", b"b")],
    ),
    "a BOM": (BOM + b"data: a\n\n", [("", b"a")]),
    "a second BOM": (BOM + BOM + b"data: a\n\ndata: b\n\n", [("", b"b")]),
    "separators of text": (
        "data: \u2028\x85\x0b\x0c\x1c\u2029\n\n".encode(),
        [("", "\u2028\x85\x0b\x0c\x1c\u2029".encode())],
    ),
    "UTF-8": ("data: żółć 🦊\n\n".encode(), [("", "żółć 🦊".encode())]),
    "unfinished": (b"data: a\n\ndata: b\n", [("", b"a")]),
    "unfinished CR": (b"data: a\n\ndata: b\r\n\r", [("", b"a")]),
    "the end mark": (DONE, [("", b"[DONE]")]),
    "our ping": (PING, []),
}


@pytest.mark.parametrize(("stream", "expected"), CASES.values(), ids=CASES)
def test_a_stream_has_these_events_whole_and_byte_by_byte(stream, expected):
    whole, slow = fed([stream]), fed(bytewise(stream))

    assert [(event.name, event.data) for event in whole] == expected
    assert slow == whole


@pytest.mark.parametrize(("stream", "expected"), CASES.values(), ids=CASES)
def test_a_cut_at_any_one_place_changes_nothing(stream, expected):
    for place in range(len(stream) + 1):
        events = fed(cut(stream, [place]))
        assert [(event.name, event.data) for event in events] == expected, place


PIECES = st.sampled_from(
    [
        *(b"data: a", b"data:", b"event: e", b": c", "data: ß🦊".encode(), BOM),
        *(b"\n", b"\r\n", b"\r", b"\n\n"),
        *(b'data: {"x": [1, 2]}\n\n', b"data: y\r\n\r\n"),
    ]
)


@given(stream=st.lists(PIECES, max_size=30).map(b"".join), data=st.data())
def test_where_the_bytes_are_cut_changes_nothing(stream, data):
    places = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))

    assert fed(cut(stream, places)) == fed([stream]) == fed(bytewise(stream))


def test_an_event_keeps_its_bytes_as_they_came():
    stream = b"\n: hello\r\nid: 3\r\ndata: a\r\ndata: b\r\n\r\n: x\n\ndata: c\n\n"

    assert fed([stream]) == [
        SSEEvent(b": hello\r\nid: 3\r\ndata: a\r\ndata: b\r\n\r\n", "", b"a\nb"),
        SSEEvent(b"data: c\n\n", "", b"c"),
    ]


USUAL = st.sampled_from([b"data: a\n\n", b"event: e\ndata: b\n\n", b"data:\r\n\r\n"])


@given(events=st.lists(USUAL, max_size=20), data=st.data())
def test_what_was_kept_is_the_stream_again(events, data):
    stream = b"".join(events)
    places = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))

    raw = [event.raw for event in fed(cut(stream, places))]

    assert raw == events


class TestCaps:
    def test_an_event_at_the_cap_is_given_and_one_byte_more_is_not(self):
        event = b"data: " + b"x" * 92 + b"\n\n"

        assert len(fed([event], max_event_bytes=100)) == 1
        for pieces in ([event], bytewise(event)):
            with pytest.raises(LLMProtocolError):
                fed(pieces, max_event_bytes=99)

    def test_a_line_without_an_end_is_refused_before_it_fills_the_memory(self):
        endless = (b"x" * 99 for _ in range(1_000_000))

        with pytest.raises(LLMProtocolError) as caught:
            fed(endless, max_event_bytes=1000)

        assert "1000 bytes" in caught.value.details
        assert len(list(endless)) == 1_000_000 - 11

    @pytest.mark.parametrize("block", [b"data: a\n\n", b": c\n\n", b"\n\n", b"\r\r"])
    def test_blocks_are_counted_whatever_they_hold(self, block):
        assert fed([BOM, block * 3], max_events=3) is not None
        for pieces in ([BOM, block * 4], [BOM, *bytewise(block * 4)]):
            with pytest.raises(LLMProtocolError):
                fed(pieces, max_events=3)

    def test_a_long_event_in_single_bytes_takes_no_quadratic_time(self):
        """Half a million pieces; with a copy each it would take minutes."""
        parser = SSEParser()
        for _ in range(500_000):
            parser.feed(b"x")

        assert parser.feed(b"\n\ndata: a\n\n")[0].data == b"a"


class TestEncoding:
    def test_an_event_has_its_id_its_name_and_its_data(self):
        assert encode_event(b"{}") == b"data: {}\n\n"
        assert encode_event("ü") == "data: ü\n\n".encode()
        assert encode_event(b"1", name="token", id=7) == (
            b"id: 7\nevent: token\ndata: 1\n\n"
        )
        assert encode_event(b"", name="done", id=0) == (
            b"id: 0\nevent: done\ndata: \n\n"
        )

    @given(st.text(st.sampled_from("a \n\r:\u2028\x85🦊"), max_size=30))
    def test_one_event_stays_one_whatever_its_data_holds(self, text):
        (event,) = fed([encode_event(text, name="x")])

        breaks = text.replace("\r\n", "\n").replace("\r", "\n")
        assert (event.name, event.data.decode()) == ("x", breaks)

    def test_half_a_surrogate_pair_becomes_a_question_mark(self):
        assert encode_event("a\ud800") == b"data: a?\n\n"

    @pytest.mark.parametrize("name", ["a\nb", "a\rdata: x", "\0"])
    def test_a_name_that_would_break_out_is_refused(self, name):
        with pytest.raises(ValueError, match="name of an event"):
            encode_event(b"", name=name)
