"""What is said on a WebSocket, turn by turn."""

import threading

import pytest
from face_fakes import token_for
from model_fakes import RESCUE, SEAM
from websocket_client import Talker, text_of
from websocket_fakes import wait_for

from flaskllm.api import websocket_door
from flaskllm.core.errors import LLMTimeout
from flaskllm.llm.streams import Chunk

TOKEN = token_for("chat")


class TestTalk:
    def test_a_turn_is_tokens_and_done(self, serve, services):
        with Talker(serve(), TOKEN) as talker:
            events = talker.turn(message="Hi", colour="red")

        assert events == [
            {"id": 1, "event": "token", "text": "Hel"},
            {"id": 2, "event": "token", "text": "lo"},
            {
                "id": 3,
                "event": "done",
                "message_id": events[-1]["message_id"],
                "conversation_id": None,
                "model": "upstream-name",
                "finish_reason": "stop",
                "usage": {
                    "tokens_input": 16,
                    "tokens_output": 9,
                    "source": "provider",
                },
                "cost": 0.0,
                "cached": False,
                "warnings": ["unknown_field: colour"],
            },
        ]
        assert services.completions.asked[0].stream is True

    def test_a_seam_is_no_token_and_is_told_at_the_end(self, serve, stream):
        stream.pieces = [Chunk(text="Hel"), SEAM, Chunk(text="lo")]

        with Talker(serve(), TOKEN) as talker:
            events = talker.turn(message="Hi")

        assert [each.get("text") for each in events] == ["Hel", "lo", None]
        assert events[-1]["meta"] == {"rescue": RESCUE}

    def test_a_stream_that_breaks_ends_with_an_error_and_the_connection_lives(
        self, serve, services, stream
    ):
        stream.pieces = [Chunk(text="Hel"), LLMTimeout()]

        with Talker(serve(), TOKEN) as talker:
            events = talker.turn(message="Hi")
            again = talker.turn(message="Hi")

        assert [each["event"] for each in events] == ["token", "error"]
        assert events[-1]["code"] == "LLM_TIMEOUT"
        assert again[-1]["id"] == 4
        assert stream.closed == 2

    def test_a_fault_of_ours_is_told_as_one_and_logged(self, serve, stream, lines):
        stream.pieces = [ZeroDivisionError("secret")]

        with Talker(serve(), TOKEN) as talker:
            (event,) = talker.turn(message="Hi")

        assert event["code"] == "INTERNAL_ERROR"
        assert "secret" not in str(event)
        assert ("ERROR", "turn_failed") in [each[:2] for each in lines()]

    @pytest.mark.parametrize(
        "frame", ["{", "[]", '{"message": 1}', '{"message": "x", "api_key": "x"}']
    )
    def test_a_frame_that_is_not_valid_is_refused_and_the_connection_lives(
        self, serve, frame
    ):
        with Talker(serve(), TOKEN) as talker:
            talker.send_raw(frame)
            (event,) = talker.rest()
            assert event["code"] == "INVALID_INPUT"
            assert text_of(talker.turn(message="Hi")) == "Hello"

    def test_a_frame_of_bytes_closes_it(self, serve):
        with Talker(serve(), TOKEN) as talker:
            talker.send_raw(b"{}")
            assert talker.closed() == 1003

    def test_cancel_ends_the_turn_that_runs_and_nothing_else(self, serve, hanging):
        with Talker(serve(), TOKEN) as talker:
            talker.send(cancel=True)
            talker.send(message="Hi")
            assert talker.next()["text"] == "Hel"
            talker.send(message="Too early")
            assert talker.next()["code"] == "CONFLICT"
            talker.send(cancel=True)
            (event,) = talker.rest()
            talker.send(cancel=True)

        assert event["code"] == "CALLER_GONE"
        assert event["error"] == "The turn was cancelled."

    def test_a_hang_up_ends_the_turn_and_frees_everything(
        self, serve, services, hanging, lines
    ):
        with Talker(serve(), TOKEN) as talker:
            talker.send(message="Hi")
            talker.next()
            talker.hang_up()

        def ended():
            return [fields for _, name, fields in lines() if name == "websocket_ended"]

        wait_for(ended)
        assert hanging.stream_answer.closed == 1
        rendered = services.metrics.render().decode()
        assert "flaskllm_streams_in_flight 0.0" in rendered
        assert "flaskllm_websockets_open 0.0" in rendered
        assert ended()[0]["turns"] == 1
        assert "request_answered" not in [name for _, name, _ in lines()]

    def test_a_turn_is_recorded_under_an_id_of_its_own(self, serve, services, lines):
        with Talker(serve(), TOKEN) as talker:
            talker.turn(message="Hi")
            talker.turn(message="Hi")

        turns = [fields for _, name, fields in lines() if name == "turn_ended"]
        assert [each["turn"] for each in turns] == [1, 2]
        assert len({each["connection"] for each in turns}) == 1

    def test_an_idle_connection_is_closed(self, serve):
        with Talker(serve(idle_seconds=0.05), TOKEN) as talker:
            assert talker.closed() == 1001

    def test_a_turn_that_runs_is_not_idle(self, serve, hanging):
        with Talker(serve(idle_seconds=0.05), TOKEN) as talker:
            talker.send(message="Hi")
            talker.next()
            threading.Event().wait(0.2)
            talker.send(cancel=True)
            assert talker.rest()[-1]["code"] == "CALLER_GONE"

    def test_it_is_closed_when_the_server_stops(self, serve, app):
        with Talker(serve(), TOKEN) as talker:
            talker.turn(message="Hi")
            websocket_door.end_with(app, lambda: True)
            assert talker.closed() == 1001

    def test_a_fault_in_the_plumbing_closes_it_and_is_logged(
        self, serve, services, lines, app
    ):
        def break_down():
            raise ZeroDivisionError

        websocket_door.end_with(app, break_down)
        with Talker(serve(), TOKEN) as talker:
            assert talker.closed() == 1011

        assert ("ERROR", "websocket_failed") in [each[:2] for each in lines()]
