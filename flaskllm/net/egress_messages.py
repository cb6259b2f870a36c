"""What is asked on the way out, and what comes back."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from flaskllm.net.egress_connect import FOREIGN
from flaskllm.net.egress_url import CalledUrl
from flaskllm.net.replies import WatchedReply


@dataclass(frozen=True, slots=True)
class EgressRequest:
    """What is asked, and where. Without a `body` none is sent.

    `headers` are sent besides our own, which are left out here: Host, Connection,
    Content-Length, Accept-Encoding.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class EgressReply:
    """What a receiver answered, whatever it was; a redirect is just its status.

    Attributes:
        status: From 101 on, three digits.
        retry_after_seconds: The wait it asks for, 0 to 86400; None when it does not.
        location: Where a redirect leads, as it was written.
        body: What was fetched; empty of a callback.
    """

    status: int
    retry_after_seconds: float | None
    location: str | None = field(default=None, repr=False)
    body: bytes = field(default=b"", repr=False)


Reader = Callable[[WatchedReply], bytes]
"""Reads the body of a reply whose head is there, and returns what is kept of it."""


def own_headers(called: CalledUrl, body: bytes | None) -> Mapping[str, str]:
    """Return the headers that nobody else may set."""
    own = {
        "Host": called.authority,
        "Connection": "close",
        "Accept-Encoding": "identity",
    }
    return own if body is None else {**own, "Content-Length": str(len(body))}


def read_out(reply: WatchedReply) -> bytes:
    """Read and drop the body; how that ends changes nothing any more."""
    with suppress(*FOREIGN):
        while reply.receive() != b"":
            pass
    return b""


def read_all(reply: WatchedReply) -> bytes:
    """Return the body, which came whole; the watch says how long it may be.

    Raises:
        Exception: One of `FOREIGN`; it did not.
    """
    pieces: list[bytes] = []
    while (piece := reply.receive()) != b"":
        pieces.append(piece or b"")
    return b"".join(pieces)
