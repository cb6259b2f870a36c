"""Who may talk on a WebSocket, and how much."""

from dataclasses import replace

import pytest
from face_fakes import token_for
from limits import RateLimitItemPerMinute
from websocket_client import (
    Talker,
    close_code,
    frame,
    handshake,
    read_head,
    text_of,
)
from websocket_fakes import Recorded, wait_for
from wsproto import ConnectionType, WSConnection
from wsproto.events import Pong, TextMessage
from wsproto.frame_protocol import Opcode

from flaskllm.api.websocket_wire import Counted, WebSocketLimits
from flaskllm.llm.streams import Chunk

TOKEN = token_for("chat")


class TestSignIn:
    def test_the_first_frame_may_bring_the_api_token(self, serve):
        with Talker(serve()) as talker:
            talker.send(auth=TOKEN)
            assert text_of(talker.turn(message="Hi")) == "Hello"

    @pytest.mark.parametrize(
        "first", ['{"auth": "wrong"}', '{"auth": 7}', '{"message": "Hi"}', "no JSON"]
    )
    def test_else_it_is_closed_and_counts_as_a_failure(self, serve, lines, first):
        with Talker(serve()) as talker:
            talker.send_raw(first)
            assert talker.next()["code"] == "AUTHENTICATION_ERROR"
            assert talker.closed() == 4401

        assert "authentication_failed" in [name for _, name, _ in lines()]

    def test_without_the_scope_it_is_closed(self, serve):
        with Talker(serve()) as talker:
            talker.send(auth=token_for("read"))
            assert talker.next()["code"] == "PERMISSION_DENIED"
            assert talker.closed() == 4403

    def test_too_many_failures_shut_out_this_way_too(self, serve, app):
        app.extensions["flaskllm.gate"] = replace(
            app.extensions["flaskllm.gate"], failures=RateLimitItemPerMinute(1)
        )
        url = serve()
        with Talker(url) as talker:
            talker.send(auth="wrong")
            assert talker.closed() == 4401

        with Talker(url) as talker:
            talker.send(auth=TOKEN)
            assert talker.next()["code"] == "RATE_LIMIT_EXCEEDED"
            assert talker.closed() == 1013

    def test_it_is_closed_when_no_frame_comes_in_time(self, serve):
        with Talker(serve(sign_in_seconds=0.05)) as talker:
            assert talker.next()["code"] == "AUTHENTICATION_ERROR"
            assert talker.closed() == 4401

    def test_a_broken_database_closes_it_for_now(self, serve, services):
        with Talker(serve(), TOKEN) as talker:
            talker.turn(message="Hi")
            services.api_tokens.broken = OSError("disk")
            assert talker.turn(message="Hi")[-1]["code"] == "SERVICE_UNAVAILABLE"
            assert talker.closed() == 1013


class TestLimits:
    @pytest.mark.parametrize(
        "frames",
        [
            [frame(Opcode.TEXT, b"x" * 40)],
            [
                frame(Opcode.TEXT, b"x" * 20, is_last=False),
                frame(Opcode.CONTINUATION, "ü".encode() * 10),
            ],
        ],
        ids=["one frame", "two frames"],
    )
    def test_a_message_over_the_cap_closes_it(self, serve, frames):
        with handshake(serve(message_bytes=39), TOKEN) as connection:
            read_head(connection)
            connection.sendall(b"".join(frames))
            assert close_code(connection) == 1009

    @pytest.mark.parametrize("opcode", [Opcode.PING, Opcode.PONG, Opcode.TEXT])
    def test_too_many_frames_close_it(self, serve, opcode):
        with handshake(serve(frames=5, frames_per_second=0), TOKEN) as connection:
            read_head(connection)
            connection.sendall(frame(opcode, b"") * 6)
            assert close_code(connection) == 1008

    def test_a_frame_that_comes_in_pieces_counts_once(self, serve):
        with Talker(serve(frames=1, frames_per_second=0), TOKEN) as talker:
            assert text_of(talker.turn(message="x" * 300_000)) == "Hello"

    def test_frames_may_come_again_after_a_while(self, fake_clock):
        server = Recorded([Pong()] * 3)
        limits = WebSocketLimits(frames=3, frames_per_second=2.0)
        counted = Counted(server, limits, fake_clock)
        assert len(list(counted.events())) == 3

        fake_clock.advance(0.5)

        server.state = [Pong()]
        assert len(list(counted.events())) == 1
        with pytest.raises(ConnectionAbortedError):
            list(counted.events())
        assert server.closed == [(1008, "too many frames")]

    def test_who_sends_while_the_other_thread_closes_learns_that_it_is_over(
        self, fake_clock
    ):
        state = WSConnection(ConnectionType.SERVER)
        server = Recorded([])
        server.ws = state
        counted = Counted(server, WebSocketLimits(), fake_clock)

        with pytest.raises(ConnectionAbortedError):
            counted.send(TextMessage("{}"))

    def test_too_many_messages_that_wait_close_it(self, fake_clock):
        server = Recorded([TextMessage("[]")])
        counted = Counted(server, WebSocketLimits(waiting_messages=2), fake_clock)
        assert list(counted.events())

        server.input_buffer = ["[]", "[]"]

        with pytest.raises(ConnectionAbortedError):
            list(counted.events())
        assert server.closed == [(1008, "too many messages at once")]

    def test_a_peer_that_does_not_read_is_let_go(self, serve, stream, lines):
        stream.pieces = [Chunk(text="x" * 1_000_000)] * 30
        with handshake(serve(send_seconds=1), TOKEN) as connection:
            read_head(connection)
            connection.sendall(frame(Opcode.TEXT, b'{"message": "Hi"}'))
            wait_for(lambda: "websocket_ended" in [name for _, name, _ in lines()])

        assert stream.closed == 1

    def test_a_peer_that_answers_no_ping_is_let_go(self, serve, app):
        app.config["SOCK_SERVER_OPTIONS"] = {"ping_interval": 0.05}
        with handshake(serve(), TOKEN) as connection:
            read_head(connection)
            assert close_code(connection) == 1008

    def test_a_peer_that_answers_no_closing_is_let_go(self, serve, lines):
        url = serve(idle_seconds=0.05, goodbye_seconds=0.05)
        with handshake(url, TOKEN) as connection:
            read_head(connection)
            wait_for(lambda: "websocket_ended" in [name for _, name, _ in lines()])
