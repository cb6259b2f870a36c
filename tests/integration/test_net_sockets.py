"""Which address a connection is made to."""

import contextlib
import socket
import threading

import pytest

from flaskllm.core.clock import Deadline, SystemClock
from flaskllm.core.errors import CallerGone, LLMUnavailable
from flaskllm.net.sockets import connect_first
from flaskllm.net.watch import Watch


def watch_for(caller=None, connect_seconds=0.4):
    return Watch(
        Deadline.after(5, SystemClock()),
        caller,
        connect_seconds=connect_seconds,
        first_byte_seconds=None,
        most_bytes=0,
    )


@pytest.fixture
def connecting():
    """Less than half a second to connect in."""
    watch = watch_for()
    with watch.active(), watch.connecting():
        yield


@pytest.fixture
def live():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()


@pytest.fixture
def refusing():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()


@pytest.fixture
def silent():
    """A full backlog drops the handshake, as a dead address does."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(
            socket.create_server(("127.0.0.1", 0), backlog=0)
        )
        stack.enter_context(socket.create_connection(listener.getsockname()))
        yield listener.getsockname()


def tcp(*places):
    return [
        (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place)
        for place in places
    ]


def test_the_first_address_that_answers_is_taken(connecting, refusing, live):
    with connect_first(tcp(refusing, live)) as sock:
        assert sock.getpeername() == live


def test_a_silent_address_leaves_time_for_the_next(connecting, silent, live):
    with connect_first(tcp(silent, live)) as sock:
        assert sock.getpeername() == live


def test_when_none_answers_the_last_one_tells_why(connecting, refusing, silent):
    with pytest.raises(ConnectionRefusedError):
        connect_first(tcp(silent, refusing))


def test_when_all_are_silent_the_connect_time_out_ends_it(connecting, silent):
    with pytest.raises(LLMUnavailable):
        connect_first(tcp(silent, silent))


def test_a_caller_who_hangs_up_ends_the_connecting(silent):
    caller, browser = socket.socketpair()
    watch = watch_for(caller, 5)
    threading.Timer(0.1, browser.close).start()

    with caller, watch.active(), watch.connecting(), pytest.raises(CallerGone):
        connect_first(tcp(silent))


def test_a_caller_who_sends_more_does_not_end_the_connecting(silent):
    caller, browser = socket.socketpair()
    watch = watch_for(caller, 0.3)
    threading.Timer(0.1, browser.sendall, [b"GET /next"]).start()

    with caller, browser, watch.active(), watch.connecting():
        with pytest.raises(LLMUnavailable):
            connect_first(tcp(silent))

        assert caller.recv(9) == b"GET /next"


def test_an_address_that_cannot_be_reached_fails_at_once(connecting):
    with pytest.raises(OSError, match="unreachable"):
        connect_first(tcp(("255.255.255.255", 9)))


def test_a_family_that_the_system_lacks_is_passed_over(connecting, live):
    unknown = (socket.AF_UNSPEC, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", live)

    with connect_first([unknown, *tcp(live)]) as sock:
        assert sock.getpeername() == live
