"""A WebSocket on the socket of a WSGI server: what simple-websocket leaves open.

It reads in a thread of its own, without an end to the number of frames, and closes
a socket that the server still holds. Here the socket stays the server's, sending
takes turns and has a time-out, and frames are counted.
"""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Protocol

from simple_websocket import ConnectionClosed
from simple_websocket.ws import LocalProtocolError

from flaskllm.api.callers import limit_sends
from flaskllm.core.clock import Clock

# RFC 6455, section 7.4.1; 4000 and above are ours.
NORMAL_CLOSURE: Final = 1000
GOING_AWAY: Final = 1001
UNSUPPORTED_DATA: Final = 1003
POLICY_VIOLATION: Final = 1008
MESSAGE_TOO_BIG: Final = 1009
INTERNAL_ERROR: Final = 1011
TRY_AGAIN_LATER: Final = 1013
SIGN_IN_REQUIRED: Final = 4401
FORBIDDEN: Final = 4403

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class WebSocketLimits:
    """What one connection may take.

    Attributes:
        sign_in_seconds: Until the first frame has proven who speaks.
        idle_seconds: Without a turn.
        message_bytes: One message, all its frames together, in UTF-8.
        frames: That may come at once, pings included; `frames_per_second` more
            each second.
        waiting_messages: That may lie there unread.
        send_seconds: Without the peer reading a byte of what we send.
        ping_seconds: Between our pings; the one before must have been answered.
        goodbye_seconds: For the peer to answer our closing.
        look_seconds: Between two looks whether the server is stopping.
    """

    sign_in_seconds: float = 10.0
    idle_seconds: float = 600.0
    message_bytes: int = _MEBIBYTE
    frames: int = 200
    frames_per_second: float = 20.0
    waiting_messages: int = 8
    send_seconds: int = 20
    ping_seconds: float = 25.0
    goodbye_seconds: float = 2.0
    look_seconds: float = 1.0


class Gone(Exception):
    """The connection is over, by whichever side."""


class Wire:
    """The server's socket, as a WebSocket may use it.

    Attributes:
        is_broken: Something could not be sent; nothing more will be.
    """

    def __init__(self, sock: socket.socket, send_seconds: int) -> None:
        """Make sending fail when the peer reads nothing for `send_seconds`."""
        self.is_broken = False
        self._socket = sock
        self._is_open = threading.Event()
        self._sending = threading.Lock()
        limit_sends(sock, send_seconds)

    def fileno(self) -> int:
        """Return the descriptor, to wait on."""
        return self._socket.fileno()

    def open(self) -> None:
        """Let reading begin: the reading thread starts before it can be counted."""
        self._is_open.set()

    def recv(self, count: int) -> bytes:
        """Return what comes next; empty at the end."""
        self._is_open.wait()
        return self._socket.recv(count)

    def send(self, data: bytes) -> int:
        """Send all of `data`; if that fails, the reading end learns it at once.

        The reading thread answers pings, so there are two who send.
        """
        try:
            with self._sending:
                self._socket.sendall(data)
        except OSError:
            self.is_broken = True
            self.shut_down()
        return len(data)

    def close(self) -> None:
        """Leave the socket open: its server closes it, and knows its number."""

    def shut_down(self) -> None:
        """Wake whoever reads, for good."""
        self._is_open.set()
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:  # it is over already
            return


class Server(Protocol):
    """What we use of a `simple_websocket.Server`.

    Attributes:
        ws: The protocol's state: `receive_data`, `send`, `events`.
        sock: The wire.
        thread: Reads the wire.
        input_buffer: The messages that were not received yet.
    """

    ws: Any
    sock: Any
    thread: threading.Thread
    input_buffer: list[Any]
    connected: bool
    close_reason: Any

    def receive(self, timeout: float | None = None) -> str | bytes | None:
        """Return the next message; None when none came in time."""
        ...

    def send(self, data: str) -> None:
        """Send one message."""
        ...

    def close(self, reason: int | None = None, message: str | None = None) -> None:
        """Begin to close."""
        ...


class Counted:
    """The protocol's state of a connection, whose frames have limits."""

    def __init__(self, server: Server, limits: WebSocketLimits, clock: Clock) -> None:
        """Count from now on."""
        self._server = server
        self._state = server.ws
        self._limits = limits
        self._clock = clock
        self._left = float(limits.frames)
        self._at_seconds = clock.monotonic()
        self._message_bytes = 0

    def receive_data(self, data: bytes) -> None:
        """Take bytes from the wire."""
        self._state.receive_data(data)

    def send(self, event: Any) -> bytes:
        """Return the bytes of an event, for the wire.

        Raises:
            ConnectionAbortedError: The connection is being closed: the other
                thread was quicker.
        """
        try:
            data: bytes = self._state.send(event)
        except LocalProtocolError as error:
            raise ConnectionAbortedError from error
        return data

    def events(self) -> Iterator[Any]:
        """Give what came.

        Raises:
            ConnectionAbortedError: It is over a limit; the connection was closed.
        """
        for event in self._state.events():
            self._count_frame(event)
            self._count_bytes(event)
            yield event

    def _count_frame(self, event: Any) -> None:
        # A part of a data frame is an event too, only its last one ends the frame.
        if not getattr(event, "frame_finished", True):
            return
        now_seconds = self._clock.monotonic()
        gained = (now_seconds - self._at_seconds) * self._limits.frames_per_second
        self._at_seconds = now_seconds
        self._left = min(float(self._limits.frames), self._left + gained) - 1
        if self._left < 0:
            self._refuse(POLICY_VIOLATION, "too many frames")

    def _count_bytes(self, event: Any) -> None:
        is_finished = getattr(event, "message_finished", None)
        if is_finished is None:  # a control frame: 125 bytes at most
            return
        self._message_bytes += _length_of(event.data)
        if self._message_bytes > self._limits.message_bytes:
            self._refuse(MESSAGE_TOO_BIG, "the message is too long")
        if not is_finished:
            return
        self._message_bytes = 0
        if len(self._server.input_buffer) >= self._limits.waiting_messages:
            self._refuse(POLICY_VIOLATION, "too many messages at once")

    def _refuse(self, code: int, message: str) -> None:
        with suppress(ConnectionClosed, OSError):
            self._server.close(code, message)
        self._server.close_reason = code
        raise ConnectionAbortedError(message)


def _length_of(data: str | bytes | bytearray) -> int:
    return len(data.encode("utf-8") if isinstance(data, str) else data)
