"""The transport through proxies, with and without TLS."""

import contextlib
import select
import socket
import ssl

import fakes
import pytest
from certificates import Certificate
from fakes import Upstream
from transports import Timed, send, transport_with

from flaskllm.core.errors import LLMTimeout, LLMUnavailable


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("good"))


@pytest.fixture
def tls_upstream(certificate):
    with Upstream(tls=certificate.server) as server:
        yield server


def tunnel(target):
    """Connect the caller of CONNECT with the target, both ways."""

    def step(exchange):
        assert exchange.request.method == "CONNECT"
        assert exchange.request.path == f"127.0.0.1:{target.port}"
        with socket.create_connection(("127.0.0.1", target.port)) as far:
            exchange.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            with contextlib.suppress(ConnectionError):  # a reset ends it as well
                relay(exchange.socket, far)
        exchange.close()

    return step


def relay(near, far):
    other = {near: far, far: near}
    while True:
        pending = isinstance(near, ssl.SSLSocket) and near.pending()
        ready = [near] if pending else select.select([near, far], [], [])[0]
        for source in ready:
            data = source.recv(65536)
            if not data:
                return
            other[source].sendall(data)


@pytest.mark.parametrize("proxy_scheme", ["http", "https"])
def test_tls_passes_through_a_proxy_without_showing_it_anything(
    certificate, tls_upstream, proxy_scheme
):
    tls_upstream.always(fakes.chat("hello"))
    server = certificate.server if proxy_scheme == "https" else None

    with (
        Upstream(tls=server) as proxy,
        transport_with(certificate.path, proxy=proxy.url) as transport,
    ):
        proxy.always(tunnel(tls_upstream))

        for _ in range(2):
            assert b"hello" in send(transport, tls_upstream.url).body

        assert [seen.method for seen in proxy.requests] == ["CONNECT"]
        assert "authorization" not in proxy.requests[0].headers
        transport.close()
        assert tls_upstream.wait_for_hang_up()
    assert tls_upstream.connections == 1


@pytest.mark.parametrize("proxy_scheme", ["http", "https"])
def test_the_deadline_holds_through_a_proxy(certificate, tls_upstream, proxy_scheme):
    tls_upstream.always(fakes.drip(fakes.chat("never whole").wire(), 0.01))
    server = certificate.server if proxy_scheme == "https" else None

    with (
        Upstream(tls=server) as proxy,
        transport_with(certificate.path, proxy=proxy.url) as transport,
    ):
        proxy.always(tunnel(tls_upstream))

        with pytest.raises(LLMTimeout):
            send(transport, tls_upstream.url, seconds=0.3)

        assert tls_upstream.wait_for_hang_up()


@pytest.mark.parametrize("proxy_scheme", ["http", "https"])
def test_plain_http_is_forwarded_by_a_proxy(certificate, proxy_scheme):
    server = certificate.server if proxy_scheme == "https" else None

    with (
        Upstream(tls=server) as proxy,
        transport_with(certificate.path, proxy=proxy.url) as transport,
    ):
        proxy.always(fakes.chat("hello"))

        assert b"hello" in send(transport, "http://10.0.0.7:8001").body

        assert proxy.requests[0].path == "http://10.0.0.7:8001/v1/x"
        assert proxy.requests[0].headers["host"] == "10.0.0.7:8001"


def test_a_proxy_that_refuses_is_unavailable(certificate, tls_upstream):
    with (
        Upstream() as proxy,
        transport_with(certificate.path, proxy=proxy.url) as transport,
    ):
        proxy.always(fakes.status(403))

        with pytest.raises(LLMUnavailable) as caught:
            send(transport, tls_upstream.url)

    assert "proxy" in caught.value.details
    assert tls_upstream.connections == 0


def test_a_proxy_that_is_not_there_is_unavailable(certificate, tls_upstream):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        dead = f"http://127.0.0.1:{listener.getsockname()[1]}"

    with (
        transport_with(certificate.path, proxy=dead) as transport,
        pytest.raises(LLMUnavailable) as caught,
    ):
        send(transport, tls_upstream.url)

    assert "proxy" in caught.value.details


def test_a_proxy_that_drips_ends_with_the_connect_time_out(certificate, tls_upstream):
    with (
        Upstream() as proxy,
        transport_with(
            certificate.path, proxy=proxy.url, connect_seconds=0.3
        ) as transport,
    ):
        proxy.always(fakes.drip(b"HTTP/1.1 200 " + b"x" * 1000, 0.01))

        with Timed() as took, pytest.raises(LLMUnavailable):
            send(transport, tls_upstream.url)

        assert 0.3 <= took.seconds < 2
        assert proxy.wait_for_hang_up()


def test_a_kind_of_proxy_that_is_not_known_is_unavailable(certificate):
    with (
        transport_with(certificate.path, proxy="socks5://127.0.0.1:1") as transport,
        pytest.raises(LLMUnavailable),
    ):
        send(transport, "https://127.0.0.1:1")
