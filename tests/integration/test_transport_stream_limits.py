"""A stream that has no measure, and a caller who leaves in the middle of one."""

import socket
import threading

import fakes
import pytest
import stream_steps
from stream_steps import event, head, tokens
from transports import (
    OK,
    make_transport,
    open_stream,
    opened,
    read_all,
    read_and_fail,
    read_until,
)

from flaskllm.core.errors import CallerGone, LLMProtocolError
from flaskllm.core.sse import SSEParser

EVENTS = tokens("Hel", "lo", " 🦊")
BODY = b"".join(EVENTS)


@pytest.fixture
def transport():
    made = make_transport()
    yield made
    made.close()


class TestCaps:
    @pytest.fixture
    def small(self):
        made = make_transport(max_reply_bytes=10_000, max_stream_bytes=300_000)
        yield made
        made.close()

    @pytest.mark.parametrize(
        "step",
        [
            stream_steps.endless(event("x" * 100)),
            stream_steps.big_line(10_000_000),
            stream_steps.bomb(100_000_000),
            fakes.big(1_000_000),
            fakes.raw(OK + b"\r\n" + b"x" * 400_000, close=False),
        ],
        ids=["endless", "a big line", "a bomb", "a length", "until it closes"],
    )
    def test_a_stream_over_its_cap_is_a_protocol_error(self, small, upstream, step):
        upstream.always(step)

        given, error = read_and_fail(small, upstream.url)

        assert len(given) <= 300_000
        assert isinstance(error, LLMProtocolError)
        assert "300000 bytes" in error.details
        assert upstream.wait_for_hang_up(seconds=1)

    def test_a_bomb_is_never_unpacked_at_once(self, transport, upstream):
        upstream.always(stream_steps.bomb(50_000_000))

        with opened(transport, upstream.url) as stream:
            first = stream.read(gap_seconds=1)

        assert len(first) <= 256 * 1024

    def test_framing_counts_too(self, upstream):
        """A byte of body in 4 kB of extension would be 30 GB under the cap."""
        transport = make_transport(max_stream_bytes=10_000)
        upstream.always(
            fakes.raw(head() + (b"1;" + b"x" * 4000 + b"\r\nx\r\n") * 500, close=False)
        )

        _, error = read_and_fail(transport, upstream.url)

        assert isinstance(error, LLMProtocolError)
        transport.close()

    def test_a_head_over_its_cap_is_a_protocol_error(self, transport, upstream):
        interim = b"HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n"
        upstream.always(fakes.raw(interim * 40_000, close=False))

        with pytest.raises(LLMProtocolError):
            open_stream(transport, upstream.url)

    def test_an_error_in_a_stream_has_the_cap_of_a_reply(self, small, upstream):
        upstream.always(fakes.status(500, {}, b"x" * 100_000))

        with opened(small, upstream.url) as stream, pytest.raises(LLMProtocolError):
            stream.read_reply()

        assert upstream.wait_for_hang_up(seconds=1)

    def test_an_event_without_an_end_is_refused_by_the_parser(
        self, transport, upstream
    ):
        upstream.always(stream_steps.big_line(900_000))
        parser = SSEParser(max_event_bytes=100_000)

        with opened(transport, upstream.url) as stream:
            pieces = iter(lambda: stream.read(gap_seconds=1), b"")
            with pytest.raises(LLMProtocolError):
                list(map(parser.feed, pieces))

        assert upstream.wait_for_hang_up(seconds=1)


class TestHangUps:
    """The upstream sees within a second that the caller left."""

    @pytest.fixture
    def caller(self):
        caller, browser = socket.socketpair()
        with caller, browser:
            yield caller, browser

    def test_before_the_head(self, transport, upstream, caller):
        upstream.always(fakes.hang())
        upstream.once_asked(caller[1].close)

        with pytest.raises(CallerGone):
            open_stream(transport, upstream.url, caller=caller[0])

        assert upstream.wait_for_hang_up(seconds=1)

    @pytest.mark.parametrize(
        "step",
        [
            stream_steps.stall(EVENTS, after=1),
            stream_steps.endless(EVENTS[1], every_seconds=0.01),
            stream_steps.endless(EVENTS[1]),
        ],
        ids=["silent", "paced", "blasting"],
    )
    def test_in_the_middle_of_the_stream(self, transport, upstream, caller, step):
        upstream.always(step)

        with opened(transport, upstream.url, caller=caller[0]) as stream:
            stream.read(gap_seconds=1)
            threading.Timer(0.05, caller[1].close).start()
            with pytest.raises(CallerGone):
                read_all(stream)
            assert upstream.wait_for_hang_up(seconds=1)

    def test_while_an_error_is_read(self, transport, upstream, caller):
        reply = fakes.status(500, {}, b"never whole")
        upstream.always(fakes.raw(reply.wire()[:-3], close=False))

        with opened(transport, upstream.url, caller=caller[0]) as stream:
            threading.Timer(0.05, caller[1].close).start()
            with pytest.raises(CallerGone):
                stream.read_reply()
            assert upstream.wait_for_hang_up(seconds=1)

    def test_between_two_reads_closing_does_not_wait(self, transport, upstream, caller):
        upstream.always(stream_steps.stall(EVENTS, after=1))

        with opened(transport, upstream.url, caller=caller[0]) as stream:
            read_until(stream, EVENTS[0])
            caller[1].close()

        assert upstream.wait_for_hang_up(seconds=1)

    def test_a_caller_who_sends_more_is_still_served(self, transport, upstream, caller):
        upstream.always(stream_steps.sse(EVENTS, every_seconds=0.02))
        caller[1].sendall(b"POST /next HTTP/1.1\r\n")

        with opened(transport, upstream.url, caller=caller[0]) as stream:
            assert read_all(stream) == BODY
