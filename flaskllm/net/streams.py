"""A reply whose head is there, and whose body is read as it comes."""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

import requests

from flaskllm.core.errors import APIError, LLMProtocolError
from flaskllm.net.failures import FOREIGN, explain
from flaskllm.net.replies import WatchedReply
from flaskllm.net.sockets import WatchedConnection
from flaskllm.net.unpacking import CODINGS, Unpacker
from flaskllm.net.watch import Watch

# How long the end of a body that is as good as over may take, so that its
# connection can be used again.
_MOMENT_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What came back, with a status of 2xx, 4xx or 5xx; names in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Caps:
    """The most bytes of a body, unpacked: read whole, and read as a stream."""

    reply_bytes: int
    stream_bytes: int


class HttpStream:
    """One reply. Whoever has it closes it; threads do not share it.

    Attributes:
        status: 2xx, 4xx or 5xx.
        headers: Names in lower case, without cookies.
    """

    def __init__(
        self,
        response: requests.Response,
        watch: Watch,
        resources: contextlib.ExitStack,
        caps: Caps,
    ) -> None:
        """Take over an answer; `resources` are closed after it."""
        self.status = response.status_code
        self.headers = {
            name.lower(): value
            for name, value in response.raw.headers.itermerged()
            if name.lower() != "set-cookie"
        }
        self._reply = cast(WatchedConnection, response.raw.connection).reply
        resources.callback(_let_go, response, self._reply)
        self._watch = watch
        self._resources = resources
        self._caps = caps
        self._read_bytes = 0
        packed = self.headers.get("content-encoding", "").lower() in CODINGS
        self._unpacker = Unpacker() if packed else None
        self._is_closed = False

    def read(
        self, *, gap_seconds: float, tick_seconds: float | None = None
    ) -> bytes | None:
        """Return what came, waiting only when there is nothing.

        Args:
            gap_seconds: The longest silence; it counts over several reads.
            tick_seconds: How long this read may wait.

        Returns:
            The next bytes of the body; none at its end; None when
            `tick_seconds` went by without any.

        Raises:
            LLMTimeout: The silence was too long, or the deadline has passed.
            LLMProtocolError: The body broke off, is broken or too large.
            CallerGone: The caller hung up; the upstream was hung up on.
        """
        return self._read(gap_seconds, tick_seconds, self._caps.stream_bytes)

    def read_reply(self) -> HttpReply:
        """Return all that is left, and close.

        Raises:
            LLMTimeout: It was not there by the deadline.
            LLMProtocolError: It broke off, is broken or too large.
            CallerGone: The caller hung up; the upstream was hung up on.
        """
        body = bytearray()
        while piece := self._read(None, None, self._caps.reply_bytes):
            body += piece
            if self._reply.isclosed() and self._unpacker is None:
                break
        self.close()
        return HttpReply(self.status, self.headers, bytes(body))

    def close(self) -> None:
        """Let go of the connection; it may be done twice.

        One whose body has ended, or ends within a moment, is used again.
        """
        if not (self._is_closed or self._reply.isclosed()):
            with contextlib.suppress(APIError):
                self._read(None, _MOMENT_SECONDS, self._caps.stream_bytes)
        self._let_go()

    def _read(
        self, gap_seconds: float | None, tick_seconds: float | None, most_bytes: int
    ) -> bytes | None:
        if self._is_closed:
            return b""
        try:
            with self._watch.patient(gap_seconds, tick_seconds):
                data = self._take()
                while data is None and not self._watch.ticked():
                    data = self._take()
        except FOREIGN as error:
            self._let_go()
            raise explain(error, has_reply=True) from error
        except BaseException:
            self._let_go()
            raise
        if data:
            self._count(len(data), most_bytes)
        elif data is not None:
            self._let_go()
        return data

    def _take(self) -> bytes | None:
        """Return bytes of the body, none at its end, or None for nothing yet."""
        unpacker = self._unpacker
        if unpacker is None:
            return self._reply.receive()
        if unpacker.needs_more:
            packed = self._reply.receive()
            if packed is None:
                return None
            if not packed:
                unpacker.end()
                return b""
            unpacker.feed(packed)
        return unpacker.read() or None

    def _count(self, n_bytes: int, most_bytes: int) -> None:
        self._read_bytes += n_bytes
        if self._read_bytes > most_bytes:
            self._let_go()
            raise LLMProtocolError(
                details=f"The upstream's answer is larger than {most_bytes} bytes."
            )

    def _let_go(self) -> None:
        self._is_closed = True
        self._resources.close()


def _let_go(response: requests.Response, reply: WatchedReply) -> None:
    """Give the connection back when its reply was read to the end, else close it.

    Nobody keeps the response: it holds the pool, and a pool that nobody holds
    closes what is idle in it.
    """
    if reply.isclosed():
        response.raw.release_conn()
    response.close()
