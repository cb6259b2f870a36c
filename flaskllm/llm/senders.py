"""What the router needs of the network: a reply, or a stream of bytes."""

import socket
from collections.abc import Mapping
from typing import Protocol

from flaskllm.core.clock import Deadline
from flaskllm.net.transport import HttpReply, HttpRequest


class ByteStream(Protocol):
    """A reply whose headers are there and whose body is still to come."""

    @property
    def status(self) -> int:
        """Return the HTTP status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Return the headers, their names in lower case."""
        ...

    def read(
        self, *, gap_seconds: float, tick_seconds: float | None = None
    ) -> bytes | None:
        """Return the next bytes, empty at the end, None after a silent tick.

        Raises:
            LLMTimeout: Silence for `gap_seconds`, or the deadline passed.
            LLMProtocolError: The body is broken or too large.
            LLMUnavailable: The connection broke.
            CallerGone: Nobody waits for the answer any more.
        """
        ...

    def close(self) -> None:
        """Let go of the connection; more than once is fine."""
        ...


class Sender(Protocol):
    """What carries a request to one upstream and brings the reply."""

    def send(
        self,
        request: HttpRequest,
        *,
        deadline: Deadline,
        caller: socket.socket | None = None,
        first_byte_seconds: float | None = None,
    ) -> HttpReply:
        """Return the whole reply, whatever its status.

        Raises:
            LLMTimeout: The deadline passed, or the connect time-out.
            LLMUnavailable: The upstream cannot be reached, or hung up.
            LLMProtocolError: What came is not HTTP, or too large.
            CallerGone: Nobody waits for the answer any more.
        """
        ...

    def open(
        self,
        request: HttpRequest,
        *,
        deadline: Deadline,
        caller: socket.socket | None = None,
        first_byte_seconds: float | None = None,
        head_seconds: float | None = None,
    ) -> ByteStream:
        """Return once the headers are there, in `head_seconds` at the latest.

        Raises what `send` raises.
        """
        ...
