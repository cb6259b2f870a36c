"""A reply whose body is taken as it comes, and never waited for in mid-frame."""

import contextlib
import socket
from http import HTTPStatus
from http.client import HTTPResponse
from typing import Any

from flaskllm.net.framing import Chunked, Framing, Sized, Unsized

_RECEIVE_BYTES = 64 * 1024


class WatchedReply(HTTPResponse):
    """A reply on a watched socket: the head is read as ever, the body by `receive`."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        """Read nothing yet."""
        super().__init__(sock, *arguments, **options)
        self._socket = sock
        self._framing: Framing = Unsized()
        self._may_be_ahead = True

    def begin(self) -> None:
        """Read the head of the answer; what was said before it is passed over."""
        super().begin()
        # `http.client` knows 100 alone, and takes any other for the answer itself.
        while self.status < 200 and self.status != HTTPStatus.SWITCHING_PROTOCOLS:
            self.headers = None  # type: ignore[assignment]  # as before the first
            super().begin()
        if self.chunked:
            self._framing = Chunked()
        elif self.length is not None:
            self._framing = Sized(self.length)

    def receive(self) -> bytes | None:
        """Return what is there of the body, waiting only when nothing is.

        Returns:
            The bytes, all that one look at the wire brought; none at the end;
            None when the wait was over before, or brought nothing of the body.

        Raises:
            HTTPException: The body breaks off or is not valid.
            APIError: What the current watch raises.
        """
        if self.isclosed():
            return b""
        try:
            body = self._take()
        except BlockingIOError:
            return None
        if not self._framing.is_complete:
            return body or None
        self._let_go()
        return body

    def _take(self) -> bytes:
        if self._framing.is_complete:
            return b""
        data = self._receive()
        if not data:
            self._framing.end()
        return self._framing.feed(data)

    def _receive(self) -> bytes:
        """Return the next bytes; those that came with the head lie elsewhere."""
        if self._may_be_ahead:
            self._may_be_ahead = False
            ahead = self.fp.read1(_RECEIVE_BYTES)
            if ahead:
                return ahead
        return self._socket.recv(_RECEIVE_BYTES)

    def _let_go(self) -> None:
        """Let the connection be used again, unless more came than a reply."""
        if self._framing.has_surplus:
            # The pool looks before it lends, and finds it dead.
            with contextlib.suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        self.close()
