"""The fakes keep their promises, or tests that use them prove nothing."""

import socket
import threading
import time
from datetime import UTC, datetime, timedelta

import fakes
import pytest
from fakes import Upstream

from flaskllm.core.clock import Deadline

REQUEST = b'POST /v1/x HTTP/1.1\r\nHost: u\r\nContent-Length: 8\r\n\r\n{"a": 1}'


def ask(upstream, last=None):
    """Return all that comes back until it hangs up, or is quiet after `last`.

    That is anything, if nothing is said.
    """
    received = b""
    with socket.create_connection(("127.0.0.1", upstream.port)) as sock:
        sock.sendall(REQUEST)
        try:
            while data := receive(sock, is_all(received, last)):
                received += data
        except TimeoutError:
            return received + b"(open)"
        except ConnectionResetError:
            return received + b"(reset)"
    return received + b"(closed)"


def is_all(received, last):
    return bool(received) if last is None else received == last


def receive(sock, is_all):
    sock.settimeout(0.1 if is_all else 10.0)
    return sock.recv(65536)


def test_the_fake_clock_moves_only_when_told(fake_clock):
    began = fake_clock.now()
    deadline = Deadline.after(5, fake_clock)

    fake_clock.sleep(2)
    fake_clock.advance(1)

    assert fake_clock.now() == began + timedelta(seconds=3)
    assert deadline.remaining_seconds() == 2
    assert fake_clock.slept == [2]


def test_the_fake_clock_starts_where_it_is_told():
    moment = datetime(2030, 1, 1, tzinfo=UTC)

    assert fakes.FakeClock(moment).now() == moment


def test_requests_are_recorded(upstream):
    upstream.always(fakes.json_reply({"b": 2}, status=201))

    assert ask(upstream).startswith(b"HTTP/1.1 201 ")

    (request,) = upstream.requests
    assert (request.method, request.path, request.json) == (
        "POST",
        "/v1/x",
        {"a": 1},
    )
    assert request.headers == {"host": "u", "content-length": "8"}


def test_scripted_steps_come_in_order_and_then_the_usual_one(upstream):
    upstream.script(fakes.status(429), fakes.html())
    upstream.always(fakes.chat("usual"))

    answers = [ask(upstream) for _ in range(4)]

    assert b" 429 " in answers[0]
    assert b"text/html" in answers[1]
    assert all(b'"usual"' in answer for answer in answers[2:])
    assert upstream.connections == 4


def test_without_a_script_the_answer_is_500(upstream):
    assert b"500 Nothing Is Scripted" in ask(upstream)


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (fakes.raw(b"abc"), b"abc(closed)"),
        (fakes.raw(b"abc", close=False), b"abc(open)"),
        (fakes.cut(fakes.chat("x"), 8), b"HTTP/1.1(closed)"),
        (fakes.reset(), b"(reset)"),
        (fakes.hang(), b"(open)"),
        (fakes.drip(b"abc", 0.001), b"abc(open)"),
        (fakes.delayed(0.01, fakes.raw(b"abc")), b"abc(closed)"),
        (fakes.answer_with(lambda request: fakes.raw(request.body)), REQUEST[-8:]),
    ],
    ids=["raw", "open", "cut", "reset", "hang", "drip", "delayed", "answer_with"],
)
def test_a_step_does_what_it_says(upstream, step, expected):
    upstream.always(step)

    answer = ask(upstream, last=expected.removesuffix(b"(open)"))

    assert answer.startswith(expected)


def test_our_hanging_up_is_seen(upstream):
    upstream.always(fakes.hang())
    assert not upstream.wait_for_hang_up(seconds=0.01)

    began = time.monotonic()
    ask(upstream, last=b"")

    assert upstream.wait_for_requests(1)
    assert upstream.wait_for_hang_up()
    assert upstream.closed_by_peer[0] >= began


@pytest.mark.parametrize("step", [fakes.hang(), fakes.drip(b"x" * 9999, 10)])
def test_stopping_is_quick_and_leaves_no_thread(step):
    before = threading.active_count()
    with Upstream() as upstream:
        upstream.always(step)
        sock = socket.create_connection(("127.0.0.1", upstream.port))
        sock.sendall(REQUEST)
        assert upstream.wait_for_requests(1)
        began = time.monotonic()

    assert time.monotonic() - began < 2
    assert threading.active_count() == before
    assert upstream.closed_by_peer == []
    sock.close()
