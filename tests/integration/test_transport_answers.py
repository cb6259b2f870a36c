"""What the transport makes of whole, broken and oversized answers."""

import contextlib
import gzip
import os
import zlib

import fakes
import pytest
from fakes import Upstream
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transports import OK, make_transport, send

from flaskllm.core.errors import LLMProtocolError, LLMUnavailable


@pytest.fixture
def transport():
    made = make_transport()
    yield made
    made.close()


def test_a_request_arrives_whole_and_its_reply_comes_back(transport, upstream):
    upstream.always(fakes.json_reply({"answer": 42}, headers={"X-Note": "a"}))

    reply = send(transport, upstream.url, body=b'{"model": "m"}')

    assert reply.status == 200
    assert reply.body == b'{"answer": 42}'
    assert reply.headers["x-note"] == "a"
    received = upstream.requests[0]
    assert (received.method, received.path) == ("POST", "/v1/x")
    assert received.json == {"model": "m"}
    assert received.headers["content-type"] == "application/json"
    assert received.headers["accept-encoding"] == "identity"


def test_a_large_body_arrives_whole(transport, upstream):
    upstream.always(fakes.chat("x"))
    body = os.urandom(3_000_000)

    send(transport, upstream.url, body=body)

    assert upstream.requests[0].body == body


def test_error_statuses_are_replies(transport, upstream):
    upstream.always(fakes.status(529, {"Retry-After": "3"}, b"overloaded"))

    reply = send(transport, upstream.url)

    assert (reply.status, reply.headers["retry-after"]) == (529, "3")
    assert reply.body == b"overloaded"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_compressed_answer_is_unpacked_though_not_asked_for(
    transport, upstream, encoding
):
    pack = {"gzip": gzip.compress, "deflate": zlib.compress}[encoding]
    upstream.always(fakes.status(200, {"Content-Encoding": encoding}, pack(b"[1]")))

    assert send(transport, upstream.url).body == b"[1]"


def test_an_answer_without_a_length_ends_with_the_connection(transport, upstream):
    upstream.always(fakes.raw(OK + b"\r\n{}"))

    assert send(transport, upstream.url).body == b"{}"


@pytest.mark.parametrize("said", ["100 Continue", "102 Processing", "103 Early Hints"])
def test_interim_replies_are_passed_over(transport, upstream, said):
    interim = f"HTTP/1.1 {said}\r\nLink: </a>\r\n\r\n".encode()
    upstream.always(fakes.raw(interim * 3 + fakes.chat("x").wire()))

    assert send(transport, upstream.url).status == 200


def test_cookies_are_neither_kept_nor_sent(transport, upstream):
    upstream.always(fakes.json_reply({}, headers={"Set-Cookie": "a=b; Path=/"}))

    reply = send(transport, upstream.url)
    send(transport, upstream.url)

    assert "set-cookie" not in reply.headers
    assert "cookie" not in upstream.requests[1].headers


def test_the_environment_is_not_asked(transport, upstream, monkeypatch, tmp_path):
    """Neither proxies nor ~/.netrc may change where a request or a secret goes."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    upstream.always(fakes.chat("x"))

    send(transport, upstream.url)

    assert upstream.requests[0].headers["authorization"] == "Bearer sk"


BROKEN = {
    "cut in the body": fakes.cut(fakes.chat("never whole"), 150),
    "cut in the headers": fakes.cut(fakes.chat("never whole"), 30),
    "cut in the status line": fakes.cut(fakes.chat("never whole"), 5),
    "reset in the body": fakes.reset(after_bytes=150),
    "chunked garbage": fakes.chunked_garbage(),
    "cut between chunks": fakes.raw(
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"
    ),
    "no HTTP": fakes.raw(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "a status that is none": fakes.raw(b"HTTP/1.1 twohundred OK\r\n\r\n"),
    "two lengths": fakes.raw(OK + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"),
    "101 headers": fakes.raw(OK + b"X-A: 1\r\n" * 101 + b"\r\n{}"),
    "a header of 100 kB": fakes.raw(OK + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n{}"),
    "a million headers": fakes.raw(OK + b"X-A: 1\r\n" * 1_000_000),
    "only early hints": fakes.raw(b"HTTP/1.1 103 Early Hints\r\n\r\n"),
    "another protocol": fakes.raw(b"HTTP/1.1 101 Switching Protocols\r\n\r\n"),
    "a redirect": fakes.redirect("http://127.0.0.1:1/"),
    "interim replies for ever": fakes.raw(
        b"HTTP/1.1 100 Continue\r\nX-A: 1\r\n\r\n" * 200_000, close=False
    ),
    "trailers for ever": fakes.raw(
        OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n" + b"X-A: 1\r\n" * 1_000_000,
        close=False,
    ),
}


@pytest.mark.parametrize("step", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_answer_is_a_protocol_error_and_closes_the_connection(
    transport, upstream, step
):
    upstream.script(step)
    upstream.always(fakes.chat("hello"))

    with pytest.raises(LLMProtocolError):
        send(transport, upstream.url)

    assert send(transport, upstream.url).status == 200
    assert upstream.connections == 2
    assert len(upstream.requests) == 2


@pytest.mark.parametrize(
    "body",
    [b"not gzip", gzip.compress(b"x" * 999)[:-8] + b"badcrc32"],
    ids=["no gzip", "damaged"],
)
def test_a_body_that_cannot_be_unpacked_is_a_protocol_error(transport, upstream, body):
    upstream.always(fakes.status(200, {"Content-Encoding": "gzip"}, body))

    with pytest.raises(LLMProtocolError):
        send(transport, upstream.url)


def test_a_redirect_is_not_followed(transport, upstream):
    with Upstream() as canary:
        upstream.always(fakes.redirect(canary.url + "/secret"))

        with pytest.raises(LLMProtocolError) as caught:
            send(transport, upstream.url)

        assert canary.connections == 0
        assert str(canary.port) not in caught.value.details


CHUNK = b"7d0\r\n" + b"x" * 2000 + b"\r\n"

TOO_LARGE = {
    "by a byte": fakes.big(1_000_001),
    "with a length": fakes.big(20_000_000),
    "without a length": fakes.raw(OK + b"\r\n" + b"x" * 2_000_000, close=False),
    "in chunks": fakes.raw(
        OK + b"Transfer-Encoding: chunked\r\n\r\n" + CHUNK * 1000, close=False
    ),
    "a gzip bomb": fakes.gzip_bomb(200_000_000),
    "a gzip bomb on an error": fakes.status(
        500, {"Content-Encoding": "gzip"}, gzip.compress(b"0" * 50_000_000)
    ),
    "a gzip bomb on a redirect": fakes.status(
        302,
        {"Content-Encoding": "gzip", "Location": "/"},
        gzip.compress(b"0" * 50_000_000),
    ),
}


@pytest.mark.parametrize("step", TOO_LARGE.values(), ids=TOO_LARGE.keys())
def test_an_answer_beyond_the_cap_is_a_protocol_error(transport, upstream, step):
    upstream.always(step)

    with pytest.raises(LLMProtocolError):
        send(transport, upstream.url)


def test_an_answer_beyond_the_cap_is_not_read_to_its_end(transport, upstream):
    upstream.always(fakes.big(20_000_000))

    with pytest.raises(LLMProtocolError):
        send(transport, upstream.url)

    assert upstream.wait_for_hang_up()


def test_an_answer_at_the_cap_is_accepted(transport, upstream):
    upstream.always(fakes.big(1_000_000))

    assert len(send(transport, upstream.url).body) == 1_000_000


ANYTHING = st.one_of(
    st.binary(max_size=300),
    st.binary(max_size=200).map(lambda tail: OK + tail),
    st.binary(max_size=200).map(lambda tail: OK + b"Content-Length: 9\r\n" + tail),
    st.binary(max_size=200).map(
        lambda tail: OK + b"Transfer-Encoding: chunked\r\n\r\n" + tail
    ),
    st.binary(max_size=200).map(
        lambda tail: OK + b"Content-Encoding: gzip\r\n\r\n" + gzip.compress(tail)[:-3]
    ),
)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(answer=ANYTHING)
def test_whatever_comes_back_only_our_own_errors_escape(transport, upstream, answer):
    upstream.always(fakes.raw(answer))

    with contextlib.suppress(LLMProtocolError, LLMUnavailable):
        assert send(transport, upstream.url, seconds=2).status >= 200
