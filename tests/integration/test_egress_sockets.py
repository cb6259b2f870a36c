"""The way out on real sockets: a receiver on loopback, let in by an allowed network."""

import socket
import threading
import time
import tracemalloc

import fakes
import pytest
from certificates import Certificate
from egress_ways import Told, make_egress
from fakes import Upstream

from flaskllm.net.egress import (
    EgressFailed,
    EgressRefused,
    EgressReply,
    Failure,
    Refusal,
)
from flaskllm.net.sockets import connect_first

HOME = ["127.0.0.0/8"]
HEADERS = {"Content-Type": "application/json", "webhook-id": "msg_1"}
MEBIBYTE = b"x" * 1024 * 1024


NAMES = {"hooks.example": ["127.0.0.1"], "other.example": ["127.0.0.1"]}


def way_to(server, **settings):
    """Return a way out that may go to this server, by its address or by `NAMES`."""
    settings = {"names": Told(NAMES).names, **settings}
    return make_egress(networks=HOME, ports=[server.port], **settings)


@pytest.fixture
def receiver():
    with Upstream() as server:
        yield server


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("receiver"))


def test_a_callback_arrives_as_it_was_sent_with_the_name_that_was_asked_for(receiver):
    receiver.always(fakes.status(204))
    url = f"http://hooks.example:{receiver.port}/in%2Fbox?key=a%20b"

    reply = way_to(receiver).post(url, HEADERS, b'{"a":1}')

    assert (reply.status, reply.retry_after_seconds) == (204, None)
    [seen] = receiver.requests
    assert (seen.method, seen.path, seen.body) == (
        "POST",
        "/in%2Fbox?key=a%20b",
        b'{"a":1}',
    )
    assert seen.headers == {
        "host": f"hooks.example:{receiver.port}",
        "connection": "close",
        "accept-encoding": "identity",
        "content-length": "7",
        "user-agent": "flaskllm",
        "content-type": "application/json",
        "webhook-id": "msg_1",
    }


def test_our_own_headers_are_not_for_the_caller_to_set(receiver):
    receiver.always(fakes.status(200))
    headers = {"HOST": "inside", "content-length": "0", "User-Agent": "ours/1"}

    way_to(receiver).post(receiver.url, headers, b"{}")

    seen = receiver.requests[0].headers
    assert seen["host"] == f"127.0.0.1:{receiver.port}"
    assert (seen["content-length"], seen["user-agent"]) == ("2", "ours/1")


def test_nothing_of_the_environment_is_used(receiver, monkeypatch, tmp_path):
    receiver.always(fakes.status(200))
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    assert way_to(receiver).post(receiver.url, {}, b"").status == 200
    assert "authorization" not in receiver.requests[0].headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_only_a_status_and_no_cookie_is_kept(receiver, status):
    headers = {"Location": f"{receiver.url}/again", "Set-Cookie": "a=b"}
    receiver.always(fakes.status(status, headers))
    egress = way_to(receiver)

    for _ in range(2):
        assert egress.post(receiver.url + "/x", {}, b"{}").status == status

    assert [each.path for each in receiver.requests] == ["/x", "/x"]
    assert "cookie" not in receiver.requests[1].headers


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry-After": "120"}, 120.0), ({"Retry-After": "999999"}, 86_400.0)],
)
def test_the_wait_that_a_receiver_asks_for_is_told(receiver, headers, seconds):
    receiver.always(fakes.status(503, headers))

    reply = way_to(receiver).post(receiver.url, {}, b"{}")

    assert (reply.status, reply.retry_after_seconds) == (503, seconds)


def test_what_is_said_before_the_answer_is_passed_over(receiver):
    said = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"
    receiver.always(fakes.raw(said + fakes.status(410).wire()))

    assert way_to(receiver).post(receiver.url, {}, b"{}").status == 410


# A receiver that answered has the callback, however its body goes on.
def endless(exchange):
    exchange.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n")
    for _ in range(1024):
        exchange.write(MEBIBYTE)


def endless_chunks(exchange):
    exchange.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        exchange.write(b"100000\r\n" + MEBIBYTE + b"\r\n")


def reset_within(exchange):
    exchange.write(fakes.big(5000).wire()[:200])
    exchange.wait(0.05)  # a reset also takes back what nobody has read yet
    exchange.reset()


ANSWERED = {
    "1 GiB": endless,
    "chunks without end": endless_chunks,
    "a gzip bomb": fakes.gzip_bomb(40_000_000),
    "a body that drips": fakes.drip(fakes.big(1000).wire(), 0.001),
    "a body that never comes": fakes.raw(
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", close=False
    ),
    "a body that is reset": reset_within,
    "chunks that are none": fakes.chunked_garbage(),
}


@pytest.mark.parametrize("step", ANSWERED.values(), ids=ANSWERED)
def test_the_status_counts_whatever_the_body_does_in_little_time_and_memory(
    receiver, step
):
    receiver.always(step)
    egress = way_to(receiver, total_seconds=2.0)
    if step in (ANSWERED["a body that never comes"], ANSWERED["a body that drips"]):
        egress = way_to(receiver, total_seconds=0.3)
    tracemalloc.start()
    began = time.monotonic()

    reply = egress.post(receiver.url, {}, b"{}")

    seconds = time.monotonic() - began
    _, most_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert reply.status == 200
    assert seconds < 1.0
    # What receivers hold, this one and those before it, is in this process too.
    assert most_bytes < 16_000_000


HEAD = b"HTTP/1.1 200 OK\r\n"
FAILING = {
    "silence": (fakes.hang(), Failure.TIMEOUT),
    "a head that drips": (fakes.drip(HEAD * 1000, 0.01), Failure.TIMEOUT),
    "RST": (fakes.reset(), Failure.CONNECTION),
    "closed at once": (fakes.raw(b""), Failure.CONNECTION),
    "a head that breaks off": (fakes.raw(HEAD + b"A: b\r\n"), Failure.BAD_REPLY),
    "no HTTP": (fakes.raw(b"220 mail.example ESMTP\r\n"), Failure.BAD_REPLY),
    "a long head": (fakes.raw(HEAD + b"A: bbbbbbbb\r\n" * 90000), Failure.BAD_REPLY),
    "a head too large": (
        fakes.raw(HEAD + (b"A: " + b"b" * 9000 + b"\r\n") * 50),
        Failure.TOO_LARGE,
    ),
    "interim replies without end": (
        fakes.raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 50_000),
        Failure.TOO_LARGE,
    ),
}


@pytest.mark.parametrize(("step", "reason"), FAILING.values(), ids=FAILING)
def test_without_a_status_the_call_failed_in_time_with_a_word(receiver, step, reason):
    receiver.always(step)
    began = time.monotonic()

    with pytest.raises(EgressFailed) as caught:
        way_to(receiver, total_seconds=0.3).post(receiver.url, {}, b"{}")

    assert caught.value.reason is reason
    assert time.monotonic() - began < 1.0


def test_nobody_there_is_a_failed_connection():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(EgressFailed) as caught:
        make_egress(networks=HOME, ports=[port]).post(
            f"http://127.0.0.1:{port}", {}, b""
        )

    assert caught.value.reason is Failure.CONNECTION


def test_a_connection_that_ended_up_elsewhere_is_not_used(receiver):
    def astray(addresses):
        return connect_first(
            [(*each[:4], ("127.0.0.1", receiver.port)) for each in addresses]
        )

    with pytest.raises(EgressRefused) as caught:
        way_to(receiver, connect=astray).post(
            f"http://127.0.0.2:{receiver.port}/", {}, b"{}"
        )

    assert caught.value.reason is Refusal.BLOCKED
    assert receiver.wait_for_hang_up()
    assert receiver.requests == []


def test_tls_is_for_the_name_that_was_asked_for(tmp_path):
    shown = Certificate(tmp_path, dns_name="hooks.example")
    with Upstream(tls=shown.server) as receiver:
        receiver.always(fakes.status(200))
        egress = way_to(receiver, ca_bundle=str(shown.path))

        assert egress.post(
            f"https://hooks.example:{receiver.port}/", HEADERS, b"{}"
        ) == EgressReply(200, None)
        with pytest.raises(EgressFailed) as caught:
            egress.post(f"https://other.example:{receiver.port}/", {}, b"{}")

        assert caught.value.reason is Failure.CERTIFICATE
        assert len(receiver.requests) == 1


@pytest.mark.parametrize("ending", ["unknown", "expired", "wrong address"])
def test_a_certificate_that_is_not_good_is_refused(tmp_path, ending):
    settings = {"expired": {"days": -1}, "wrong address": {"name": "10.9.9.9"}}
    shown = Certificate(tmp_path, **settings.get(ending, {}))
    trusted = None if ending == "unknown" else str(shown.path)
    with Upstream(tls=shown.server) as receiver:
        with pytest.raises(EgressFailed) as caught:
            way_to(receiver, ca_bundle=trusted).post(receiver.url, {}, b"{}")

        assert receiver.requests == []
    assert caught.value.reason is Failure.CERTIFICATE


def test_who_speaks_no_tls_fails_as_such():
    def serve_once(listener):
        accepted, _ = listener.accept()
        with accepted:
            accepted.recv(65536)
            accepted.sendall(fakes.status(200).wire())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = threading.Thread(target=serve_once, args=[listener])
        server.start()

        with pytest.raises(EgressFailed) as caught:
            make_egress(networks=HOME, ports=[port]).post(
                f"https://127.0.0.1:{port}/", {}, b"{}"
            )

        server.join()
    assert caught.value.reason is Failure.TLS


def test_who_reads_nothing_holds_nobody():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        egress = make_egress(networks=HOME, ports=[port], total_seconds=0.2)
        began = time.monotonic()

        with pytest.raises(EgressFailed) as caught:
            egress.post(f"http://127.0.0.1:{port}/", {}, b"x" * 20_000_000)

    assert caught.value.reason is Failure.TIMEOUT
    assert time.monotonic() - began < 1.0


def test_under_tls_the_deadline_holds_from_the_handshake_on(certificate):
    with Upstream(tls=certificate.server) as receiver:
        receiver.always(fakes.drip(HEAD * 100, 0.01))
        egress = way_to(receiver, ca_bundle=str(certificate.path), total_seconds=0.3)
        began = time.monotonic()

        with pytest.raises(EgressFailed) as caught:
            egress.post(receiver.url, {}, b"{}")

    assert caught.value.reason is Failure.TIMEOUT
    assert time.monotonic() - began < 1.0


def test_a_handshake_that_hangs_ends_in_time():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        egress = make_egress(networks=HOME, ports=[port], total_seconds=0.2)
        began = time.monotonic()

        with pytest.raises(EgressFailed) as caught:
            egress.post(f"https://127.0.0.1:{port}/", {}, b"{}")

    assert caught.value.reason is Failure.TIMEOUT
    assert time.monotonic() - began < 1.0
