"""A gateway that is told to stop while it streams."""

import signal
import time
from contextlib import ExitStack

import pytest
import stream_steps
from cut_answers import DONE, ERROR, OPENAI, body_of_chunks
from fakes import Upstream
from hosts import SETTINGS, Host
from leaving import ask, read_until
from processes import open_house, read_all
from rounds import soak_only

TEXTS = [f"token-{number} " for number in range(20)]
STREAMS = 5


@pytest.fixture
def place(tmp_path):
    with Upstream() as upstream, open_house(tmp_path) as house:
        house.write_settings(SETTINGS.format(url=upstream.url))
        token = house.make_token("--scope=chat")
        yield Host(*house.serve()), upstream, token


def test_streams_drain_before_it_ends(place):
    host, upstream, token = place
    upstream.always(stream_steps.sse(stream_steps.tokens(*TEXTS), every_seconds=0.08))
    with ExitStack() as open_streams:
        streams = [
            open_streams.enter_context(
                ask(host, token, f"drain-{number}", is_stream=True)
            )
            for number in range(STREAMS)
        ]
        begun = [read_until(stream, b"token-0") for stream in streams]

        host.started.process.send_signal(signal.SIGTERM)
        rest = [read_all(stream) for stream in streams]

    assert host.started.wait() == 0
    for first, then in zip(begun, rest, strict=True):
        heard = OPENAI.read(body_of_chunks(first + then))
        assert heard.text == "".join(TEXTS)
        assert heard.last == DONE


@soak_only
@pytest.mark.timeout(180)
def test_a_stream_that_is_too_long_for_that_ends_with_an_error(place, record_property):
    host, upstream, token = place
    one = stream_steps.tokens("more ")[1]
    upstream.always(stream_steps.endless(one, every_seconds=0.5))
    with ask(host, token, "too-long", is_stream=True) as stream:
        begun = read_until(stream, b"more")
        told_at = time.monotonic()
        host.started.process.send_signal(signal.SIGTERM)
        heard = OPENAI.read(body_of_chunks(begun + read_all(stream)))
    seconds = time.monotonic() - told_at

    assert heard.last == ERROR
    assert heard.count(DONE) == 0
    assert host.started.process.wait(60) == 0
    record_property("figure", f"ended with an error after {seconds:.1f} s, exit 0")
