"""When the connection of a stream is used again, and streams over TLS."""

import socket
import threading

import fakes
import pytest
import stream_steps
from certificates import Certificate
from fakes import Upstream
from stream_steps import DONE, LAST_CHUNK, chunk, head, tokens
from transports import (
    OK,
    make_transport,
    opened,
    read_all,
    read_until,
    send,
    transport_with,
)

from flaskllm.core.errors import CallerGone, LLMTimeout

EVENTS = tokens("Hel", "lo", " 🦊")
BODY = b"".join(EVENTS)


@pytest.fixture
def transport():
    made = make_transport()
    yield made
    made.close()


class TestReuse:
    def test_a_body_that_was_read_to_its_end_leaves_the_connection(
        self, transport, upstream
    ):
        upstream.always(stream_steps.sse(EVENTS))

        for _ in range(3):
            with opened(transport, upstream.url) as stream:
                read_all(stream)

        assert (len(upstream.requests), upstream.connections) == (3, 1)

    def test_a_reader_that_stops_at_the_end_mark_leaves_it_too(
        self, transport, upstream
    ):
        def end_a_little_later(exchange):
            exchange.write(head() + b"".join(map(chunk, EVENTS)))
            exchange.wait(0.02)
            exchange.write(LAST_CHUNK)

        upstream.always(end_a_little_later)

        for _ in range(3):
            with opened(transport, upstream.url) as stream:
                read_until(stream, DONE)

        assert (len(upstream.requests), upstream.connections) == (3, 1)

    @pytest.mark.parametrize(
        "step",
        [
            stream_steps.stall(EVENTS, after=3),
            stream_steps.forgotten_end(EVENTS),
            stream_steps.endless(EVENTS[1]),
            fakes.raw(OK + b"Content-Length: 999999\r\n\r\n" + BODY, close=False),
        ],
        ids=["stalls", "no end", "endless", "length"],
    )
    def test_a_body_that_was_left_early_costs_the_connection_at_once(
        self, transport, upstream, step
    ):
        upstream.script(step)
        upstream.always(fakes.chat("next"))

        with opened(transport, upstream.url) as stream:
            stream.read(gap_seconds=1)

        assert upstream.wait_for_hang_up(seconds=1)
        assert b"next" in send(transport, upstream.url).body
        assert upstream.connections == 2

    def test_bytes_behind_a_body_never_become_the_next_reply(self, transport, upstream):
        wire = head() + chunk(b"first") + LAST_CHUNK + fakes.chat("smuggled").wire()
        upstream.script(fakes.raw(wire, close=False), fakes.chat("second"))

        with opened(transport, upstream.url) as stream:
            assert read_all(stream) == b"first"
        assert upstream.wait_for_hang_up()

        assert b"second" in send(transport, upstream.url).body

    def test_the_transport_may_be_closed_while_a_stream_runs(self, transport, upstream):
        upstream.always(stream_steps.sse(EVENTS, every_seconds=0.02))

        with opened(transport, upstream.url) as stream:
            stream.read(gap_seconds=1)
            transport.close()
            assert read_all(stream).endswith(DONE)

        assert upstream.wait_for_hang_up()

    def test_closing_twice_does_nothing_more(self, transport, upstream):
        upstream.always(stream_steps.sse(EVENTS))

        with opened(transport, upstream.url) as stream:
            read_all(stream)
            stream.close()
            stream.close()

        upstream.always(fakes.chat("next"))
        assert send(transport, upstream.url).status == 200
        assert upstream.connections == 1


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("good"))


class TestTLS:
    @pytest.fixture
    def tls(self, certificate):
        with (
            Upstream(tls=certificate.server) as upstream,
            transport_with(certificate.path) as transport,
        ):
            yield transport, upstream

    def test_a_stream_is_read_with_ticks_and_its_connection_used_again(self, tls):
        transport, upstream = tls
        upstream.always(stream_steps.sse(EVENTS, every_seconds=0.05))

        for _ in range(2):
            pieces = []
            with opened(transport, upstream.url) as stream:
                while (piece := stream.read(gap_seconds=5, tick_seconds=0.01)) != b"":
                    pieces.append(piece)
            assert pieces.count(None) > 3
            assert b"".join(filter(None, pieces)) == BODY

        assert upstream.connections == 1

    def test_a_large_stream_passes(self, tls):
        """Decrypted bytes wait where poll() cannot see them."""
        transport, upstream = tls
        upstream.always(stream_steps.blast(EVENTS[1], 3000))

        with opened(transport, upstream.url) as stream:
            assert read_all(stream) == EVENTS[1] * 3000

    def test_half_a_record_holds_back_no_tick_and_no_gap(self, tls):
        transport, upstream = tls

        def half_a_record(exchange):
            exchange.write(head() + chunk(EVENTS[0]))
            socket.socket.send(exchange.socket, b"\x17\x03\x03\x40\x00" + b"x" * 100)
            exchange.wait()

        upstream.always(half_a_record)

        with opened(transport, upstream.url) as stream:
            assert read_until(stream, EVENTS[0])
            assert stream.read(gap_seconds=5, tick_seconds=0.1) is None
            with pytest.raises(LLMTimeout):
                stream.read(gap_seconds=0.2)

    def test_a_caller_who_hangs_up_ends_it(self, tls):
        transport, upstream = tls
        upstream.always(stream_steps.stall(EVENTS, after=2))
        caller, browser = socket.socketpair()

        with caller, opened(transport, upstream.url, caller=caller) as stream:
            read_until(stream, EVENTS[1])
            threading.Timer(0.05, browser.close).start()
            with pytest.raises(CallerGone):
                stream.read(gap_seconds=5)

        assert upstream.wait_for_hang_up(seconds=1)
