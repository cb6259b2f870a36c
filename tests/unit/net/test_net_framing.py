"""Where a body ends, wherever the network cut it."""

from http.client import HTTPException, IncompleteRead

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stream_steps import LAST_CHUNK, chunk

from flaskllm.net.framing import Chunked, Sized, Unsized


def fed(framing, pieces):
    """Return the body in these pieces, whether it ended, and whether more came."""
    body = b"".join(framing.feed(piece) for piece in pieces)
    return body, framing.is_complete, framing.has_surplus


def bytewise(data):
    return [data[place : place + 1] for place in range(len(data))]


class TestChunked:
    @given(
        chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=6),
        trailers=st.lists(st.sampled_from([b"X-A: 1\r\n", b"X-B:\r\n"]), max_size=2),
        data=st.data(),
    )
    def test_cuts_change_nothing(self, chunks, trailers, data):
        wire = b"".join(map(chunk, chunks)) + b"0\r\n" + b"".join(trailers) + b"\r\n"
        places = data.draw(st.lists(st.integers(0, len(wire)), max_size=9).map(sorted))
        ends = [*places, len(wire)]
        pieces = [wire[a:b] for a, b in zip([0, *places], ends, strict=True)]

        expected = (b"".join(chunks), True, False)
        assert fed(Chunked(), pieces) == expected
        assert fed(Chunked(), bytewise(wire)) == expected

    @pytest.mark.parametrize(
        ("wire", "body"),
        [
            (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
            (b"000a\r\n0123456789\r\n00\r\n\r\n", b"0123456789"),
            (b"5 \t;a=b;c\r\nhello\r\n0;x\r\n\r\n", b"hello"),
            (b"5\r\n\r\n\r\n0\r\n0\r\n\r\n", b"\r\n\r\n0"),
        ],
        ids=["hexadecimal", "zeros", "extensions", "framing in the body"],
    )
    def test_every_form_that_is_allowed(self, wire, body):
        assert fed(Chunked(), [wire]) == (body, True, False)
        assert fed(Chunked(), bytewise(wire)) == (body, True, False)

    def test_what_follows_the_end_is_no_body(self):
        wire = chunk(b"hello") + LAST_CHUNK

        assert fed(Chunked(), [wire + b"HTTP"]) == (b"hello", True, True)

    def test_what_came_is_given_before_its_chunk_ends(self):
        assert fed(Chunked(), [b"ff\r\nhel", b"lo"]) == (b"hello", False, False)

    @pytest.mark.parametrize(
        "wire", [b"", b"5", b"5\r\nhel", b"5\r\nhello", b"0\r\n", b"0\r\nX: 1\r\n"]
    )
    def test_a_connection_that_ends_before_the_body_cut_it(self, wire):
        framing = Chunked()
        framing.feed(wire)

        assert not framing.is_complete
        with pytest.raises(IncompleteRead):
            framing.end()

    @pytest.mark.parametrize("wire", [b"+1\r\n", b"-1\r\n", b" 1\r\n", b"g", b"1\nx"])
    def test_a_length_that_is_none_is_refused_at_once(self, wire):
        with pytest.raises(HTTPException):
            fed(Chunked(), bytewise(wire))


class TestOthers:
    def test_a_length_ends_the_body(self):
        assert fed(Sized(5), [b"he", b"l"]) == (b"hel", False, False)
        assert fed(Sized(5), [b"he", b"llo"]) == (b"hello", True, False)
        assert fed(Sized(5), [b"hello", b"!"]) == (b"hello", True, True)
        assert Sized(0).is_complete

    def test_a_connection_that_ends_before_the_length_cut_it(self):
        with pytest.raises(IncompleteRead):
            Sized(5).end()

    def test_without_a_length_the_connection_ends_the_body(self):
        framing = Unsized()

        assert fed(framing, [b"he", b"llo"]) == (b"hello", False, False)
        framing.end()
        assert framing.is_complete
