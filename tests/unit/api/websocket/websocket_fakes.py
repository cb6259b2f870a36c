"""What tests of WebSockets put in the place of a model and of a server."""

import threading

from model_fakes import FakeCompletions, FakeStream
from simple_websocket import ConnectionClosed
from werkzeug.serving import WSGIRequestHandler

from flaskllm.llm.streams import Chunk
from flaskllm.net.callers import has_sent_more


class Quiet(WSGIRequestHandler):
    def log(self, *arguments):
        """Say nothing."""


def wait_for(condition, seconds=5.0):
    """Return once the condition holds."""
    held = threading.Event()
    for _ in range(int(seconds / 0.01)):
        if condition():
            return
        held.wait(0.01)
    raise AssertionError("it did not happen in time")


class Recorded:
    """A server's end of a connection, which remembers how it was closed."""

    def __init__(self, events):
        self.state = events
        self.ws = self
        self.input_buffer = []
        self.closed = []
        self.close_reason = None

    def events(self):
        yield from self.state

    def close(self, code, message):
        self.closed.append((code, message))
        raise ConnectionClosed(code, message)


class Hanging(FakeStream):
    """A stream that waits for its caller to hang up, as the transport would."""

    def __init__(self, completions):
        super().__init__([Chunk(text="Hel")])
        self._completions = completions

    def __iter__(self):
        yield from super().__iter__()
        caller = self._completions.calls[-1].caller
        caller.setblocking(True)
        caller.recv(1)
        has_sent_more(caller)  # raises CallerGone


class Remembering(FakeCompletions):
    """Remembers the calls as well."""

    def __init__(self, **options):
        super().__init__(**options)
        self.calls = []

    def stream(self, request, call):
        self.calls.append(call)
        answer = super().stream(request, call)
        if isinstance(answer, BaseException):
            raise answer
        return answer
