"""The way out through a proxy that the operator trusts."""

import socket
import threading

import fakes
import pytest
from certificates import Certificate
from egress_ways import Told, make_egress
from fakes import Upstream

from flaskllm.net.egress import EgressFailed, EgressRefused, Failure
from flaskllm.net.egress_connect import Proxy


@pytest.fixture
def proxy_server():
    with Upstream() as server:
        yield server


def through(server, told=None, user="", **settings):
    proxy = Proxy.from_url(f"http://{user}127.0.0.1:{server.port}")
    told = told or Told({"127.0.0.1": ["127.0.0.1"]})
    return make_egress(proxy=proxy, names=told.names, **settings)


def tunnel_to(port):
    """Answer CONNECT, then pass everything on to a port of this machine."""

    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def step(exchange):
        exchange.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port)) as inner:
            back = threading.Thread(target=pump, args=(inner, exchange.socket))
            back.start()
            pump(exchange.socket, inner)
            back.join()
        exchange.close()

    return step


def test_https_goes_through_a_tunnel_and_its_name_is_looked_up_there(
    proxy_server, tmp_path
):
    shown = Certificate(tmp_path, dns_name="hooks.example")
    told = Told({"127.0.0.1": ["127.0.0.1"]})
    with Upstream(tls=shown.server) as receiver:
        receiver.always(fakes.status(202))
        proxy_server.always(tunnel_to(receiver.port))
        egress = through(proxy_server, told, "me:w%40rd@", ca_bundle=str(shown.path))

        reply = egress.post("https://hooks.example/x", {}, b"{}")

        assert reply.status == 202
        assert receiver.requests[0].path == "/x"
        assert "proxy-authorization" not in receiver.requests[0].headers
    [seen] = proxy_server.requests
    assert (seen.method, seen.path) == ("CONNECT", "hooks.example:443")
    assert seen.headers == {
        "host": "hooks.example:443",
        "proxy-authorization": "Basic bWU6d0ByZA==",
    }
    assert told.asked == ["127.0.0.1"]


def test_http_is_asked_of_the_proxy_by_its_whole_url(proxy_server):
    proxy_server.always(fakes.status(200))

    assert through(proxy_server).post("http://hooks.example/x?y", {}, b"").status == 200

    [seen] = proxy_server.requests
    assert (seen.method, seen.path) == ("POST", "http://hooks.example/x?y")
    assert seen.headers["host"] == "hooks.example"


def test_a_proxy_that_does_not_want_to_is_a_failure(proxy_server):
    proxy_server.always(fakes.status(403))

    with pytest.raises(EgressFailed) as caught:
        through(proxy_server).post("https://hooks.example/", {}, b"")

    assert caught.value.reason is Failure.PROXY


@pytest.mark.parametrize(
    "url", ["https://10.1.2.3/", "https://localhost/", "https://127.1/"]
)
def test_what_a_text_tells_is_refused_before_the_proxy_hears_of_it(proxy_server, url):
    with pytest.raises(EgressRefused):
        through(proxy_server).post(url, {}, b"")

    assert proxy_server.connections == 0


@pytest.mark.parametrize(
    "text",
    [
        "proxy.example:3128",
        "https://proxy.example:3128",
        "http://proxy.example",
        "http://proxy.example:0",
        "http://proxy.example:99999",
        "http://proxy.example:3128/x",
        "http://proxy.example:3128/?x",
        "",
    ],
)
def test_what_is_no_proxy_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        Proxy.from_url(text)


def test_a_password_of_a_proxy_is_not_in_its_text_form():
    assert "Basic" not in repr(Proxy.from_url("http://me:word@proxy.example:3128/"))
