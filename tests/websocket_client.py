"""WebSockets from the outside: a real client, and one that breaks the rules."""

import base64
import contextlib
import json
import os
import socket
from typing import Any
from urllib.parse import urlsplit

from simple_websocket import Client, ConnectionClosed
from wsproto.frame_protocol import FrameProtocol, Opcode

ADDRESS = "/api/v1/chat/ws"
SECONDS = 10.0


class Talker:
    """A client that speaks in JSON; use it in a `with` statement."""

    def __init__(self, url: str, token: str | None = None, **headers: str):
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        self._client = Client(f"{url}{ADDRESS}", headers=headers)

    def __enter__(self) -> "Talker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def send(self, **frame: Any) -> None:
        """Send one frame."""
        self._client.send(json.dumps(frame))

    def send_raw(self, data: str | bytes) -> None:
        """Send this as it is, as text or as bytes."""
        self._client.send(data)

    def next(self, seconds: float = SECONDS) -> dict[str, Any]:
        """Return the next event."""
        message = self._client.receive(timeout=seconds)
        assert message is not None, "no event came in time"
        return json.loads(message)

    def turn(self, **frame: Any) -> list[dict[str, Any]]:
        """Send one frame, and return its events to the last."""
        self.send(**frame)
        return self.rest()

    def rest(self) -> list[dict[str, Any]]:
        """Return the events up to the one that ends the turn."""
        events = [self.next()]
        while events[-1]["event"] == "token":
            events.append(self.next())
        return events

    def closed(self, seconds: float = SECONDS) -> int:
        """Return the code with which the server closed, after what it still said."""
        while True:
            try:
                message = self._client.receive(timeout=seconds)
            except ConnectionClosed as ended:
                self._client.thread.join(seconds)
                return int(ended.reason)
            assert message is not None, "the server did not close in time"

    def hang_up(self) -> None:
        """Close the socket without a word."""
        self._client.sock.shutdown(socket.SHUT_RDWR)
        self._client.thread.join(SECONDS)

    def close(self) -> None:
        """Close in good order, if it is still open."""
        with contextlib.suppress(ConnectionClosed, OSError):
            self._client.close()
        self._client.thread.join(SECONDS)


def text_of(events: list[dict[str, Any]]) -> str:
    """Return the words that the token events say."""
    return "".join(each["text"] for each in events if each["event"] == "token")


def handshake(
    url: str,
    token: str | None = None,
    *,
    path: str = ADDRESS,
    query: str = "",
    **headers: str,
) -> socket.socket:
    """Return a connection on which a WebSocket was asked for."""
    place = urlsplit(url)
    said = {
        "Host": place.netloc,
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        **({"Authorization": f"Bearer {token}"} if token else {}),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"{name}: {value}" for name, value in said.items() if value]
    head = "\r\n".join([f"GET {path}{query} HTTP/1.1", *lines, "", ""])
    connection = socket.create_connection((place.hostname, place.port), SECONDS)
    connection.sendall(head.encode("latin-1"))
    return connection


def read_head(connection: socket.socket) -> str:
    """Return the status line and the headers of a reply."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            break
        head += byte
    return head.decode("latin-1")


def frame(opcode: Opcode, payload: bytes, *, is_last: bool = True) -> bytes:
    """Return one masked frame."""
    protocol = FrameProtocol(client=True, extensions=[])
    return protocol._serialize_frame(opcode, payload, is_last)


def close_code(connection: socket.socket) -> int | None:
    """Return the code of the close frame that comes, None when none does."""
    protocol = FrameProtocol(client=True, extensions=[])
    while data := connection.recv(65536):
        protocol.receive_bytes(data)
        for received in protocol.received_frames():
            if received.opcode is Opcode.CLOSE:
                return int(received.payload[0])
    return None
