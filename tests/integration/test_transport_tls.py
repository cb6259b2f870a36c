"""The transport over TLS."""

import socket
import threading

import fakes
import pytest
from certificates import Certificate
from cryptography.hazmat.primitives import hashes
from fakes import Upstream
from transports import Timed, send, transport_with

from flaskllm.core.errors import CallerGone, LLMAPIError, LLMTimeout, LLMUnavailable


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("good"))


@pytest.fixture
def tls_upstream(certificate):
    with Upstream(tls=certificate.server) as server:
        yield server


@pytest.fixture
def transport(certificate):
    with transport_with(certificate.path) as made:
        yield made


def test_a_trusted_certificate_is_accepted_and_the_connection_reused(
    transport, tls_upstream
):
    tls_upstream.always(fakes.chat("hello"))

    for _ in range(3):
        assert b"hello" in send(transport, tls_upstream.url).body

    assert tls_upstream.connections == 1


def test_a_folder_of_certificates_may_be_trusted(certificate, tls_upstream, tmp_path):
    tls_upstream.always(fakes.chat("hello"))
    name = f"{subject_hash(certificate.name)}.0"
    (tmp_path / name).write_bytes(certificate.path.read_bytes())

    with transport_with(tmp_path) as transport:
        assert send(transport, tls_upstream.url).status == 200


def subject_hash(name):
    """Return how OpenSSL finds a subject in a folder: X509_NAME_hash.

    The SHA-1 of the name without its outer header, four bytes, little-endian;
    a lower-case UTF-8 name is in the canonical form already.
    """
    digest = hashes.Hash(hashes.SHA1())
    digest.update(name.public_bytes()[2:])
    return digest.finalize()[:4][::-1].hex()


@pytest.mark.parametrize("ending", ["unknown", "expired", "wrong name"])
def test_a_certificate_that_is_not_good_is_refused(tmp_path, ending):
    settings = {"expired": {"days": -1}, "wrong name": {"name": "10.9.9.9"}}
    shown = Certificate(tmp_path, **settings.get(ending, {}))
    trusted = None if ending == "unknown" else shown.path

    with Upstream(tls=shown.server) as upstream:
        with (
            transport_with(trusted) as transport,
            pytest.raises(LLMAPIError) as caught,
        ):
            send(transport, upstream.url)

        assert upstream.requests == []
    assert "certificate was not accepted" in caught.value.details
    # Not one of those after which the same place is asked again.
    assert not caught.value.transient


def drops_the_handshake(accepted):
    accepted.recv(1)


def answers_the_handshake_in_plain_http(accepted):
    accepted.recv(65536)
    accepted.sendall(fakes.chat("plain").wire())


@pytest.mark.parametrize(
    "serve", [drops_the_handshake, answers_the_handshake_in_plain_http]
)
def test_a_handshake_that_fails_is_an_error_of_the_upstream(transport, serve):
    def serve_once(listener):
        accepted, _ = listener.accept()
        with accepted:
            serve(accepted)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve_once, args=[listener])
        server.start()

        with pytest.raises(LLMAPIError):
            send(transport, f"https://127.0.0.1:{listener.getsockname()[1]}")

        server.join()


@pytest.mark.parametrize("seconds", [0.2, 5.0], ids=["deadline", "connect time-out"])
def test_a_handshake_that_hangs_ends_in_time(certificate, seconds):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"https://127.0.0.1:{listener.getsockname()[1]}"

        with (
            transport_with(certificate.path, connect_seconds=0.3) as transport,
            Timed() as took,
            pytest.raises(LLMTimeout if seconds < 0.3 else LLMUnavailable),
        ):
            send(transport, url, seconds)

    assert 0.2 <= took.seconds < 2


@pytest.mark.parametrize(
    "step",
    [
        fakes.hang(),
        fakes.drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 1000, 0.01),
        fakes.drip(fakes.chat("never whole").wire(), 0.01),
    ],
    ids=["hangs", "drips headers", "drips the body"],
)
def test_the_deadline_holds_under_tls(transport, tls_upstream, step):
    tls_upstream.always(step)

    with Timed() as took, pytest.raises(LLMTimeout):
        send(transport, tls_upstream.url, seconds=0.3)

    assert 0.3 <= took.seconds < 2
    assert tls_upstream.wait_for_hang_up()


def test_half_a_record_does_not_hold_the_thread(transport, tls_upstream):
    """The wire is readable, yet there is nothing to decrypt: poll alone is fooled."""

    def half_a_record(exchange):
        header = b"\x17\x03\x03\x40\x00"
        socket.socket.send(exchange.socket, header + b"x" * 100)
        exchange.wait()

    tls_upstream.always(half_a_record)

    with pytest.raises(LLMTimeout):
        send(transport, tls_upstream.url, seconds=0.3)


def test_a_caller_who_hangs_up_ends_the_call_under_tls(transport, tls_upstream):
    tls_upstream.always(fakes.hang())
    caller, browser = socket.socketpair()
    tls_upstream.once_asked(browser.close)

    with caller, pytest.raises(CallerGone):
        send(transport, tls_upstream.url, seconds=10, caller=caller)

    assert tls_upstream.wait_for_hang_up()


def test_large_bodies_pass_both_ways(transport, tls_upstream):
    tls_upstream.always(
        fakes.answer_with(lambda received: fakes.status(200, {}, received.body))
    )
    body = bytes(range(256)) * 3_900

    assert send(transport, tls_upstream.url, body=body).body == body


def test_the_deadline_holds_while_the_body_is_sent_under_tls(transport, certificate):
    over = threading.Event()

    def shake_hands_and_read_nothing(listener):
        accepted, _ = listener.accept()
        with certificate.server.wrap_socket(accepted, server_side=True):
            over.wait(5)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=shake_hands_and_read_nothing, args=[listener])
        server.start()

        with pytest.raises(LLMTimeout):
            send(
                transport,
                f"https://127.0.0.1:{listener.getsockname()[1]}",
                seconds=0.3,
                body=b"x" * 20_000_000,
            )

        over.set()
        server.join()
