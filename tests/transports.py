"""How the tests of the transport make one and send with it."""

import contextlib
import time
from collections.abc import Iterator

from flaskllm.core.clock import Deadline, SystemClock
from flaskllm.net.transport import HttpReply, HttpRequest, Transport

OK = b"HTTP/1.1 200 OK\r\n"


def make_transport(
    *, connect_seconds=2.0, proxy=None, ca_bundle=None, max_reply_bytes=1_000_000
) -> Transport:
    """Return a transport that keeps four idle connections."""
    return Transport(
        pool_size=4,
        connect_timeout_seconds=connect_seconds,
        proxies=lambda url: proxy,
        ca_bundle=ca_bundle and str(ca_bundle),
        max_reply_bytes=max_reply_bytes,
    )


@contextlib.contextmanager
def transport_with(ca_bundle, **settings) -> Iterator[Transport]:
    """Lend a transport that trusts these certificates (None: the usual ones)."""
    made = make_transport(ca_bundle=ca_bundle, **settings)
    yield made
    made.close()


def send(transport, url, seconds=5.0, body=b"{}", **more) -> HttpReply:
    """Return the reply to a POST that has so many seconds."""
    headers = {"Content-Type": "application/json", "Authorization": "Bearer sk"}
    request = HttpRequest("POST", url + "/v1/x", headers, body)
    deadline = Deadline.after(seconds, SystemClock())
    return transport.send(request, deadline=deadline, **more)


class Timed:
    """A `with` block and how many seconds it took."""

    def __enter__(self) -> "Timed":
        self._began = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._began
