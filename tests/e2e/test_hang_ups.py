"""A caller who hangs up ends the upstream's work within a second, on every host."""

import json
import os
import socket
from dataclasses import dataclass

import fakes
import pytest
import requests
import stream_steps
import uwsgi_host
from fakes import Upstream
from processes import SCRIPTED, Started, bearer, open_house

EVENTS = stream_steps.tokens("Hel", "lo")
CHAT = {"model": "scripted", "messages": [{"role": "user", "content": "Hello?"}]}
WEBHOOK = {"prompt": "Please pay by Friday.", "type": "keywords"}


@dataclass
class Place:
    """A gateway with one worker process, and its upstream."""

    upstream: Upstream
    started: Started
    url: str
    token: str

    def ask(self, path, body):
        """Return a connection on which this was asked; nothing was read from it."""
        host, port = self.url.removeprefix("http://").split(":")
        data = json.dumps(body).encode()
        connection = socket.create_connection((host, int(port)), timeout=10)
        connection.sendall(
            f"POST {path} HTTP/1.1\r\nHost: {host}\r\n"
            f"Authorization: Bearer {self.token}\r\n"
            "Content-Type: application/json\r\n"
            f"Content-Length: {len(data)}\r\n\r\n".encode()
            + data
        )
        return connection

    def workers(self):
        return self.started.workers()

    def open_files(self):
        """Return how many files and sockets the worker has open."""
        (worker,) = self.workers()
        return len(os.listdir(f"/proc/{worker}/fd"))

    def answers(self):
        """Tell whether it still answers, streamed and whole."""
        self.upstream.script(stream_steps.sse(EVENTS), fakes.chat("hello"))
        good = [
            requests.post(
                f"{self.url}/v1/chat/completions",
                json={**CHAT, "stream": is_stream},
                headers=bearer(self.token),
                timeout=20,
            )
            for is_stream in (True, False)
        ]
        return [each.status_code for each in good] == [200, 200] and (
            "[DONE]" in good[0].text
        )


@pytest.fixture(scope="module", params=["gunicorn", "uwsgi"])
def host(request, tmp_path_factory):
    """A served gateway, with one upstream for all its tests."""
    with Upstream() as upstream, open_house(tmp_path_factory.mktemp("house")) as house:
        house.write_settings(SCRIPTED.format(url=upstream.url))
        token = house.make_token("--scope=chat", "--scope=webhook")
        if request.param == "uwsgi":
            request.getfixturevalue("uwsgi_venv")
            started, url = uwsgi_host.serve_uwsgi(house)
        else:
            started, url = house.serve()
        made = Place(upstream, started, url, token)
        assert made.answers()
        yield made


@pytest.fixture
def place(host):
    """The same, whose worker lives on and answers after every test."""
    before = host.workers()
    yield host
    assert host.workers() == before
    assert host.answers()


def read_until(connection, end):
    received = b""
    while end not in received:
        data = connection.recv(65536)
        assert data, received
        received += data
    return received


def hang_up(place, path, body, step, after=None):
    """Ask, read up to some bytes, hang up; return what was read."""
    upstream = place.upstream
    asked, gone = len(upstream.requests), len(upstream.closed_by_peer)
    upstream.script(step)
    with place.ask(path, body) as connection:
        assert upstream.wait_for_requests(asked + 1)
        read = read_until(connection, after) if after else b""
    assert upstream.wait_for_hang_up(gone + 1, seconds=1)
    return read


CASES = {
    "before the head": (fakes.hang(), True, None),
    "before the first token": (stream_steps.stall(EVENTS, after=0), True, None),
    "in a silent stream": (stream_steps.stall(EVENTS, after=2), True, b"Hel"),
    "in a paced stream": (
        stream_steps.endless(EVENTS[1], every_seconds=0.05),
        True,
        b"Hel",
    ),
    "in a fast stream": (stream_steps.endless(EVENTS[1]), True, b"Hel"),
    "while it waits for the whole": (fakes.hang(), False, None),
    "while the whole comes": (fakes.drip(fakes.chat("x").wire(), 0.05), False, None),
}


@pytest.mark.parametrize("name", CASES)
def test_a_chat_whose_caller_leaves_is_left(place, name):
    step, is_stream, after = CASES[name]

    hang_up(place, "/v1/chat/completions", {**CHAT, "stream": is_stream}, step, after)


def test_a_document_whose_caller_leaves_is_left(place):
    hang_up(place, "/api/v1/webhook", WEBHOOK, fakes.hang())


def test_many_who_leave_leave_nothing_open(place):
    """Sockets, duplicates of the caller's and connections to the upstream."""
    assert place.answers()
    before = place.open_files()

    for name in ("before the first token", "in a silent stream") * 5:
        step, _, after = CASES[name]
        hang_up(place, "/v1/chat/completions", {**CHAT, "stream": True}, step, after)

    assert place.answers()
    place.started.wait_for(lambda: place.open_files() <= before + 1)


def test_each_that_left_is_recorded_once(place):
    ended = len(place.started.events("attempt_ended"))

    hang_up(
        place,
        "/v1/chat/completions",
        {**CHAT, "stream": True},
        stream_steps.stall(EVENTS, after=2),
        b"Hel",
    )

    place.started.wait_for(
        lambda: len(place.started.events("attempt_ended")) == ended + 1
    )
    assert place.started.events("attempt_ended")[-1]["code"] == "CALLER_GONE"
