"""Connections of urllib3 whose every wait is a wait on the current watch.

The sockets never block: they try, and when there is nothing to do they wait
on the upstream and the caller together. Trying first is also what TLS needs:
decrypted bytes may wait where poll() cannot see them, and a readable socket
may hold only half a record.
"""

import errno
import os
import select
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.response import HTTPResponse

from flaskllm.core.clock import Deadline
from flaskllm.net import watch
from flaskllm.net.replies import WatchedReply

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_Result = TypeVar("_Result")

# Family, type, protocol, canonical name and place, as getaddrinfo gives them.
Address: TypeAlias = tuple[int, int, int, str, tuple[Any, ...]]


class WatchedSocket(socket.socket):
    """A TCP socket that waits on the current watch."""

    def settimeout(self, value: float | None) -> None:
        """Change nothing: urllib3's time-outs count per read, the watch rules."""

    def recv(self, buflen: int = 1024, flags: int = 0) -> bytes:
        """Return the next bytes, or none at the end of the stream."""
        receive = super().recv
        data = _patiently(self, select.POLLIN, lambda: receive(buflen, flags))
        watch.current().receive(len(data))
        return data

    def recv_into(
        self, buffer: "WriteableBuffer", nbytes: int | None = None, flags: int = 0
    ) -> int:
        """Fill the start of `buffer` and return how many bytes came; 0 is the end."""
        receive = super().recv_into
        most = nbytes or memoryview(buffer).nbytes
        count = _patiently(self, select.POLLIN, lambda: receive(buffer, most, flags))
        watch.current().receive(count)
        return count

    def send(self, data: "ReadableBuffer", flags: int = 0) -> int:
        """Send a part of `data` and return its length."""
        send = super().send
        return _patiently(self, select.POLLOUT, lambda: send(data, flags))

    def sendall(self, data: "ReadableBuffer", flags: int = 0) -> None:
        """Send all of `data`."""
        rest = memoryview(data).cast("B")
        while rest:
            rest = rest[self.send(rest, flags) :]


class WatchedTLSSocket(WatchedSocket, ssl.SSLSocket):
    """A TLS socket that waits on the current watch, in its handshake too."""

    def do_handshake(self, block: bool = False) -> None:
        """Return once both sides agree on keys and the certificate is good."""
        self.setblocking(False)
        try:
            _patiently(self, select.POLLIN, super().do_handshake)
        except BaseException:
            self.close()  # `ssl` does so only for errors of its own kind
            raise


def _patiently(
    sock: socket.socket, events: int, operation: Callable[[], _Result]
) -> _Result:
    """Repeat `operation` until it does not need to wait; `events` is what for."""
    watching = watch.current()
    while True:
        watching.check_time()  # who waits for us is looked at when we wait
        try:
            return operation()
        except BlockingIOError:
            watching.wait(sock, events)
        except ssl.SSLWantReadError:
            watching.wait(sock, select.POLLIN)
        except ssl.SSLWantWriteError:
            watching.wait(sock, select.POLLOUT)


def connect_first(addresses: Sequence[Address]) -> WatchedSocket:
    """Return a socket that is connected to the first address that answers.

    Each gets an equal share of the time that is left, so that a dead one does
    not use up what a live one needs.

    Args:
        addresses: As `socket.getaddrinfo` gives them, never empty.

    Raises:
        OSError: No address answered; the last one's reason.
    """
    left = watch.current().limit().deadline
    share = Deadline.after(left.remaining_seconds() / len(addresses), left.clock)
    try:
        return _connect(addresses[0], share)
    except OSError:
        if len(addresses) == 1:
            raise
    return connect_first(addresses[1:])


def _connect(address: Address, share: Deadline) -> WatchedSocket:
    family, kind, protocol, _, place = address
    sock = WatchedSocket(family, kind, protocol)
    try:
        sock.setblocking(False)
        # A request leaves in two writes; Nagle would hold back the second.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        code = sock.connect_ex(place)
        if code == errno.EINPROGRESS:
            code = _connected(sock, share)
        if code:
            raise OSError(code, os.strerror(code))
    except BaseException:
        sock.close()
        raise
    return sock


def _connected(sock: socket.socket, share: Deadline) -> int:
    """Return the system's code for how connecting ended, 0 for well."""
    watching = watch.current()
    while not watching.poll(sock, select.POLLOUT, share.remaining_seconds()):
        watching.check()
        if share.passed():
            return errno.ETIMEDOUT
    return sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


class WatchedConnection(HTTPConnection):
    """A connection for http, made on a watched socket.

    Attributes:
        reply: The last reply that began.
    """

    reply: WatchedReply

    def response_class(self, *arguments: Any, **options: Any) -> WatchedReply:  # type: ignore[override]  # a class elsewhere
        """Return a reply that is still to be read, and keep it at hand."""
        self.reply = WatchedReply(*arguments, **options)
        return self.reply

    def connect(self) -> None:
        """Connect, through the proxy when there is one."""
        with watch.current().connecting():
            super().connect()

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]  # as urllib3's
        """Return when the head of the reply is there."""
        with watch.current().reading_head():
            return super().getresponse()

    def _new_conn(self) -> WatchedSocket:
        try:
            # The system's own business: nothing can interrupt it.
            addresses = socket.getaddrinfo(
                self._dns_host, self.port, type=socket.SOCK_STREAM
            )
            watch.current().check()
            return connect_first(addresses)
        except (OSError, UnicodeError) as error:
            # urllib3 would take a bare OSError for a fault while sending.
            raise NewConnectionError(self, "no connection") from error


class WatchedTLSConnection(WatchedConnection, HTTPSConnection):
    """A connection for https, made on a watched socket."""


class WatchedPool(HTTPConnectionPool):
    """Connections for http to one host."""

    ConnectionCls = WatchedConnection

    def _get_conn(self, timeout: float | None = None) -> Any:
        connection = super()._get_conn(timeout)
        watching = watch.current()
        if not watching.may_reuse:
            connection.close()  # it connects anew by itself
        watching.take(is_idle=not connection.is_closed)
        return connection


class WatchedTLSPool(WatchedPool, HTTPSConnectionPool):
    """Connections for https to one host."""

    ConnectionCls = WatchedTLSConnection
