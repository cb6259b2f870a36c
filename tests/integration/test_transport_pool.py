"""When a connection is used again, replaced, or closed."""

import gzip
import os
from concurrent.futures import ThreadPoolExecutor

import fakes
import pytest
from transports import OK, make_transport, send

from flaskllm.core.errors import LLMProtocolError, LLMTimeout, LLMUnavailable


@pytest.fixture
def transport():
    made = make_transport()
    yield made
    made.close()


@pytest.mark.parametrize(
    "step",
    [
        fakes.chat("hello"),
        fakes.status(204, {"Content-Length": "0"}, b""),
        fakes.status(500),
        fakes.raw(
            OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", close=False
        ),
        fakes.status(200, {"Content-Encoding": "gzip"}, gzip.compress(b"{}")),
    ],
    ids=["length", "empty", "error", "chunked", "gzip"],
)
def test_after_a_complete_answer_the_connection_is_used_again(
    transport, upstream, step
):
    upstream.always(step)

    for _ in range(3):
        send(transport, upstream.url)

    assert (len(upstream.requests), upstream.connections) == (3, 1)


def test_an_idle_connection_that_the_peer_closed_fails_nothing(transport, upstream):
    upstream.script(fakes.raw(fakes.chat("first").wire()), fakes.chat("second"))

    assert b"first" in send(transport, upstream.url).body
    assert b"second" in send(transport, upstream.url).body

    assert (len(upstream.requests), upstream.connections) == (2, 2)


@pytest.mark.parametrize("end", [fakes.raw(b""), fakes.reset()], ids=["FIN", "RST"])
def test_a_reused_connection_that_closes_unanswered_is_replaced_once(
    transport, upstream, end
):
    upstream.script(fakes.chat("first"), end, fakes.chat("second"))

    send(transport, upstream.url)

    assert b"second" in send(transport, upstream.url).body
    assert (len(upstream.requests), upstream.connections) == (3, 2)


def test_a_request_that_the_peer_may_have_worked_on_is_not_sent_again(
    transport, upstream
):
    upstream.script(fakes.chat("first"), fakes.delayed(1.1, fakes.raw(b"")))
    send(transport, upstream.url)

    with pytest.raises(LLMUnavailable):
        send(transport, upstream.url)

    assert len(upstream.requests) == 2


def test_the_replacement_is_new_even_when_the_pool_has_idle_connections(
    transport, upstream
):
    """Two idle connections: after the first fails the second must not be tried."""
    upstream.always(fakes.delayed(0.1, fakes.chat("both are open now")))
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: send(transport, upstream.url), range(2)))
    upstream.script(fakes.raw(b""), fakes.chat("new"))

    assert b"new" in send(transport, upstream.url).body

    assert (len(upstream.requests), upstream.connections) == (4, 3)


def test_a_new_connection_that_closes_unanswered_is_not_asked_again(
    transport, upstream
):
    upstream.always(fakes.raw(b""))

    with pytest.raises(LLMUnavailable):
        send(transport, upstream.url)

    assert len(upstream.requests) == 1


def test_an_answer_that_began_is_not_asked_for_again(transport, upstream):
    upstream.script(fakes.chat("first"), fakes.raw(b"HTTP/1.1 2"))

    send(transport, upstream.url)
    with pytest.raises(LLMProtocolError):
        send(transport, upstream.url)

    assert len(upstream.requests) == 2


def test_bytes_behind_an_answer_never_become_the_next_one(transport, upstream):
    two = fakes.chat("first").wire() + fakes.chat("smuggled").wire()
    upstream.script(fakes.raw(two, close=False), fakes.chat("second"))

    assert b"first" in send(transport, upstream.url).body
    assert b"second" in send(transport, upstream.url).body


def test_answers_never_change_owners_when_many_are_given_up(transport, upstream):
    """Half of the calls end early at odd moments; each answer bears its nonce."""

    def echo(received):
        reply = fakes.json_reply({"nonce": received.json["nonce"]})
        if received.json["nonce"] % 2:
            return fakes.drip(reply.wire(), 0.002)
        return reply

    upstream.always(fakes.answer_with(echo))

    def ask(nonce):
        seconds = 0.01 + nonce % 7 / 100 if nonce % 2 else 5
        try:
            reply = send(transport, upstream.url, seconds, b'{"nonce": %d}' % nonce)
        except LLMTimeout:
            return True
        return reply.body == b'{"nonce": %d}' % nonce

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(80)))


def test_threads_share_the_pool(transport, upstream):
    upstream.always(fakes.delayed(0.05, fakes.chat("x")))

    for _ in range(2):
        with ThreadPoolExecutor(4) as pool:
            replies = list(pool.map(lambda _: send(transport, upstream.url), range(4)))
        assert [reply.status for reply in replies] == [200] * 4

    assert upstream.connections == 4


def test_closing_closes_idle_connections_and_a_later_request_opens_new_ones(
    transport, upstream
):
    upstream.always(fakes.chat("x"))
    send(transport, upstream.url)

    transport.close()

    assert upstream.wait_for_hang_up()
    assert send(transport, upstream.url).status == 200
    assert upstream.connections == 2


def test_closing_lets_a_running_request_finish(transport, upstream):
    upstream.always(fakes.delayed(0.1, fakes.chat("x")))

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(send, transport, upstream.url)
        assert upstream.wait_for_requests(1)
        transport.close()
        assert running.result().status == 200

    assert upstream.wait_for_hang_up()


def test_closing_what_was_never_used_does_nothing(transport):
    transport.close()


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_makes_its_own_connections(transport, upstream):
    upstream.always(fakes.chat("x"))
    send(transport, upstream.url)

    child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if send(transport, upstream.url).status == 200 else 2
        finally:
            os._exit(status)
    _, ended = os.waitpid(child, 0)
    send(transport, upstream.url)

    assert os.waitstatus_to_exitcode(ended) == 0
    assert upstream.connections == 2
