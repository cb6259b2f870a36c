"""The turns of a WebSocket: a frame of the caller's, and its answer.

A connection lives in the thread of its request, which waits for frames. Each turn
runs in a thread of its own, with the request's context, and watches one end of a
socket pair: closing the other end is how it learns that nobody waits any more.
"""

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from typing import Any, Protocol, TypeAlias

from simple_websocket import ConnectionClosed

from flaskllm.api import context
from flaskllm.api.websocket_wire import (
    NORMAL_CLOSURE,
    Counted,
    Gone,
    Server,
    WebSocketLimits,
)
from flaskllm.core import ids, logs
from flaskllm.core.errors import APIError, CallerGone, InternalError
from flaskllm.llm.types import Call
from flaskllm.services.background import no_thread

Frame: TypeAlias = dict[str, Any]
Event: TypeAlias = dict[str, Any]
Emit: TypeAlias = Callable[[Event], None]

_log = logging.getLogger(__name__)


class Talk(Protocol):
    """What one face says on one connection: a fresh one for each.

    Frames and events are JSON objects. `refuse` may be asked by another thread
    while a turn runs.

    Attributes:
        source: Under which its turns are recorded, such as `chat:websocket`.
    """

    source: str

    def is_cancel(self, frame: Frame) -> bool:
        """Tell whether this frame ends the turn that is running."""
        ...

    def turn(self, frame: Frame, call: Call, emit: Emit) -> Event:
        """Answer one frame; return the event that ends the turn.

        The others go out by `emit`, which raises `Gone`. What else is raised is
        told by `refuse`. The context is that of the request.
        """
        ...

    def refuse(self, error: APIError) -> Event:
        """Return the event that tells this error."""
        ...

    def write(self, event: Event) -> str:
        """Return an event as it is sent: in this order, never two at a time."""
        ...


class Connection:
    """One WebSocket, of which nothing but `Gone` is raised."""

    def __init__(
        self, server: Server, limits: WebSocketLimits, write: Callable[[Event], str]
    ) -> None:
        """Take it over, and count from now on what comes."""
        self._server = server
        self._write = write
        self._limits = limits
        self._sending = threading.Lock()
        self._code: int | None = None
        server.ws = Counted(server, limits, context.services().clock)
        server.sock.open()

    @property
    def code(self) -> int:
        """Return why it was closed (RFC 6455, section 7.4)."""
        return self._code or int(self._server.close_reason)

    def receive(self, seconds: float) -> str | bytes | None:
        """Return the next message, or None when none came in time."""
        try:
            return self._server.receive(seconds)
        except (ConnectionClosed, OSError) as error:
            raise Gone from error

    def send(self, event: Event) -> None:
        """Send one event; a turn and whoever refuses a frame meanwhile take turns."""
        try:
            with self._sending:
                self._server.send(self._write(event))
        except (ConnectionClosed, OSError) as error:
            raise Gone from error
        if self._server.sock.is_broken:
            raise Gone

    def close(self, code: int, message: str) -> None:
        """Begin to close, if nobody has."""
        with suppress(ConnectionClosed, OSError):
            self._server.close(code, message)
            self._code = code

    def end(self) -> None:
        """Close it for good: nobody reads the socket when this returns."""
        self.close(NORMAL_CLOSURE, "")
        reader = self._server.thread
        reader.join(self._limits.goodbye_seconds)
        self._server.sock.shut_down()
        reader.join()


class Turn:
    """One frame of the caller's, and the thread that answers it."""

    def __init__(
        self, frame: Frame, talk: Talk, connection: Connection, number: int
    ) -> None:
        """Start to answer; `number` counts the turns of a connection from 1.

        Raises:
            ServiceUnavailable: The system gives no thread for it; a retry may help.
        """
        self._frame = frame
        self._talk = talk
        self._connection = connection
        self._number = number
        self._ours, self._theirs = socket.socketpair()
        self._is_answered = threading.Event()
        self._dismissal: APIError | None = None
        self._thread = threading.Thread(target=copy_context().run, args=(self._run,))
        try:
            self._thread.start()
        except RuntimeError as error:
            self._ours.close()
            self._theirs.close()
            raise no_thread() from error

    def is_running(self) -> bool:
        """Tell whether the event that ends it is still to come."""
        return not self._is_answered.is_set()

    def dismiss(self, error: APIError) -> None:
        """End it with the event of this error, unless its own is already there."""
        self._dismissal = error
        self.end()

    def hang_up(self) -> None:
        """Let it learn that nobody waits any more."""
        self._ours.close()

    def end(self) -> None:
        """Hang up, and return once its thread has ended."""
        self.hang_up()
        self._thread.join()

    def _run(self) -> None:
        metrics = context.services().metrics
        started_seconds = context.elapsed_seconds()
        turn_id = ids.new_id("req")
        logs.bind(request_id=turn_id)
        metrics.streams_in_flight.inc()
        try:
            event, code = self._answer(turn_id)
        finally:
            metrics.streams_in_flight.dec()
            self._theirs.close()
        logs.event(
            _log,
            logging.INFO if code == "OK" else logging.WARNING,
            "turn_ended",
            connection=context.request_id(),
            turn=self._number,
            code=code,
            seconds=round(context.elapsed_seconds() - started_seconds, 3),
        )
        # Before it is sent: its receiver may ask again at once.
        self._is_answered.set()
        with suppress(Gone):
            self._connection.send(event)

    def _answer(self, turn_id: str) -> tuple[Event, str]:
        """Return the event that ends the turn, and `OK` or an error's code."""
        error: APIError
        try:
            call = context.make_call(
                self._talk.source, turn_id=turn_id, caller=self._theirs
            )
            return self._talk.turn(self._frame, call, self._connection.send), "OK"
        except (CallerGone, Gone):
            error = self._dismissal or CallerGone("The turn was cancelled.")
        except APIError as refused:
            error = refused
        except Exception as broken:
            logs.event(_log, logging.ERROR, "turn_failed", error=broken)
            error = InternalError()
        return self._talk.refuse(error), error.code
