"""Who may open a WebSocket, and how many: all that is checked before it is one."""

import binascii
import threading
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, request

from flaskllm.api import guard
from flaskllm.api.websocket_threads import ReadyThread
from flaskllm.api.websocket_wire import WebSocketLimits, Wire
from flaskllm.core.config import ServerSettings
from flaskllm.core.errors import (
    InvalidInputError,
    PermissionDenied,
    RateLimitExceeded,
    UpgradeRequired,
)

EXTENSION: Final = "flaskllm.websocket"
# Where the servers that can do it put their socket.
SOCKETS: Final = ("gunicorn.socket", "werkzeug.socket")

_INSTEAD: Final = (
    "The same events stream over plain HTTP (SSE): POST /api/v1/chat/stream, or POST "
    '/v1/responses with "stream": true.'
)
_VERSION: Final = "13"  # RFC 6455, section 4.1
_KEY_BYTES: Final = 16
_READ_BYTES: Final = 65536
_RETRY_AFTER_SECONDS: Final = 5.0
# All that the handshake needs. What else a caller says could only break it, and
# an extension that is not offered is not used: no compression.
_HANDSHAKE: Final = frozenset(
    {
        "HTTP_HOST",
        "HTTP_CONNECTION",
        "HTTP_UPGRADE",
        "HTTP_SEC_WEBSOCKET_KEY",
        "HTTP_SEC_WEBSOCKET_VERSION",
    }
)


class Door:
    """What stands before every WebSocket of an app.

    Attributes:
        limits: What one connection may take.
        is_stopping: Tells whether the server wants to end.
    """

    def __init__(self, server: ServerSettings, limits: WebSocketLimits) -> None:
        """Keep one thread free for other requests, and most of them of strangers."""
        self.limits = limits
        self.is_stopping: Callable[[], bool] = lambda: False
        self._own_origins = frozenset(map(_normal, server.allowed_origins))
        self._seats = _Seats(max(1, server.threads - 1), max(1, server.threads // 4))

    def check(self) -> None:
        """Return when the request is none, or may become a WebSocket.

        Raises:
            UpgradeRequired: This server cannot do it.
            InvalidInputError: The handshake is not that of RFC 6455.
            PermissionDenied: A web page of a foreign origin asks.
            RateLimitExceeded: Too many are open.
            ServiceUnavailable: The system gives no thread for it; a retry may help.
        """
        rule = request.url_rule
        if rule is None or not rule.websocket:
            return
        key = next((each for each in SOCKETS if each in request.environ), None)
        if key is None:
            raise upgrade_required("this server cannot open one")
        _check_handshake()
        self._check_origin()
        g.websocket_seat = self._seats.take(is_proven=guard.is_signed_in())
        g.websocket_thread = ReadyThread()
        sock = request.environ[key]
        request.environ[key] = Wire(sock, self.limits.send_seconds)
        _strip(request.environ)

    def prove(self) -> None:
        """Note that the caller of this request has signed in."""
        g.websocket_seat.prove()

    def leave(self, error: BaseException | None) -> None:
        """Give back the seat of this request and its thread, if it has them."""
        for held in ("websocket_thread", "websocket_seat"):
            if held in g:
                g.pop(held).leave()

    def _check_origin(self) -> None:
        """Refuse pages of other sites: a browser would let them connect."""
        origin = request.headers.get("Origin")
        if origin is None or _normal(origin) in self._own_origins:
            return
        try:
            parts = urlsplit(origin.lower())
            is_own = parts.netloc == request.host.lower()
        except ValueError:
            is_own = False
        if not is_own:
            raise PermissionDenied(
                "A page of another site may not open a WebSocket here.",
                details="The Origin header names a foreign site; "
                "server.allowed_origins lists those that may.",
            )


def init(app: Flask, server: ServerSettings) -> None:
    """Check every WebSocket of `app`; comes after the guard."""
    door = Door(server, WebSocketLimits())
    app.extensions[EXTENSION] = door
    app.config["SOCK_SERVER_OPTIONS"] = {  # of flask-sock
        "ping_interval": door.limits.ping_seconds,
        "receive_bytes": _READ_BYTES,
        "thread_class": lambda target: g.websocket_thread.to_do(target),
    }
    app.before_request(door.check)
    app.after_request(_name_protocol)
    app.teardown_request(door.leave)


def door_here() -> Door:
    """Return the door of this app."""
    door: Door = current_app.extensions[EXTENSION]
    return door


def end_with(app: Flask, is_stopping: Callable[[], bool]) -> None:
    """Let the WebSockets of `app` close between turns once `is_stopping` says so."""
    app.extensions[EXTENSION].is_stopping = is_stopping


def upgrade_required(why: str) -> UpgradeRequired:
    """Return the refusal of a request that cannot become a WebSocket."""
    return UpgradeRequired(details=f"Nothing was opened: {why}. {_INSTEAD}")


def _check_handshake() -> None:
    if request.headers.get("Sec-WebSocket-Version") != _VERSION:
        raise upgrade_required(f"Sec-WebSocket-Version must be {_VERSION}")
    try:
        key = binascii.a2b_base64(
            request.headers.get("Sec-WebSocket-Key", ""), strict_mode=True
        )
    except ValueError:  # not ASCII, or not base64
        key = b""
    if len(key) != _KEY_BYTES:
        raise InvalidInputError(
            details="Sec-WebSocket-Key: send 16 random bytes in base64."
        )


def _strip(environ: dict[str, Any]) -> None:
    for name in [name for name in environ if name.startswith("HTTP_")]:
        if name not in _HANDSHAKE:
            del environ[name]


def _normal(origin: str) -> str:
    return origin.lower().rstrip("/")


def _name_protocol(response: Response) -> Response:
    """Say what to upgrade to (RFC 9110, section 15.5.22)."""
    if response.status_code == UpgradeRequired.status:
        response.headers["Upgrade"] = "websocket"
        response.headers["Sec-WebSocket-Version"] = _VERSION
    return response


class _Seats:
    """Counts the open connections: each holds a thread of the server."""

    def __init__(self, most: int, most_unproven: int) -> None:
        self._lock = threading.Lock()
        self._left = most
        self._left_unproven = most_unproven

    def take(self, *, is_proven: bool) -> "_Seat":
        with self._lock:
            if not self._left or not (is_proven or self._left_unproven):
                raise RateLimitExceeded(
                    "Too many WebSockets are open.",
                    details=_INSTEAD,
                    retry_after_seconds=_RETRY_AFTER_SECONDS,
                )
            self._left -= 1
            self._left_unproven -= not is_proven
        return _Seat(self, is_proven)

    def give_back(self, *, seats: int, unproven: int) -> None:
        with self._lock:
            self._left += seats
            self._left_unproven += unproven


class _Seat:
    """The place of one connection."""

    def __init__(self, seats: _Seats, is_proven: bool) -> None:
        self._seats = seats
        self._is_proven = is_proven

    def prove(self) -> None:
        if not self._is_proven:
            self._is_proven = True
            self._seats.give_back(seats=0, unproven=1)

    def leave(self) -> None:
        self._seats.give_back(seats=1, unproven=int(not self._is_proven))
