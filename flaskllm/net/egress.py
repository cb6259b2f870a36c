"""The way out to URLs that are not the operator's: callbacks, and what is fetched.

Who may write such a URL may try to have the gateway call what only it can reach:
itself, its neighbours, a cloud's metadata. So a URL is read once and made anew, its
name is looked up once, every address is checked, and the connection goes to a checked
one, under the name that was asked for. Nothing of the environment, no redirect, no
cookie; nothing is unpacked, and little is read. `docs/egress.md` has the reasons.
"""

import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from ipaddress import IPv4Address, ip_address

from flaskllm.core.clock import Clock, Deadline
from flaskllm.net import egress_connect
from flaskllm.net.egress_connect import FOREIGN, Connect, Proxy
from flaskllm.net.egress_errors import EgressFailed, EgressRefused, Failure, Refusal
from flaskllm.net.egress_messages import (
    EgressReply,
    EgressRequest,
    Reader,
    own_headers,
    read_all,
    read_out,
)
from flaskllm.net.egress_names import Names
from flaskllm.net.egress_rules import EgressRules
from flaskllm.net.egress_url import CalledUrl
from flaskllm.net.headers import refuse_bad_headers
from flaskllm.net.replies import WatchedReply
from flaskllm.net.retry_after import retry_after_seconds
from flaskllm.net.session import tls_context
from flaskllm.net.sockets import Address, WatchedSocket, connect_first
from flaskllm.net.watch import Watch

__all__ = [
    "Egress",
    "EgressFailed",
    "EgressRefused",
    "EgressReply",
    "EgressRequest",
    "EgressRules",
    "Failure",
    "Refusal",
]

TOTAL_SECONDS = 15.0
MOST_BYTES = 64 * 1024
LONGEST_RETRY_AFTER_SECONDS = 86_400.0  # the last gaps between attempts are as long
_MOST_ADDRESSES = 4  # tried one after another, each for its share of the time


class Egress:
    """Sends to URLs that somebody else wrote. Threads may share it."""

    def __init__(
        self,
        rules: EgressRules,
        clock: Clock,
        *,
        ca_bundle: str | None = None,
        proxy: Proxy | None = None,
        total_seconds: float = TOTAL_SECONDS,
        names: Names | None = None,
        connect: Connect = connect_first,
    ) -> None:
        """Keep the settings; nothing is opened.

        Args:
            rules: What may be called.
            clock: A real one: sockets are waited on.
            ca_bundle: A PEM file or a folder of them; None takes certifi's.
            proxy: Goes everywhere in our place, and looks names up.
            total_seconds: For one call, from the look-up to the last byte.
            names: Looks names up.
            connect: Connects to the first of some addresses that answers.
        """
        self._rules = rules
        self._clock = clock
        self._ca_bundle = ca_bundle
        self._proxy = proxy
        self._total_seconds = total_seconds
        self._names = names or Names()
        self._connect = connect

    def check(self, url: str) -> None:
        """Return when a URL may be called, as far as its text tells; no look-up.

        Raises:
            EgressRefused: It may not; `problem` and `allowed` say why, for people.
        """
        self._rules.read(url)

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> EgressReply:
        """Send once and return the answer: at most 15 s, 64 kB read, no redirect.

        The status counts as soon as the head of the reply is there. What follows is
        read and dropped, up to the cap, so that the receiver is not cut off.

        Args:
            url: Where to.
            headers: Sent besides our own, which are left out here: Host,
                Connection, Content-Length, Accept-Encoding.
            body: What to send.

        Raises:
            EgressRefused: The URL may not be called; `blocked_destination` where
                its name leads to an address that may not. Nothing was sent.
            EgressFailed: There was no status. It may have been sent, and a repeat
                may help.
            InternalError: A header is not fit to be sent.
        """
        deadline = Deadline.after(self._total_seconds, self._clock)
        request = EgressRequest("POST", url, headers, body)
        return self._exchange(request, deadline, MOST_BYTES, read_out)

    def fetch(
        self, request: EgressRequest, deadline: Deadline, most_bytes: int
    ) -> EgressReply:
        """Ask once, over TLS alone, and return the answer with its body; no redirect.

        Args:
            request: What is asked.
            deadline: When all must be over.
            most_bytes: Of the whole answer; a longer one is `too_large`.

        Raises:
            EgressRefused: As `post`; also where the URL does not begin with https.
            EgressFailed: As `post`; also where the body did not come whole.
            InternalError: A header is not fit to be sent.
        """
        if self._rules.read(request.url).scheme != "https":
            raise EgressRefused(Refusal.SCHEME)
        return self._exchange(request, deadline, most_bytes, read_all)

    def _exchange(
        self,
        request: EgressRequest,
        deadline: Deadline,
        most_bytes: int,
        read: Reader,
    ) -> EgressReply:
        called = self._rules.read(request.url)
        refuse_bad_headers(request.headers)
        addresses = self._find(called, deadline)
        watch = Watch(
            deadline,
            None,
            connect_seconds=self._total_seconds,
            first_byte_seconds=None,
            most_bytes=most_bytes,
        )
        with ExitStack() as resources, watch.active():
            try:
                sock = self._open(called, addresses, watch, resources)
                with watch.reading_head():
                    reply = self._say(sock, called, request, resources)
                body = read(reply)
            except FOREIGN as error:
                raise egress_connect.failure_of(error, watch) from error
            return self._told(reply, body)

    def _find(self, called: CalledUrl, deadline: Deadline) -> Sequence[Address]:
        """Return where to connect to; without a proxy only addresses that may be.

        Raises:
            EgressRefused: One address of the name may not be called.
            EgressFailed: The name was not found in time.
        """
        if self._proxy is not None:
            return self._names.find(self._proxy.host, self._proxy.port, deadline)
        if called.address is not None:
            return [_address(called)]
        found = self._names.find(called.host, called.port, deadline)
        if not all(
            self._rules.destinations.may_be_called(ip_address(place[0]))
            for *_, place in found
        ):
            raise EgressRefused(Refusal.BLOCKED)
        return found[:_MOST_ADDRESSES]

    def _open(
        self,
        called: CalledUrl,
        addresses: Sequence[Address],
        watch: Watch,
        resources: ExitStack,
    ) -> WatchedSocket:
        """Return what leads to the receiver; under TLS where its URL says so."""
        with watch.connecting():
            sock = egress_connect.connect_checked(addresses, self._connect, resources)
            if called.scheme == "http":
                return sock
            if self._proxy is not None:
                egress_connect.open_tunnel(sock, called, self._proxy)
            return egress_connect.begin_tls(sock, called.host, self._context, resources)

    def _say(
        self,
        sock: WatchedSocket,
        called: CalledUrl,
        request: EgressRequest,
        resources: ExitStack,
    ) -> WatchedReply:
        target, ours = called.target, own_headers(called, request.body)
        if called.scheme == "http" and self._proxy is not None:
            target = called.text
            ours = {**ours, **self._proxy.headers}
        taken = {"content-length", *(name.lower() for name in ours)}
        theirs = {k: v for k, v in request.headers.items() if k.lower() not in taken}
        sent = {**ours, "User-Agent": "flaskllm", **theirs}
        line, body = f"{request.method} {target}", request.body or b""
        return egress_connect.say(sock, line, sent, body, resources)

    @cached_property
    def _context(self) -> ssl.SSLContext:
        return tls_context(self._ca_bundle)

    def _told(self, reply: WatchedReply, body: bytes) -> EgressReply:
        headers = {name.lower(): value for name, value in reply.headers.items()}
        wait_seconds = retry_after_seconds(
            headers, self._clock.now(), LONGEST_RETRY_AFTER_SECONDS
        )
        return EgressReply(reply.status, wait_seconds, headers.get("location"), body)


def _address(called: CalledUrl) -> Address:
    """Return the literal address of a URL in the form of `getaddrinfo`."""
    is_ipv4 = isinstance(called.address, IPv4Address)
    family = socket.AF_INET if is_ipv4 else socket.AF_INET6
    place = (called.host, called.port) if is_ipv4 else (called.host, called.port, 0, 0)
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", place)
