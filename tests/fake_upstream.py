"""A scripted upstream: a real server on a real socket, one thread a connection.

Timeouts, hang-ups and broken framing are so what they are in life. The steps
that it answers with are in `fakes`.
"""

import contextlib
import json
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Received:
    """A request as the upstream read it; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Ended(Exception):
    """The connection is over, by whichever side."""


class Exchange:
    """One request, and the connection on which a step answers it."""

    def __init__(self, wire: "_Wire", request: Received):
        self.request = request
        self._wire = wire

    @property
    def socket(self) -> socket.socket:
        """Return the wire itself, for a step that breaks the rules of TLS."""
        return self._wire.socket

    def write(self, data: bytes) -> None:
        """Send `data`; raises `Ended` when the peer is gone."""
        self._wire.write(data)

    def wait(self, seconds: float | None = None) -> None:
        """Return after `seconds` (None: never); `Ended` when the peer is gone."""
        self._wire.wait(seconds)

    def close(self) -> None:
        """End the connection in good order (FIN)."""
        raise Ended

    def reset(self) -> None:
        """End the connection with a RST."""
        self._wire.socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        raise Ended


Step = Callable[[Exchange], None]


class Upstream:
    """A scripted server on 127.0.0.1; use it in a `with` statement.

    `listener` is where it accepts, a port of its own when left out.

    Attributes:
        requests: All that were read, in order.
        connections: How many were accepted.
        closed_by_peer: The monotonic moments at which our side hung up.
    """

    def __init__(
        self,
        tls: ssl.SSLContext | None = None,
        listener: socket.socket | None = None,
    ):
        self.requests: list[Received] = []
        self.connections = 0
        self.closed_by_peer: list[float] = []
        self._tls = tls
        self._always: Step = _nothing_is_scripted
        self._steps: deque[Step] = deque()
        self._changed = threading.Condition()
        self._stopping = False
        self._wires: set[_Wire] = set()
        self._threads: list[threading.Thread] = []
        self._listener = listener or socket.create_server(("127.0.0.1", 0))

    @property
    def url(self) -> str:
        """Return the address without a path."""
        scheme = "https" if self._tls else "http"
        return f"{scheme}://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        return self._listener.getsockname()[1]

    def script(self, *steps: Step) -> None:
        """Answer the next requests with these, one each."""
        with self._changed:
            self._steps.extend(steps)

    def always(self, step: Step) -> None:
        """Answer with this when nothing is scripted."""
        self._always = step

    def wait_for_requests(self, count: int, seconds: float = 5.0) -> bool:
        """Tell whether so many were read within `seconds`."""
        return self._wait(lambda: len(self.requests) >= count, seconds)

    def once_asked(self, do: Callable[[], object]) -> None:
        """Do something in another thread when the first request is here."""

        def wait_and_do() -> None:
            self.wait_for_requests(1)
            do()

        threading.Thread(target=wait_and_do).start()

    def wait_for_hang_up(self, count: int = 1, seconds: float = 5.0) -> bool:
        """Tell whether our side closed so many connections within `seconds`."""
        return self._wait(lambda: len(self.closed_by_peer) >= count, seconds)

    def __enter__(self) -> "Upstream":
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Close every connection and end every thread."""
        with self._changed:
            self._stopping = True
            for wire in self._wires:
                wire.shut_down()
        _shut_down(self._listener)
        for thread in self._threads:
            thread.join(timeout=5)
            assert not thread.is_alive(), "the upstream left a thread behind"
        self._listener.close()

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    def _start(self, run: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=run, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except OSError:
                return
            try:
                wire = _Wire(accepted, self._tls)
            except OSError:  # gone before TLS could begin
                accepted.close()
                continue
            with self._changed:
                self.connections += 1
                self._wires.add(wire)
                if self._stopping:
                    wire.shut_down()
            self._start(self._serve, wire)

    def _serve(self, wire: "_Wire") -> None:
        try:
            wire.greet()
            while True:
                request = wire.read_request()
                with self._changed:
                    self.requests.append(request)
                    step = self._steps.popleft() if self._steps else self._always
                    self._changed.notify_all()
                step(Exchange(wire, request))
        except Ended:
            pass
        finally:
            self._forget(wire)

    def _forget(self, wire: "_Wire") -> None:
        with self._changed:
            self._wires.discard(wire)
            if wire.peer_is_gone and not self._stopping:
                self.closed_by_peer.append(time.monotonic())
            self._changed.notify_all()
        wire.socket.close()


class _Wire:
    """A connection and what was read from it ahead of time."""

    def __init__(self, accepted: socket.socket, tls: ssl.SSLContext | None):
        self.peer_is_gone = False
        self.socket = accepted
        self._tls = tls
        self._ahead = b""
        if tls is not None:
            self.socket = tls.wrap_socket(
                accepted, server_side=True, do_handshake_on_connect=False
            )

    def greet(self) -> None:
        if self._tls is not None:
            self._unless_gone(lambda: self.socket.do_handshake())

    def write(self, data: bytes) -> None:
        self._unless_gone(lambda: self.socket.sendall(data))

    def wait(self, seconds: float | None) -> None:
        until = None if seconds is None else time.monotonic() + seconds
        try:
            while True:
                left = None if until is None else until - time.monotonic()
                if left is not None and left <= 0:
                    return
                self.socket.settimeout(left)
                self._ahead += self._read()
        except TimeoutError:
            return
        finally:
            self.socket.settimeout(None)

    def read_request(self) -> Received:
        while b"\r\n\r\n" not in self._ahead:
            self._ahead += self._read()
        head, _, self._ahead = self._ahead.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ")
        pairs = (line.split(":", 1) for line in lines)
        headers = {name.lower(): value.strip() for name, value in pairs}
        length = int(headers.get("content-length", "0"))
        while len(self._ahead) < length:
            self._ahead += self._read()
        body, self._ahead = self._ahead[:length], self._ahead[length:]
        return Received(method, path, headers, body)

    def shut_down(self) -> None:
        _shut_down(self.socket)

    def _read(self) -> bytes:
        data = self._unless_gone(lambda: self.socket.recv(65536))
        if not data:
            self.peer_is_gone = True
            raise Ended
        return data

    def _unless_gone(self, operation: Callable[[], Any]) -> Any:
        try:
            return operation()
        except TimeoutError:
            raise
        except OSError as error:
            self.peer_is_gone = True
            raise Ended from error


def _shut_down(sock: socket.socket) -> None:
    """Wake whoever reads from it, also through TLS."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _nothing_is_scripted(exchange: Exchange) -> None:
    exchange.write(b"HTTP/1.1 500 Nothing Is Scripted\r\nContent-Length: 2\r\n\r\n{}")
