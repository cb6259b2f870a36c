"""How long the transport waits: for the upstream, the caller and the clock."""

import socket

import fakes
import pytest
from transports import OK, Timed, make_transport, send

from flaskllm.core.errors import CallerGone, LLMTimeout, LLMUnavailable


@pytest.fixture
def transport():
    made = make_transport()
    yield made
    made.close()


WHOLE = fakes.chat("this answer never comes whole").wire()

SLOW = {
    "hangs": fakes.hang(),
    "drips the status line": fakes.drip(b"HTTP/1.1 200 OK" + b" " * 1000, 0.01),
    "drips headers": fakes.drip(OK + b"X-A: 1\r\n" * 1000, 0.01),
    "drips the body": fakes.drip(WHOLE, 0.01),
    "drips chunks": fakes.drip(
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 1000, 0.01
    ),
    "hangs in the body": fakes.raw(WHOLE[:-5], close=False),
    "promises for ever": fakes.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 100, 0.01),
}


@pytest.mark.parametrize("step", SLOW.values(), ids=SLOW.keys())
def test_the_deadline_holds_and_the_connection_is_closed(transport, upstream, step):
    upstream.always(step)

    with Timed() as took, pytest.raises(LLMTimeout):
        send(transport, upstream.url, seconds=0.2)

    assert 0.2 <= took.seconds < 2
    assert upstream.wait_for_hang_up()

    upstream.always(fakes.chat("hello"))
    assert send(transport, upstream.url).status == 200
    assert upstream.connections == 2


def test_the_first_byte_has_a_time_out_of_its_own(transport, upstream):
    upstream.always(fakes.hang())

    with Timed() as took:
        with pytest.raises(LLMTimeout) as caught:
            send(transport, upstream.url, seconds=5, first_byte_seconds=0.2)
        assert "0.2 s" in caught.value.details

    assert 0.2 <= took.seconds < 2
    assert upstream.wait_for_hang_up()


def test_an_answer_that_began_in_time_may_take_its_time(transport, upstream):
    upstream.always(fakes.drip(fakes.json_reply(1).wire(), 0.008))

    reply = send(transport, upstream.url, seconds=10, first_byte_seconds=0.4)

    assert reply.body == b"1"


def test_the_deadline_holds_while_the_body_is_sent(transport):
    """The peer accepts but never reads, so the buffers fill up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"

        with pytest.raises(LLMTimeout):
            send(transport, url, seconds=0.2, body=b"x" * 20_000_000)


def test_a_caller_who_hangs_up_ends_the_call_at_once(transport, upstream):
    upstream.always(fakes.hang())
    caller, browser = socket.socketpair()
    upstream.once_asked(browser.close)

    with Timed() as took, caller, pytest.raises(CallerGone):
        send(transport, upstream.url, seconds=10, caller=caller)

    assert took.seconds < 2
    assert upstream.wait_for_hang_up()


def test_a_caller_who_resets_ends_the_call_at_once(transport, upstream):
    upstream.always(fakes.hang())
    with socket.create_server(("127.0.0.1", 0)) as listener:
        browser = socket.create_connection(listener.getsockname())
        caller, _ = listener.accept()

    def reset():
        browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        browser.close()

    upstream.once_asked(reset)

    with caller, pytest.raises(CallerGone):
        send(transport, upstream.url, seconds=10, caller=caller)
    assert upstream.wait_for_hang_up()


def test_a_caller_who_left_before_costs_nothing(transport, upstream):
    caller, browser = socket.socketpair()
    browser.close()

    with caller, pytest.raises(CallerGone):
        send(transport, upstream.url, caller=caller)

    assert upstream.connections == 0


def test_a_caller_who_sends_more_is_still_answered(transport, upstream):
    upstream.always(fakes.delayed(0.1, fakes.chat("x")))
    caller, browser = socket.socketpair()
    with caller, browser:
        browser.sendall(b"POST /next HTTP/1.1\r\n")

        assert send(transport, upstream.url, caller=caller).status == 200

        assert caller.recv(5) == b"POST "


def test_a_refused_connection_is_unavailable_at_once(transport):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with Timed() as took:
        with pytest.raises(LLMUnavailable) as caught:
            send(transport, f"http://127.0.0.1:{port}")
        assert "refused" in caught.value.details

    assert took.seconds < 2


def test_a_name_that_does_not_exist_is_unavailable(transport):
    with pytest.raises(LLMUnavailable) as caught:
        send(transport, "http://upstream.invalid")

    assert "name" in caught.value.details


@pytest.mark.parametrize(
    ("connect_seconds", "deadline_seconds", "expected"),
    [(0.2, 5.0, LLMUnavailable), (5.0, 0.2, LLMTimeout)],
    ids=["connect time-out", "deadline"],
)
def test_a_connection_that_nobody_accepts_ends_in_time(
    connect_seconds, deadline_seconds, expected
):
    """A full backlog drops the handshake, as a dead address does."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address = listener.getsockname()
        with socket.create_connection(address):
            transport = make_transport(connect_seconds=connect_seconds)

            with Timed() as took, pytest.raises(expected):
                send(
                    transport,
                    f"http://127.0.0.1:{address[1]}",
                    seconds=deadline_seconds,
                )

            assert 0.2 <= took.seconds < 2
            transport.close()
