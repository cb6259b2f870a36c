"""Hostile bytes on the wire of a real gunicorn: framing, lengths, memory."""

import contextlib
import re
import socket
from pathlib import Path

import pytest
from processes import exchange, open_house, post, read_all, statuses_of

from flaskllm.core.config import ServerSettings

MEBIBYTE = 1024 * 1024
BODY_LIMIT = 10 * MEBIBYTE
FORMS = b"Host: localhost\r\nContent-Type: text/plain\r\n"
PROMPT = b"Please call Ben on Friday, 9 October."


class Served:
    """A gateway behind gunicorn, and the ways to talk to it in bytes."""

    def __init__(self, started, url, token):
        self.started, self.url, self.token = started, url, token
        host, port = url.removeprefix("http://").split(":")
        self.address = (host, int(port))

    def send(self, sent, **options):
        return exchange(self.address, sent.replace(b"TOKEN", self.token), **options)

    def ask(self, sent):
        """Return the answer to a request whose body never comes, within seconds."""
        with socket.create_connection(self.address, timeout=4) as connection:
            connection.sendall(sent.replace(b"TOKEN", self.token))
            received = b""
            while not received.endswith(b"}\n"):
                received += connection.recv(65536)
            return received

    def rss(self):
        """Return the memory of the worker in bytes."""
        (worker,) = self.started.workers()
        status = Path(f"/proc/{worker}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024

    def answered(self):
        """Return the statuses of all requests that reached the application."""
        lines = self.started.events("request_answered")
        return [line["status"] for line in lines]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    with open_house(tmp_path_factory.mktemp("sockets")) as house:
        house.write_settings("limits: {authentication_failures_per_minute: 100000}\n")
        token = house.make_token()
        started, url = house.serve()
        assert post(url, token, PROMPT, "text/plain").status_code == 200
        yield Served(started, url, token.encode())


@pytest.fixture(autouse=True)
def _lives_on(served):
    """After every test the same worker still answers."""
    workers = served.started.workers()
    yield
    good = post(served.url, served.token.decode(), PROMPT, "text/plain")
    assert good.status_code == 200
    assert served.started.workers() == workers


def head_of(*lines, target=b"/api/v1/webhook", with_token=True):
    """Return the head of a POST with these lines besides the usual ones."""
    proof = b"Authorization: Bearer TOKEN\r\n" if with_token else b""
    extra = b"".join(line + b"\r\n" for line in lines)
    return b"POST " + target + b" HTTP/1.1\r\n" + FORMS + proof + extra + b"\r\n"


def send_endless(served):
    """Send a body until it is refused, and return by how much the worker grew."""
    head = head_of(b"Transfer-Encoding: chunked").replace(b"TOKEN", served.token)
    piece = b"10000\r\n" + b"x" * 65536 + b"\r\n"
    before, most, sent = served.rss(), 0, 0
    with socket.create_connection(served.address, timeout=20) as connection:
        connection.sendall(head)
        with contextlib.suppress(ConnectionError):
            for _ in range(1600):
                connection.sendall(piece)
                sent += 1
                most = max(most, served.rss())
        received = read_all(connection)
    assert statuses_of(received) in ([413], [])
    assert sent < 1600
    return most - before


class TestLengths:
    """A4: lengths that lie."""

    def test_ten_gigabytes_announced_are_413_before_a_byte_is_read(self, served):
        received = served.ask(head_of(b"Content-Length: 10737418240"))

        assert statuses_of(received) == [413]
        assert b"PAYLOAD_TOO_LARGE" in received

    def test_a_stranger_gets_401_before_a_byte_is_read(self, served):
        head = head_of(b"Content-Length: 10737418240", with_token=False)

        assert statuses_of(served.ask(head)) == [401]

    def test_an_endless_body_is_cut_at_the_cap_and_takes_no_memory(self, served):
        """100 MiB are on their way; ten of them are ever read, and held once.

        The rest of the margin is what a worker does meanwhile.
        """
        growths = [send_endless(served) for _ in range(3)]

        assert max(growths) <= 2 * BODY_LIMIT

    def test_a_body_shorter_than_announced_is_refused_when_it_ends(self, served):
        sent = head_of(b"Content-Length: 1000") + PROMPT

        received = served.send(sent, then_close=True)

        assert statuses_of(received) == [400]
        assert b"ended after 37 bytes" in received

    def test_a_body_longer_than_announced_is_no_second_request(self, served):
        smuggled = b"GET /api/v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
        sent = head_of(b"Content-Length: 5") + PROMPT + b"\r\n\r\n" + smuggled
        before = len(served.answered())

        received = served.send(sent, then_close=True)

        assert statuses_of(received)[0] == 200
        assert statuses_of(received)[1:] in ([400], [])
        served.started.wait_for(lambda: len(served.answered()) > before)
        assert len(served.answered()) == before + 1

    def test_a_body_that_comes_in_pieces_is_put_together(self, served):
        head = head_of(b"Content-Length: %d" % len(PROMPT))
        with socket.create_connection(served.address, timeout=20) as connection:
            connection.sendall(head.replace(b"TOKEN", served.token))
            for place in range(0, len(PROMPT), 8):
                connection.sendall(PROMPT[place : place + 8])
            first = connection.recv(65536)
        assert statuses_of(first) == [200]


SECOND = b"GET /api/v1/templates HTTP/1.1\r\nHost: localhost\r\n\r\n"
FRAMING = {
    "length and chunked": (
        head_of(b"Content-Length: 6", b"Transfer-Encoding: chunked")
        + b"0\r\n\r\n"
        + SECOND
    ),
    "an unknown coding": head_of(b"Transfer-Encoding: xchunked") + b"0\r\n\r\n",
    "chunked twice": (
        head_of(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked")
        + b"0\r\n\r\n"
    ),
    "chunked with a tab": head_of(b"Transfer-Encoding:\x0bchunked") + b"0\r\n\r\n",
    "identity and chunked": (
        head_of(b"Transfer-Encoding: identity, chunked, identity") + b"0\r\n\r\n"
    ),
    "two lengths": head_of(b"Content-Length: 5", b"Content-Length: 6") + b"hello!",
    "a list of lengths": head_of(b"Content-Length: 5, 6") + b"hello!",
    "a signed length": head_of(b"Content-Length: +5") + b"hello",
    "a negative length": head_of(b"Content-Length: -1") + b"hello",
    "a hexadecimal length": head_of(b"Content-Length: 0x5") + b"hello",
    "two hosts": head_of(b"Host: evil.example", b"Content-Length: 5") + b"hello",
    "a bare line feed": (
        b"POST /api/v1/webhook HTTP/1.1\nHost: localhost\nContent-Length: 0\n\n"
    ),
    "a bare line feed in a head": head_of(b"X-One: 1\nContent-Length: 5") + b"hello",
    "a chunk of 0x10": (
        head_of(b"Transfer-Encoding: chunked")
        + b"0x10\r\n"
        + b"x" * 16
        + b"\r\n0\r\n\r\n"
    ),
    "a chunk of -1": head_of(b"Transfer-Encoding: chunked") + b"-1\r\nx\r\n0\r\n\r\n",
    "a chunk that is too long": (
        head_of(b"Transfer-Encoding: chunked") + b"5\r\nhello world\r\n0\r\n\r\n"
    ),
    "a folded line": head_of(b"X-One: 1\r\n folded", b"Content-Length: 5") + b"hello",
    "a space before the colon": head_of(b"Content-Length : 5") + b"hello",
    "no name": head_of(b": 5", b"Content-Length: 5") + b"hello",
    "a NUL in a value": head_of(b"X-One: a\x00b", b"Content-Length: 5") + b"hello",
    "a return in a value": head_of(b"X-One: a\rb", b"Content-Length: 5") + b"hello",
    "no host": b"POST /api/v1/webhook HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
    "another protocol": b"POST /api/v1/webhook HTTP/9.9\r\nHost: h\r\n\r\n",
    "a request line of 64 kB": b"GET /"
    + b"a" * 65536
    + b" HTTP/1.1\r\nHost: h\r\n\r\n",
    "a header of 64 kB": head_of(b"X-One: " + b"a" * 65536),
    "1,000 headers": head_of(*(b"X-%d: 1" % n for n in range(1000))),
    "a target with a space": b"GET /api /x HTTP/1.1\r\nHost: h\r\n\r\n",
    "TLS on a plain port": bytes.fromhex("16030100a5010000a10303") + b"\x00" * 160,
    "nothing": b"\r\n\r\n",
}


class TestFraming:
    """A8: two readers of one request must not differ; so what is odd is refused."""

    @pytest.mark.parametrize("sent", FRAMING.values(), ids=FRAMING)
    def test_it_is_refused_and_the_connection_closed(self, served, sent):
        before = len(served.answered())

        received = served.send(sent, then_close=True)

        codes = statuses_of(received)
        assert all(400 <= code < 600 for code in codes)
        assert len(codes) <= 1
        assert 200 not in codes
        assert len(served.answered()) - before <= 1

    @pytest.mark.parametrize(
        "line",
        [
            b"X_Forwarded_For: 198.51.100.7",
            b"Content_Length: 5000",
            b"Transfer_Encoding: chunked",
            b"Authorization_: Bearer x",
        ],
    )
    def test_a_name_with_an_underscore_is_dropped(self, served, line):
        """WSGI could not tell it from the name with a dash."""
        length = b"Content-Length: %d" % len(PROMPT)

        received = served.send(head_of(line, length) + PROMPT, then_close=True)

        assert statuses_of(received) == [200]
        assert served.started.events("request_answered")[-1]["peer"] == "127.0.0.1"

    def test_what_follows_a_refused_request_is_not_served(self, served):
        before = len(served.answered())
        bad = head_of(b"Content-Length: 5", b"Content-Length: 6")

        received = served.send(bad + b"hello" + SECOND, then_close=True)

        assert statuses_of(received) == [400]
        assert len(served.answered()) == before

    def test_two_tokens_in_one_request_are_none(self, served):
        line = b"Authorization: Bearer TOKEN"

        received = served.send(head_of(line, b"Content-Length: 0"), then_close=True)

        assert statuses_of(received) in ([401], [400])

    @pytest.mark.parametrize(
        "value", [b"Bearer \x00", b"Bearer " + b"a" * 65536, b"Bearer \xff\xfe", b""]
    )
    def test_a_hostile_token_on_the_wire_opens_nothing(self, served, value):
        head = b"GET /api/v1/templates HTTP/1.1\r\nHost: localhost\r\nAuthorization: "

        received = served.send(head + value + b"\r\n\r\n", then_close=True)

        assert statuses_of(received) in ([400], [401], [431])


class TestAnswers:
    def test_no_header_names_the_software(self, served):
        for target in (b"/api/v1/health", b"/nowhere", b"/api/v1/templates"):
            received = served.send(
                b"GET " + target + b" HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
            )
            head = received.split(b"\r\n\r\n")[0].lower()
            assert b"gunicorn" not in head
            assert b"python" not in head
            assert b"x-powered-by" not in head

    def test_a_head_has_no_body_on_the_wire(self, served):
        received = served.send(
            b"HEAD /api/v1/health HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
        )
        assert received.endswith(b"\r\n\r\n")

    def test_an_old_probe_without_a_host_is_answered(self, served):
        received = served.send(b"GET /api/v1/health HTTP/1.0\r\n\r\n")

        assert received.startswith(b"HTTP/1.0 200") or b" 200 " in received

    def test_connections_that_say_nothing_shut_others_out_for_seconds_only(
        self, served
    ):
        """As many as there are threads; a proxy in front takes the rest."""
        with contextlib.ExitStack() as idle:
            for _ in range(ServerSettings().threads):
                idle.enter_context(socket.create_connection(served.address))
            good = post(served.url, served.token.decode(), PROMPT, "text/plain")
            assert good.status_code == 200
