"""A reply that is read while it comes: what is given, and when."""

import fakes
import pytest
import stream_steps
from stream_steps import DONE, LAST_CHUNK, chunk, event, head, tokens
from transports import (
    OK,
    Timed,
    make_transport,
    opened,
    read_all,
    read_until,
)

EVENTS = tokens("Hel", "lo", " 🦊")
BODY = b"".join(EVENTS)


@pytest.fixture
def transport():
    made = make_transport()
    yield made
    made.close()


WHOLE = {
    "in chunks": stream_steps.sse(EVENTS),
    "with a length": fakes.Reply(200, {}, BODY),
    "until the connection closes": fakes.raw(OK + b"\r\n" + BODY),
    "in HTTP/1.0": fakes.raw(b"HTTP/1.0 200 OK\r\n\r\n" + BODY),
    "packed": stream_steps.packed(EVENTS),
    "byte by byte": fakes.drip(
        head() + b"".join(map(chunk, EVENTS[-2:])) + LAST_CHUNK, 0.0
    ),
    "chunks of a byte": stream_steps.sse(BODY[n : n + 1] for n in range(len(BODY))),
    "extensions and trailers": fakes.raw(
        head() + b'5;a="b"\r\ndata:\r\n00A \r\n 1\n\ndata: \r\n'
        b"000\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n",
        close=False,
    ),
}
ENDS = {
    "byte by byte": b"".join(EVENTS[-2:]),
    "extensions and trailers": b"data: 1\n\ndata: ",
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_body_is_given_whole_and_then_its_end_again_and_again(
    transport, upstream, name
):
    upstream.always(WHOLE[name])

    with opened(transport, upstream.url) as stream:
        assert stream.status == 200
        assert read_all(stream) == ENDS.get(name, BODY)
        assert stream.read(gap_seconds=1) == b""
    assert stream.read(gap_seconds=1) == b""


def test_the_head_is_there_before_the_body(transport, upstream):
    upstream.always(stream_steps.stall(EVENTS, after=0))

    with opened(transport, upstream.url) as stream:
        assert stream.headers["content-type"] == "text/event-stream"


def test_headers_have_lower_case_names_and_no_cookies(transport, upstream):
    headers = {"X-Request-Id": "req_1", "Set-Cookie": "a=b"}
    upstream.always(fakes.status(429, headers, b"slow down"))

    with opened(transport, upstream.url) as stream:
        assert stream.headers == {"x-request-id": "req_1", "content-length": "9"}


def test_an_error_is_read_whole(transport, upstream):
    upstream.always(fakes.status(429, {"Retry-After": "7"}, b"slow down"))

    with opened(transport, upstream.url) as stream:
        reply = stream.read_reply()

    assert (reply.status, reply.body) == (429, b"slow down")
    assert reply.headers["retry-after"] == "7"


def test_what_came_is_given_at_once_though_more_will_come(transport, upstream):
    upstream.always(stream_steps.stall(EVENTS, after=2))

    with opened(transport, upstream.url) as stream, Timed() as took:
        assert read_until(stream, EVENTS[1]) == EVENTS[0] + EVENTS[1]

    assert took.seconds < 1


def test_a_part_of_a_chunk_is_given_before_the_rest_comes(transport, upstream):
    upstream.always(fakes.raw(head() + b"ff\r\ndata: half", close=False))

    with opened(transport, upstream.url) as stream:
        assert read_until(stream, b"half") == b"data: half"


def test_packed_events_are_given_as_they_come(transport, upstream):
    upstream.always(stream_steps.packed(EVENTS, every_seconds=30))

    with opened(transport, upstream.url) as stream, Timed() as took:
        assert read_until(stream, EVENTS[0]) == EVENTS[0]

    assert took.seconds < 1


def test_chunks_that_wait_already_are_given_together(transport, upstream):
    """A fast upstream must not cost a round through all floors for each chunk."""
    events = [event(n) for n in range(1000)]
    wire = head() + b"".join(map(chunk, events)) + LAST_CHUNK
    upstream.always(fakes.raw(wire, close=False))

    with opened(transport, upstream.url) as stream:
        pieces = list(iter(lambda: stream.read(gap_seconds=1), b""))

    assert b"".join(pieces) == b"".join(events)
    assert len(pieces) < 20


class TestTick:
    def test_a_read_that_waited_in_vain_gives_none_and_loses_nothing(
        self, transport, upstream
    ):
        upstream.always(stream_steps.sse(EVENTS, every_seconds=0.08))

        pieces = []
        with opened(transport, upstream.url) as stream:
            while (piece := stream.read(gap_seconds=5, tick_seconds=0.02)) != b"":
                pieces.append(piece)

        assert pieces.count(None) >= 4
        assert b"".join(filter(None, pieces)) == BODY

    def test_ticks_in_the_middle_of_frames_lose_nothing(self, transport, upstream):
        """Every byte of the framing may be the one before a silence."""
        wire = head() + b"".join(map(chunk, [b"data: 1\n\n", DONE])) + LAST_CHUNK
        upstream.always(fakes.drip(wire, 0.01))

        pieces = []
        with opened(transport, upstream.url) as stream:
            while (piece := stream.read(gap_seconds=5, tick_seconds=0.003)) != b"":
                pieces.append(piece)

        assert pieces.count(None) > 10
        assert b"".join(filter(None, pieces)) == b"data: 1\n\n" + DONE

    def test_a_tick_comes_in_time(self, transport, upstream):
        upstream.always(stream_steps.stall(EVENTS, after=0))

        with opened(transport, upstream.url) as stream, Timed() as took:
            assert stream.read(gap_seconds=5, tick_seconds=0.2) is None

        assert 0.2 <= took.seconds < 1

    def test_framing_without_a_byte_of_the_body_holds_back_no_tick(
        self, transport, upstream
    ):
        upstream.always(fakes.drip(head() + b"5;" + b"x" * 1000, 0.005))

        with opened(transport, upstream.url) as stream, Timed() as took:
            assert stream.read(gap_seconds=5, tick_seconds=0.2) is None

        assert took.seconds < 1
