"""How the tests of the transport make one and send with it."""

import contextlib
import time
from collections.abc import Iterator

from flaskllm.core.clock import Deadline, SystemClock
from flaskllm.core.errors import LLMAPIError
from flaskllm.net.transport import HttpReply, HttpRequest, HttpStream, Transport

OK = b"HTTP/1.1 200 OK\r\n"


def make_transport(
    *,
    connect_seconds=2.0,
    proxy=None,
    ca_bundle=None,
    max_reply_bytes=1_000_000,
    max_stream_bytes=50_000_000,
) -> Transport:
    """Return a transport that keeps four idle connections."""
    return Transport(
        pool_size=4,
        connect_timeout_seconds=connect_seconds,
        proxies=lambda url: proxy,
        ca_bundle=ca_bundle and str(ca_bundle),
        max_reply_bytes=max_reply_bytes,
        max_stream_bytes=max_stream_bytes,
    )


@contextlib.contextmanager
def transport_with(ca_bundle, **settings) -> Iterator[Transport]:
    """Lend a transport that trusts these certificates (None: the usual ones)."""
    made = make_transport(ca_bundle=ca_bundle, **settings)
    yield made
    made.close()


def send(transport, url, seconds=5.0, body=b"{}", **more) -> HttpReply:
    """Return the reply to a POST that has so many seconds."""
    deadline = Deadline.after(seconds, SystemClock())
    return transport.send(_post(url, body), deadline=deadline, **more)


def open_stream(transport, url, seconds=5.0, **more) -> HttpStream:
    """Return the reply to a POST that has so many seconds, once its head is there."""
    deadline = Deadline.after(seconds, SystemClock())
    return transport.open(_post(url, b"{}"), deadline=deadline, **more)


def opened(transport, url, seconds=5.0, **more) -> contextlib.closing[HttpStream]:
    """Lend the same for a `with` block."""
    return contextlib.closing(open_stream(transport, url, seconds, **more))


def read_all(stream, gap_seconds=3.0) -> bytes:
    """Return the body of a stream to its end."""
    return b"".join(iter(lambda: stream.read(gap_seconds=gap_seconds), b""))


def read_and_fail(transport, url, gap_seconds=3.0, **more):
    """Return what a stream gave, and the error that ended it (None: its end)."""
    given = b""
    with opened(transport, url, **more) as stream:
        try:
            while piece := stream.read(gap_seconds=gap_seconds):
                given += piece
        except LLMAPIError as error:
            assert stream.read(gap_seconds=1) == b""
            return given, error
    return given, None


def read_until(stream, end: bytes, gap_seconds=3.0) -> bytes:
    """Return the body of a stream up to these bytes, which end it for us."""
    body = b""
    while not body.endswith(end):
        piece = stream.read(gap_seconds=gap_seconds)
        assert piece, f"the stream ended before {end!r}"
        body += piece
    return body


def _post(url, body) -> HttpRequest:
    headers = {"Content-Type": "application/json", "Authorization": "Bearer sk"}
    return HttpRequest("POST", url + "/v1/x", headers, body)


class Timed:
    """A `with` block and how many seconds it took."""

    def __enter__(self) -> "Timed":
        self._began = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._began
