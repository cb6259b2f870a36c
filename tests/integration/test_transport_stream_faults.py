"""A stream that hangs, breaks or lies: what is seen, and when.

Whatever goes wrong, what came before it was given, the error is typed, and the
connection is closed, not used again.
"""

import gzip
import threading
import zlib

import fakes
import pytest
import stream_steps
from fakes import Exchange
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from stream_steps import LAST_CHUNK, chunk, head, tokens
from transports import (
    OK,
    Timed,
    make_transport,
    open_stream,
    opened,
    read_and_fail,
    send,
)

from flaskllm.core.errors import (
    LLMProtocolError,
    LLMTimeout,
    LLMUnavailable,
)

EVENTS = tokens("Hel", "lo", " 🦊")
BODY = b"".join(EVENTS)
BODY_WIRE = b"".join(map(chunk, EVENTS)) + LAST_CHUNK


@pytest.fixture
def transport():
    made = make_transport()
    yield made
    made.close()


class TestTimeouts:
    def test_no_head_within_the_first_byte_time_out(self, transport, upstream):
        upstream.always(fakes.hang())

        with Timed() as took, pytest.raises(LLMTimeout) as caught:
            open_stream(transport, upstream.url, first_byte_seconds=0.2)

        assert caught.value.details == "No answer began within 0.2 s."
        assert 0.2 <= took.seconds < 1
        assert upstream.wait_for_hang_up(seconds=1)

    def test_a_head_that_stalls_half_way(self, transport, upstream):
        upstream.always(fakes.raw(OK + b"Content-Type: text/ev", close=False))

        with Timed() as took, pytest.raises(LLMTimeout) as caught:
            open_stream(transport, upstream.url, first_byte_seconds=0.2)

        assert caught.value.details == "Nothing came for 0.2 s."
        assert 0.2 <= took.seconds < 1
        assert upstream.wait_for_hang_up(seconds=1)

    def test_a_head_that_drips_longer_than_it_may(self, transport, upstream):
        upstream.always(fakes.drip(OK + b"X: y\r\n" * 100, 0.02))

        with Timed() as took, pytest.raises(LLMTimeout) as caught:
            open_stream(transport, upstream.url, head_seconds=0.3)

        assert caught.value.details == "The answer had not begun after 0.3 s."
        assert 0.3 <= took.seconds < 1
        assert upstream.wait_for_hang_up(seconds=1)

    @pytest.mark.parametrize("after", [0, 1, 4])
    def test_a_stream_that_stalls_ends_after_the_gap(self, transport, upstream, after):
        upstream.always(stream_steps.stall(EVENTS, after))

        with Timed() as took:
            given, error = read_and_fail(transport, upstream.url, gap_seconds=0.2)

        assert given == b"".join(EVENTS[:after])
        assert isinstance(error, LLMTimeout)
        assert error.details == "Nothing came for 0.2 s."
        assert 0.2 <= took.seconds < 1
        assert upstream.wait_for_hang_up(seconds=1)

    def test_the_gap_counts_over_several_reads(self, transport, upstream):
        upstream.always(stream_steps.stall(EVENTS, after=0))

        with opened(transport, upstream.url) as stream, Timed() as took:
            reads = iter(lambda: stream.read(gap_seconds=0.3, tick_seconds=0.05), 0)
            assert [next(reads) for _ in range(4)] == [None] * 4
            with pytest.raises(LLMTimeout):
                list(reads)

        assert 0.3 <= took.seconds < 1

    def test_bytes_that_wait_are_given_however_long_nobody_read(
        self, transport, upstream
    ):
        """A slow caller is not the upstream's silence."""
        over = threading.Event()

        def say_all(exchange: Exchange) -> None:
            exchange.write(head() + BODY_WIRE)
            over.set()

        upstream.always(say_all)

        with opened(transport, upstream.url) as stream:
            assert over.wait(5)
            while stream.read(gap_seconds=0.0):
                pass

        assert stream.read(gap_seconds=0.0) == b""

    def test_each_byte_begins_the_gap_anew(self, transport, upstream):
        upstream.always(stream_steps.sse(EVENTS, every_seconds=0.1))

        given, error = read_and_fail(transport, upstream.url, gap_seconds=0.4)

        assert (given, error) == (BODY, None)

    @pytest.mark.parametrize(
        "step",
        [
            stream_steps.trickle(b"ff\r\n" + b"x" * 255, every_seconds=0.01),
            stream_steps.endless(b": still here\n\n", every_seconds=0.02),
            stream_steps.endless(b"x"),
        ],
        ids=["drips", "comments", "endless"],
    )
    def test_the_deadline_ends_what_never_falls_silent(self, transport, upstream, step):
        upstream.always(step)

        with Timed() as took:
            _, error = read_and_fail(transport, upstream.url, seconds=0.4)

        assert isinstance(error, LLMTimeout)
        assert "deadline" in error.details
        assert 0.4 <= took.seconds < 2
        assert upstream.wait_for_hang_up(seconds=1)


BROKEN = {
    "FIN between chunks": stream_steps.fin_after(EVENTS, 2),
    "FIN in a chunk": stream_steps.cut_after_bytes(EVENTS, len(chunk(EVENTS[0])) + 50),
    "FIN in a length": stream_steps.cut_after_bytes(EVENTS, len(chunk(EVENTS[0])) + 1),
    "FIN in the last chunk": stream_steps.cut_after_bytes(EVENTS, len(BODY_WIRE) - 2),
    "FIN before the length": fakes.raw(OK + b"Content-Length: 9999\r\n\r\n" + BODY),
    "RST": stream_steps.reset_after_bytes(EVENTS, len(chunk(EVENTS[0])) + 50),
    "packed and cut": fakes.raw(
        OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(BODY)[:-12]
    ),
    "not packed": fakes.Reply(200, {"Content-Encoding": "gzip"}, BODY),
    "packed and damaged": fakes.Reply(
        200, {"Content-Encoding": "gzip"}, gzip.compress(BODY)[:-8] + b"badcrc32"
    ),
    "raw deflate": fakes.Reply(
        200, {"Content-Encoding": "deflate"}, zlib.compress(BODY, wbits=-15)
    ),
}
GARBAGE = {
    "no length": b"xyz\r\n",
    "a signed length": b"+5\r\nhello\r\n0\r\n\r\n",
    "a prefix": b"0x5\r\nhello\r\n0\r\n\r\n",
    "an underscore": b"1_0\r\n" + b"x" * 10,
    "a length of 17 digits": b"f" * 17 + b"\r\n",
    "a bare LF": b"5\nhello\n0\n\n",
    "no break behind a chunk": b"5\r\nhelloX0\r\n\r\n",
    "a chunk that is too long": b"5\r\nhello world\r\n0\r\n\r\n",
    "an endless extension": b"5;" + b"x" * 5000,
    "endless trailers": b"0\r\n" + b"X-A: 1\r\n" * 10_000,
    "an endless trailer": b"0\r\nX-A: " + b"x" * 70_000,
}


class TestBreaks:
    @pytest.mark.parametrize("name", BROKEN)
    def test_a_body_that_breaks_off_is_a_protocol_error(
        self, transport, upstream, name
    ):
        upstream.script(BROKEN[name])

        given, error = read_and_fail(transport, upstream.url)

        assert BODY.startswith(given)
        assert isinstance(error, LLMProtocolError)
        assert error.details.startswith("The upstream's answer")
        upstream.always(fakes.chat("next"))
        assert send(transport, upstream.url).status == 200

    @pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE)
    def test_chunks_that_break_the_rules_are_a_protocol_error(
        self, transport, upstream, garbage
    ):
        upstream.always(fakes.raw(head() + garbage, close=False))

        _, error = read_and_fail(transport, upstream.url, gap_seconds=2)

        assert isinstance(error, LLMProtocolError)
        assert upstream.wait_for_hang_up(seconds=1)

    def test_what_came_before_a_reset_was_given(self, transport, upstream):
        n_bytes = len(chunk(EVENTS[0])) + len(chunk(EVENTS[1])) + 3
        upstream.always(stream_steps.reset_after_bytes(EVENTS, n_bytes))

        given, error = read_and_fail(transport, upstream.url)

        assert given == EVENTS[0] + EVENTS[1]
        assert isinstance(error, LLMProtocolError)

    def test_a_redirect_is_refused_and_its_body_left(self, transport, upstream):
        upstream.always(fakes.redirect("http://127.0.0.1:1/"))

        with pytest.raises(LLMProtocolError, match="could not be read"):
            open_stream(transport, upstream.url)

        assert upstream.wait_for_hang_up(seconds=1)

    def test_a_connection_that_closes_unanswered_is_unavailable(
        self, transport, upstream
    ):
        upstream.always(fakes.raw(b""))

        with pytest.raises(LLMUnavailable):
            open_stream(transport, upstream.url)

    @settings(
        max_examples=60,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(n_bytes=st.integers(0, len(BODY_WIRE)))
    def test_wherever_it_is_cut_the_body_is_a_prefix_and_ends_well_only_when_whole(
        self, transport, upstream, n_bytes
    ):
        upstream.always(stream_steps.cut_after_bytes(EVENTS, n_bytes))

        given, error = read_and_fail(transport, upstream.url)

        assert BODY.startswith(given)
        assert (error is None) == (n_bytes == len(BODY_WIRE))
