"""Streams of a server that is to stop: they may go on for a while, then they end."""

from dataclasses import dataclass

import pytest
from face_fakes import build
from model_fakes import FakeStream, OpenAIServices

from flaskllm.api import guard, websocket_door
from flaskllm.api.streaming import stream_reply
from flaskllm.core.auth import Scope


class Bytes:
    """Tells an error by its code; all else is raw."""

    def fail(self, error):
        return f"|failed:{error.code}".encode()


@dataclass
class Server:
    """Streams an answer; told to stop once `stops` is set."""

    services: OpenAIServices
    bearer: object
    stops: bool = False

    def stream(self, *pieces):
        answer = FakeStream([*pieces], is_raw=True)

        def before(app):
            @guard.guarded(Scope.CHAT)
            def view():
                return stream_reply(answer, Bytes())

            app.add_url_rule("/stream", view_func=view)

        app = build(self.services, before=before)
        websocket_door.end_with(app, lambda: self.stops)
        read = app.test_client().get("/stream", headers=self.bearer("chat")).data
        assert answer.closed
        return read

    def told_to_stop(self):
        self.stops = True
        return b"b"

    def after(self, seconds, piece=b"c"):
        return lambda: self.services.clock.sleep(seconds) or piece


@pytest.fixture
def server(bearer):
    return Server(OpenAIServices(), bearer)


def test_a_stream_may_go_on_for_a_while(server):
    read = server.stream(b"a", server.told_to_stop, server.after(44.0), b"d")

    assert read == b"abcd"


def test_a_stream_that_goes_on_for_longer_ends_with_an_error(server):
    read = server.stream(b"a", server.told_to_stop, server.after(45.0), b"d")

    assert read == b"ab|failed:SERVICE_UNAVAILABLE"


def test_silence_ends_it_too(server):
    silence = server.after(45.0, None)

    read = server.stream(b"a", server.told_to_stop, silence, silence)

    assert read == b"ab|failed:SERVICE_UNAVAILABLE"


def test_how_long_it_went_before_does_not_matter(server):
    read = server.stream(server.after(200.0), server.told_to_stop, b"d")

    assert read == b"cbd"
