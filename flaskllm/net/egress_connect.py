"""A connection to an address that was checked, and one request on it.

All of it waits on the current watch, so one deadline holds from the first packet
to the last, however slowly the other side drips.
"""

import base64
import ssl
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

from flaskllm.core.errors import LLMProtocolError, LLMTimeout, LLMUnavailable
from flaskllm.net.destinations import IPAddress
from flaskllm.net.egress_errors import EgressFailed, EgressRefused, Failure, Refusal
from flaskllm.net.egress_url import CalledUrl
from flaskllm.net.replies import WatchedReply
from flaskllm.net.sockets import Address, WatchedSocket
from flaskllm.net.watch import Watch

Connect = Callable[[Sequence[Address]], WatchedSocket]

FOREIGN = (OSError, HTTPException, LLMTimeout, LLMUnavailable, LLMProtocolError)
"""What the sockets, the watch and the standard library raise."""

# The first row that matches says what it was; a broken reply is told apart below.
_FAILURES: Sequence[tuple[type[BaseException], Failure]] = (
    (LLMTimeout, Failure.TIMEOUT),
    (LLMUnavailable, Failure.TIMEOUT),  # the watch means the time for connecting
    (TimeoutError, Failure.TIMEOUT),
    (ssl.SSLCertVerificationError, Failure.CERTIFICATE),
    (ssl.SSLError, Failure.TLS),
    (OSError, Failure.CONNECTION),
)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that the operator trusts to look by itself where it goes.

    Attributes:
        host: Its name or address, as the operator wrote it.
        port: Its port.
        authorization: What `Proxy-Authorization` says; None sends none.
    """

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)

    @classmethod
    def from_url(cls, text: str) -> "Proxy":
        """Return the proxy of `http://[user:password@]host:port`.

        Raises:
            ValueError: It is not of that form.
        """
        parts = urlsplit(text)
        if parts.scheme != "http" or not parts.hostname or not parts.port:
            raise ValueError("not of the form http://host:port")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ValueError("something behind the port")
        return cls(parts.hostname, parts.port, _basic(parts.username, parts.password))

    @property
    def headers(self) -> Mapping[str, str]:
        """Return what it wants to hear besides."""
        if self.authorization is None:
            return {}
        return {"Proxy-Authorization": self.authorization}


def connect_checked(
    addresses: Sequence[Address], connect: Connect, resources: ExitStack
) -> WatchedSocket:
    """Return a socket whose other end is one of these; `resources` closes it.

    Raises:
        EgressRefused: It ended up elsewhere.
        OSError: No address answered.
    """
    sock = resources.enter_context(connect(addresses))
    if _place(sock.getpeername()) not in {_place(each[4]) for each in addresses}:
        raise EgressRefused(Refusal.BLOCKED)
    return sock


def open_tunnel(sock: WatchedSocket, called: CalledUrl, proxy: Proxy) -> None:
    """Return once what is said on `sock` reaches the called host, through a proxy.

    Raises:
        EgressFailed: The proxy does not want to.
    """
    place = f"{called.bracketed_host}:{called.port}"
    headers = {"Host": place, **proxy.headers}
    with ExitStack() as resources:
        reply = say(sock, f"CONNECT {place}", headers, b"", resources)
        if reply.status != HTTPStatus.OK:
            raise EgressFailed(Failure.PROXY)


def begin_tls(
    sock: WatchedSocket, host: str, context: ssl.SSLContext, resources: ExitStack
) -> WatchedSocket:
    """Return the socket under TLS, for a certificate that is good for `host`.

    Raises:
        OSError: The handshake failed; an `ssl.SSLError` says how.
    """
    secret = resources.enter_context(context.wrap_socket(sock, server_hostname=host))
    assert isinstance(secret, WatchedSocket)  # the context's own class
    return secret


def say(
    sock: WatchedSocket,
    request: str,
    headers: Mapping[str, str],
    body: bytes,
    resources: ExitStack,
) -> WatchedReply:
    """Send a request and return its reply once the head is there.

    Args:
        sock: Connected to whoever is asked.
        request: Method and target.
        headers: Checked before; they are sent as they are.
        body: What is behind them.
        resources: Close the reply. It does not own the socket.

    Raises:
        OSError: The connection broke.
        HTTPException: What came is no reply.
    """
    lines = [f"{name}: {value}" for name, value in headers.items()]
    head = "\r\n".join([f"{request} HTTP/1.1", *lines, "", ""])
    sock.sendall(head.encode("latin-1") + body)
    reply = WatchedReply(sock, method=request.partition(" ")[0])
    resources.callback(reply.close)
    reply.begin()
    return reply


def failure_of(error: BaseException, watch: Watch) -> EgressFailed:
    """Return our error for one of `FOREIGN`."""
    for kind, failure in _FAILURES:
        if isinstance(error, kind):
            return EgressFailed(failure)
    return EgressFailed(Failure.TOO_LARGE if watch.is_over_full else Failure.BAD_REPLY)


def _place(name: tuple[object, ...]) -> tuple[IPAddress, object]:
    """Return address and port of what the system calls a socket's name."""
    return ip_address(str(name[0])), name[1]


def _basic(user: str | None, password: str | None) -> str | None:
    if user is None:
        return None
    pair = f"{unquote(user)}:{unquote(password or '')}"
    return "Basic " + base64.b64encode(pair.encode()).decode()
