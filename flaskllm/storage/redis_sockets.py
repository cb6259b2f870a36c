"""Connections to Redis whose every operation ends in time, whatever the server does.

The client's own time-outs count for each read anew, so that a server which sends
a byte now and then would hold a request for ever. Here all waits of one operation,
connecting and logging in included, share what `limited` allows.
"""

import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from redis import Connection, SSLConnection, UnixDomainSocketConnection

from flaskllm.core.clock import Clock, Deadline
from flaskllm.net.egress_errors import EgressFailed
from flaskllm.net.egress_names import Names

_names = Names()


class _Limit(threading.local):
    """What is left for the operation of this thread; None outside of one."""

    deadline: Deadline | None = None


_limit = _Limit()


@contextmanager
def limited(seconds: float, clock: Clock) -> Iterator[None]:
    """Let all that this thread does on connections of ours take so long together."""
    before, _limit.deadline = _limit.deadline, Deadline.after(seconds, clock)
    try:
        yield
    finally:
        _limit.deadline = before


def _left_seconds() -> float | None:
    """Return what is left; None is without end.

    Raises:
        TimeoutError: Nothing is left.
    """
    if _limit.deadline is None:
        return None
    left = _limit.deadline.remaining_seconds()
    if left <= 0.0:
        raise TimeoutError("the operation took too long")
    return left


class LimitedSocket:
    """A connected socket, of TLS or not, that waits as long as the limit says."""

    def __init__(self, plain: socket.socket) -> None:
        """Take the socket over."""
        self._plain = plain
        self._own_seconds: float | None = None

    def settimeout(self, seconds: float | None) -> None:
        """Wait no longer than this for one read either; 0.0 is not at all."""
        self._own_seconds = seconds

    def recv(self, most: int) -> bytes:
        """Return the next bytes, or none at the end of the stream."""
        self._set_patience()
        return self._plain.recv(most)

    def sendall(self, data: bytes) -> None:
        """Send all of it; the patience is for all of it together."""
        self._set_patience()
        self._plain.sendall(data)

    def __getattr__(self, name: str) -> Any:
        """Return what the client uses besides, as the socket itself has it."""
        return getattr(self._plain, name)

    def _set_patience(self) -> None:
        if self._own_seconds == 0.0:
            self._plain.settimeout(0.0)  # only looks: a passed limit does not matter
            return
        left, own = _left_seconds(), self._own_seconds
        self._plain.settimeout(left if own is None else min(own, left or own))


class _Limited:
    """What the connections of all kinds share."""

    socket_connect_timeout: float | None

    def _connect(self) -> LimitedSocket:
        # For the connect itself, and for TLS, which needs the socket as it is.
        self.socket_connect_timeout = self.socket_timeout = _left_seconds()
        plain = super()._connect()  # type: ignore[misc]  # the client's
        return LimitedSocket(plain)


class LimitedConnection(_Limited, Connection):
    """A connection by TCP."""

    def _connect(self) -> LimitedSocket:
        _check_name(self.host, self.port)
        return super()._connect()


class LimitedTLSConnection(_Limited, SSLConnection):
    """A connection by TLS."""

    def _connect(self) -> LimitedSocket:
        _check_name(self.host, self.port)
        return super()._connect()


class LimitedUnixConnection(_Limited, UnixDomainSocketConnection):
    """A connection by a socket of this machine."""


CONNECTIONS: Mapping[str, type[Any]] = {
    "redis": LimitedConnection,
    "rediss": LimitedTLSConnection,
    "unix": LimitedUnixConnection,
}
"""By the scheme of the address."""


def _check_name(host: str, port: int) -> None:
    """Return once the name can be looked up, which the client will do again.

    The system's look-up knows no time-out: a silent name server is found here.
    """
    if _limit.deadline is None:
        return
    try:
        _names.find(host, port, _limit.deadline)
    except EgressFailed as failed:
        raise OSError("the name of its host was not found") from failed
