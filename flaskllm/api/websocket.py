"""WebSockets: how a face gets one, and what is said on it from first to last."""

import logging
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Final, NoReturn

from flask import Blueprint, Response, request
from flask_sock import Sock

from flaskllm.api import context, guard
from flaskllm.api.limit_headers import count_request
from flaskllm.api.tenure import tenure_here
from flaskllm.api.validation import parse_object
from flaskllm.api.websocket_door import Door, door_here, upgrade_required
from flaskllm.api.websocket_turns import Connection, Frame, Talk, Turn
from flaskllm.api.websocket_wire import (
    FORBIDDEN,
    GOING_AWAY,
    INTERNAL_ERROR,
    SIGN_IN_REQUIRED,
    TRY_AGAIN_LATER,
    UNSUPPORTED_DATA,
    Gone,
    Server,
)
from flaskllm.core import logs
from flaskllm.core.errors import (
    APIError,
    AuthenticationError,
    Conflict,
    InvalidInputError,
    PermissionDenied,
    RateLimitExceeded,
    ServiceUnavailable,
)

_log = logging.getLogger(__name__)


def talk_route(
    blueprint: Blueprint, path: str
) -> Callable[[Callable[[], Talk]], Callable[[], Talk]]:
    """Make a view that returns a `Talk` a WebSocket, and a plain GET of it a 426.

    The view carries the marks of the guard and of the documentation, if any.
    """

    def register(view: Callable[[], Talk]) -> Callable[[], Talk]:
        @wraps(view)
        def talk(server: Server) -> None:
            serve(server, view())

        @wraps(view)
        def refuse() -> Response:
            raise upgrade_required("the request did not ask for a WebSocket")

        Sock().route(path, bp=blueprint)(talk)
        endpoint = f"{view.__name__}_without_upgrade"
        blueprint.add_url_rule(path, endpoint, refuse, methods=["GET"])
        return view

    return register


def serve(server: Server, talk: Talk) -> None:
    """Hold one connection from its first frame to its end; raises nothing."""
    house, door = context.services(), door_here()
    connection = Connection(server, door.limits, talk.write)
    context.note_websocket()
    conversation = _Conversation(connection, talk, door)
    house.metrics.websockets_open.inc()
    try:
        conversation.run()
    except Gone:
        pass
    except Exception as error:
        logs.event(_log, logging.ERROR, "websocket_failed", error=error)
        connection.close(INTERNAL_ERROR, "something went wrong on our side")
    finally:
        conversation.end()
        connection.end()
        house.metrics.websockets_open.dec()
    logs.event(
        _log,
        logging.INFO,
        "websocket_ended",
        rule=request.url_rule.rule if request.url_rule else None,
        turns=conversation.turns,
        seconds=round(context.elapsed_seconds(), 3),
        close_code=connection.code,
        peer=request.remote_addr,
    )


class _Conversation:
    """What is said on one connection.

    Attributes:
        turns: How many began.
    """

    def __init__(self, connection: Connection, talk: Talk, door: Door) -> None:
        self.turns = 0
        self._connection = connection
        self._talk = talk
        self._door = door
        self._turn: Turn | None = None
        self._idle_since_seconds = context.elapsed_seconds()

    def run(self) -> None:
        """Sign in, then take frames; ends with `Gone`."""
        if not guard.is_signed_in():
            self._sign_in()
        self._door.prove()
        tenure = tenure_here()
        while True:
            message = self._connection.receive(self._door.limits.look_seconds)
            try:
                tenure.check()
            except AuthenticationError as error:
                self._dismiss(error)
            if message is None:
                self._look_around()
            elif isinstance(message, bytes):
                self._close(UNSUPPORTED_DATA, "text only")
            else:
                self._take(message)

    def end(self) -> None:
        """End the turn that runs."""
        if self._turn is not None:
            self._turn.end()

    def _sign_in(self) -> None:
        seconds = self._door.limits.sign_in_seconds
        message = self._connection.receive(seconds)
        try:
            if message is None:
                raise AuthenticationError(
                    details=f'No frame {{"auth": "<API token>"}} came within '
                    f"{seconds:g} seconds."
                )
            guard.sign_in(_token_in(message))
        except APIError as error:
            self._refuse_and_close(error)

    def _look_around(self) -> None:
        if self._turn is not None and self._turn.is_running():
            self._idle_since_seconds = context.elapsed_seconds()
            return
        idle_seconds = context.elapsed_seconds() - self._idle_since_seconds
        if self._door.is_stopping():
            self._close(GOING_AWAY, "the server stops")
        if idle_seconds >= self._door.limits.idle_seconds:
            self._close(GOING_AWAY, "idle for too long")

    def _take(self, message: str) -> None:
        self._idle_since_seconds = context.elapsed_seconds()
        try:
            frame = parse_object(message.encode("utf-8"))
            if self._talk.is_cancel(frame):
                self._cancel()
                return
            self._check_free()
        except (InvalidInputError, Conflict) as error:
            self._connection.send(self._talk.refuse(error))
            return
        self._begin(frame)

    def _cancel(self) -> None:
        # It may have crossed the end of the turn on its way: nothing to say then.
        if self._turn is not None:
            self._turn.hang_up()

    def _check_free(self) -> None:
        if self._turn is not None and self._turn.is_running():
            raise Conflict(
                "The turn before is still running.",
                details="Wait for its last event, or cancel it.",
            )

    def _begin(self, frame: Frame) -> None:
        """Start a turn, if the API token is still good."""
        self.end()
        try:
            guard.sign_in_again()
        except APIError as error:
            self._refuse_and_close(error)
        try:
            count_request(context.principal())
            turn = Turn(frame, self._talk, self._connection, self.turns + 1)
        except (RateLimitExceeded, ServiceUnavailable) as error:
            # The next one may come later.
            self._connection.send(self._talk.refuse(error))
            return
        self.turns += 1
        self._turn = turn

    def _dismiss(self, error: APIError) -> None:
        """End the turn that runs, which then tells this error; and the connection."""
        if self._turn is not None and self._turn.is_running():
            self._turn.dismiss(error)
            self._close_for(error)
        self._refuse_and_close(error)

    def _refuse_and_close(self, error: APIError) -> None:
        self._connection.send(self._talk.refuse(error))
        self._close_for(error)

    def _close_for(self, error: APIError) -> NoReturn:
        self._close(_CODES.get(type(error), TRY_AGAIN_LATER), error.code)

    def _close(self, code: int, message: str) -> NoReturn:
        self._connection.close(code, message)
        raise Gone


_CODES: Final[Mapping[type[APIError], int]] = {
    AuthenticationError: SIGN_IN_REQUIRED,
    PermissionDenied: FORBIDDEN,
}


def _token_in(message: str | bytes) -> str | None:
    """Return the API token of a first frame; None when it is another frame."""
    try:
        frame = parse_object(message.encode() if isinstance(message, str) else message)
    except InvalidInputError:
        return None
    token = frame.get("auth")
    return token if isinstance(token, str) else None
