"""Callers of the native API who hang up: the upstream is let go, the gauge falls."""

import json
import socket

import pytest
import requests
from fakes import hang
from processes import SCRIPTED
from stream_steps import stall, tokens

HELLO = tokens("Hel", "lo")


@pytest.fixture
def served(house, upstream):
    house.write_settings(SCRIPTED.format(url=upstream.url))
    token = house.make_token("--scope=chat")
    started, url = house.serve()
    return started, url, token


def ask(url, token, address):
    """Return a connection on which a question was asked."""
    host, port = url.removeprefix("http://").split(":")
    body = json.dumps({"message": "Hi"}).encode()
    head = (
        f"POST {address} HTTP/1.1\r\nHost: {host}\r\n"
        f"Authorization: Bearer {token}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    caller = socket.create_connection((host, int(port)), 10)
    caller.sendall(head.encode() + body)
    return caller


def in_flight(url):
    """Return how many streams are said to be in flight."""
    lines = requests.get(f"{url}/metrics", timeout=5).text.splitlines()
    (line,) = (x for x in lines if x.startswith("flaskllm_streams_in_flight "))
    return float(line.split()[1])


@pytest.mark.parametrize(
    ("address", "step", "waits_for"),
    [
        ("/api/v1/chat", hang(), b""),
        ("/api/v1/chat/stream", hang(), b""),
        ("/api/v1/chat/stream", stall(HELLO, 2), b"Hel"),
    ],
    ids=["whole", "before the first token", "mid-stream"],
)
def test_every_hang_up_closes_the_upstream_and_frees_the_stream(
    served, upstream, address, step, waits_for
):
    started, url, token = served
    upstream.always(step)

    for number in range(1, 6):
        with ask(url, token, address) as caller:
            assert upstream.wait_for_requests(number)
            seen = b""
            while waits_for not in seen:
                seen += caller.recv(4096)
        assert upstream.wait_for_hang_up(number, seconds=3)

    started.wait_for(lambda: len(started.events("attempt_ended")) == 5)
    codes = {line["code"] for line in started.events("attempt_ended")}
    assert codes == {"CALLER_GONE"}
    started.wait_for(lambda: in_flight(url) == 0)
    assert "Traceback" not in started.stderr
