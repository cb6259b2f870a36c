"""Two hundred streams at once on one worker: none stalls, all are whole."""

import selectors
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass, field

import pytest
import stream_steps
from cut_answers import DONE, OPENAI, body_of_chunks
from fakes import Upstream
from hosts import SETTINGS, Host
from leaving import ask
from processes import open_house
from rounds import soak_only

STREAMS = 200
TEXTS = [f"token-{number} " for number in range(40)]
PACE_SECONDS = 0.5
# Twice the pace is the least: the event of the usage goes before `[DONE]` and is not
# passed on. The clients, the upstream and the gateway share the machine.
LONGEST_GAP_SECONDS = 2.0


@dataclass
class Stream:
    """What came of one stream, and how long nothing came in between."""

    connection: socket.socket
    received: bytes = b""
    last_at: float = 0.0
    gaps: list[float] = field(default_factory=list)

    def take(self):
        """Read what is there; tell whether there may be more."""
        data = self.connection.recv(65536)
        now = time.monotonic()
        if self.received and data:
            self.gaps.append(now - self.last_at)
        self.received += data
        self.last_at = now
        return bool(data)


def read_all_at_once(streams):
    """Read every stream to its end, in one thread."""
    with selectors.DefaultSelector() as selector:
        for stream in streams:
            selector.register(stream.connection, selectors.EVENT_READ, stream)
        while selector.get_map():
            ready = selector.select(timeout=60)
            assert ready, "nothing came of any stream for a minute"
            for key, _ in ready:
                if not key.data.take():
                    selector.unregister(key.fileobj)
                    key.fileobj.close()  # gunicorn waits for that, one at a time


@soak_only
@pytest.mark.timeout(300)
def test_two_hundred_paced_streams_run_beside_each_other(tmp_path, record_property):
    with ExitStack() as everything:
        upstream = everything.enter_context(Upstream())
        house = everything.enter_context(open_house(tmp_path))
        house.write_settings(SETTINGS.format(url=upstream.url))
        token = house.make_token("--scope=chat")
        host = Host(*house.serve(FLASKLLM_SERVER__THREADS="220"))
        events = stream_steps.tokens(*TEXTS)
        upstream.always(stream_steps.sse(events, every_seconds=PACE_SECONDS))
        streams = [
            Stream(
                everything.enter_context(
                    ask(host, token, f"paced-{number:03}", is_stream=True)
                )
            )
            for number in range(STREAMS)
        ]

        read_all_at_once(streams)

        host.wait_for_gauge(0.0)
        assert len(host.started.workers()) == 1
    for stream in streams:
        heard = OPENAI.read(body_of_chunks(stream.received))
        assert heard.text == "".join(TEXTS)
        assert heard.last == DONE
    longest = max(max(stream.gaps) for stream in streams)
    record_property(
        "figure",
        f"{STREAMS} streams whole, a token each {PACE_SECONDS} s, "
        f"longest gap {longest:.2f} s",
    )
    assert longest < LONGEST_GAP_SECONDS
