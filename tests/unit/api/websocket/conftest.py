"""An app of fakes on a real socket, in this process."""

import threading
from dataclasses import replace

import pytest
from face_fakes import build
from model_fakes import FakeCompletions, FakeStream, OpenAIServices
from websocket_fakes import Hanging, Quiet, Remembering
from werkzeug.serving import make_server

from flaskllm.api import websocket_door
from flaskllm.core.clock import SystemClock
from flaskllm.llm.streams import Chunk


@pytest.fixture
def stream():
    return FakeStream([Chunk(text="Hel"), None, Chunk(), Chunk(text="lo")])


@pytest.fixture
def services(stream):
    completions = FakeCompletions(stream_answer=stream)
    return OpenAIServices(clock=SystemClock(), completions=completions)


@pytest.fixture
def app(services):
    return build(services)


@pytest.fixture
def serve(app):
    """Serve the app on a real socket; `serve(idle_seconds=...)` changes its limits."""
    servers = []

    def start(**limits):
        door = app.extensions[websocket_door.EXTENSION]
        door.limits = replace(door.limits, look_seconds=0.02, **limits)
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def hanging(services):
    completions = Remembering()
    completions.stream_answer = Hanging(completions)
    object.__setattr__(services, "completions", completions)
    return completions
