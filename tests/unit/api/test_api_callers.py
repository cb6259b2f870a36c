"""Whose socket is watched, how long it lives, and how long it may block."""

import socket
import struct
import sys
from types import ModuleType

import pytest
from flask import Flask, Response

from flaskllm.api.callers import caller_socket, limit_sends


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


@pytest.fixture
def under_uwsgi(monkeypatch, pair):
    """As uWSGI does: a module that knows the number of the caller's socket."""
    module = ModuleType("uwsgi")
    module.connection_fd = pair[0].fileno
    monkeypatch.setitem(sys.modules, "uwsgi", module)
    return pair


def app_that_answers(body):
    """Return an app that answers with `body`, and where its caller's socket lands."""
    app, seen = Flask(__name__), []

    @app.get("/")
    def view():
        seen.append(caller_socket())
        assert caller_socket() is seen[0]
        return Response(body() if callable(body) else body, direct_passthrough=True)

    return app, seen


def seconds_of(sock):
    timeout = sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, 16)
    return struct.unpack("@ll", timeout)


def test_gunicorns_socket_is_taken_as_it_is(pair):
    app, seen = app_that_answers("whole")

    app.test_client().get("/", environ_overrides={"gunicorn.socket": pair[0]})

    assert seen == [pair[0]]
    assert pair[0].fileno() >= 0
    assert seconds_of(pair[0]) == (15, 0)


def test_elsewhere_nobody_knows_the_caller():
    app, seen = app_that_answers("whole")

    app.test_client().get("/")

    assert seen == [None]


def test_under_uwsgi_it_is_a_duplicate_that_a_whole_answer_closes(under_uwsgi):
    app, seen = app_that_answers("whole")

    assert app.test_client().get("/").text == "whole"

    (caller,) = seen
    assert caller is not under_uwsgi[0]
    assert caller.fileno() == -1
    assert under_uwsgi[0].fileno() >= 0


def test_under_uwsgi_a_stream_keeps_it_to_its_end(under_uwsgi):
    _, browser = under_uwsgi
    told = []

    def body():
        for n in range(3):
            seen[0].getpeername()
            yield f"{n} "
        told.append("closed")

    app, seen = app_that_answers(body)

    response = app.test_client().get("/", buffered=False)

    assert response.text == "0 1 2 "
    response.close()
    assert told == ["closed"]
    assert seen[0].fileno() == -1
    browser.sendall(b"the connection itself lives on")
    assert under_uwsgi[0].recv(3) == b"the"


def test_under_uwsgi_a_stream_that_is_left_closes_it_too(under_uwsgi):
    app, seen = app_that_answers(lambda: iter(["first", "never"]))

    response = app.test_client().get("/", buffered=False)
    next(response.iter_encoded())
    assert seen[0].fileno() >= 0
    response.close()

    assert seen[0].fileno() == -1


def test_a_write_that_cannot_proceed_fails_in_time(pair):
    """Its peer reads nothing, and the socket is one that blocks."""
    ours, _ = pair
    limit_sends(ours, 1)

    with pytest.raises(BlockingIOError):
        ours.sendall(b"x" * 50_000_000)
