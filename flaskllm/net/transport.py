"""The one HTTP client: a request goes out, a whole reply or a typed error comes back.

It never follows a redirect, never stores a cookie, never retries what an
upstream may have begun to answer, never reads the environment. What
`requests`, `urllib3`, `ssl` and the system raise ends here (`failures`).
"""

import re
import socket
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import requests

from flaskllm.core.clock import Deadline
from flaskllm.core.errors import InternalError, LLMProtocolError
from flaskllm.net.failures import FOREIGN, explain
from flaskllm.net.session import Sessions
from flaskllm.net.watch import Watch

MEBIBYTE = 1024 * 1024

_ANSWERS = (2, 4, 5)  # the classes of statuses that end an exchange here
_READ_BYTES = 64 * 1024
_FRAMING_BYTES = MEBIBYTE  # headers, interim replies and the frames of chunks

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# RFC 9110, 5.5: no control characters; and what Latin-1 cannot carry is a slip.
_VALUE = re.compile(r"(?!\s)[\t\x20-\x7e\xa0-\xff]*")


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What to send. Its text form leaves out what may hold a secret or a prompt."""

    method: str
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class HttpReply:
    """What came back, with a status of 2xx, 4xx or 5xx; names in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


class Transport:
    """The connections to one deployment.

    Threads may share it, and a forked process may go on with it.
    """

    def __init__(
        self,
        *,
        pool_size: int,
        connect_timeout_seconds: float,
        proxies: Callable[[str], str | None],
        ca_bundle: str | None,
        max_reply_bytes: int = 32 * MEBIBYTE,
    ) -> None:
        """Keep the settings; nothing is opened.

        Args:
            pool_size: Idle connections kept; the number of threads.
            connect_timeout_seconds: For TCP, proxy and TLS together. The name
                look-up counts too, but it cannot be cut short: a slow one
                overruns this, and the deadline, until the system answers.
            proxies: Gives a URL's proxy, or None to go there directly.
            ca_bundle: A PEM file or a folder of them; None takes certifi's.
            max_reply_bytes: The cap on a body, also when it is unpacked.
        """
        self._sessions = Sessions(pool_size, ca_bundle)
        self._connect_seconds = connect_timeout_seconds
        self._proxies = proxies
        self._max_reply_bytes = max_reply_bytes

    def send(
        self,
        request: HttpRequest,
        *,
        deadline: Deadline,
        caller: socket.socket | None = None,
        first_byte_seconds: float | None = None,
    ) -> HttpReply:
        """Return the whole reply.

        Args:
            request: What to send. Compression is never asked for.
            deadline: When the last byte must be there.
            caller: Watched meanwhile for a hang-up.
            first_byte_seconds: When the first byte must be there, from now.

        Raises:
            LLMTimeout: It was not there in time.
            LLMUnavailable: No connection, or it closed without an answer.
            LLMProtocolError: The reply is too large, broken, or a redirect.
            CallerGone: The caller hung up; the upstream was hung up on.
            InternalError: A header is not fit to be sent.
        """
        _refuse_bad_headers(request.headers)
        watch = Watch(
            deadline,
            caller,
            connect_seconds=self._connect_seconds,
            first_byte_seconds=first_byte_seconds,
            most_bytes=self._max_reply_bytes + _FRAMING_BYTES,
        )
        watch.check()
        try:
            with watch.active(), self._sessions.borrowed() as session:
                return self._exchange(session, request, watch)
        except FOREIGN as error:
            raise explain(error, watch.has_reply) from error

    def close(self) -> None:
        """Let go of the connections, once those who still use them are done.

        A later `send` works and opens new ones.
        """
        self._sessions.close()

    def _exchange(
        self, session: requests.Session, request: HttpRequest, watch: Watch
    ) -> HttpReply:
        prepared = _prepare(request)
        proxy = self._proxies(request.url)
        proxies = {"http": proxy, "https": proxy} if proxy else {}

        def attempt() -> requests.Response:
            return session.send(
                prepared, stream=True, allow_redirects=False, proxies=proxies
            )

        with closing(_attempt_again_if_idle(attempt, watch)) as response:
            return self._read(response)

    def _read(self, response: requests.Response) -> HttpReply:
        if response.status_code // 100 not in _ANSWERS:
            raise LLMProtocolError(
                details=f"the upstream answered with status {response.status_code}; "
                "redirects are not followed"
            )
        try:
            body = self._read_body(response.raw)
        except FOREIGN as error:
            raise LLMProtocolError(
                details="the upstream's answer broke off or is not what it says"
            ) from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        headers.pop("set-cookie", None)
        return HttpReply(response.status_code, headers, body)

    def _read_body(self, raw: Any) -> bytes:
        body = bytearray()
        for piece in raw.stream(_READ_BYTES, decode_content=True):
            body += piece
            if len(body) > self._max_reply_bytes:
                raise LLMProtocolError(
                    details="the upstream's answer is larger than "
                    f"{self._max_reply_bytes} bytes"
                )
        return bytes(body)


def _attempt_again_if_idle(
    attempt: Callable[[], requests.Response], watch: Watch
) -> requests.Response:
    """Ask once more when an idle connection closed just as we used it.

    A request that its peer may have worked on is not repeated here: that is for
    the router to decide, who counts it.
    """
    try:
        return attempt()
    except FOREIGN:
        if not watch.is_stale():
            raise
    watch.may_reuse = False
    return attempt()


def _prepare(request: HttpRequest) -> requests.PreparedRequest:
    headers = {
        "User-Agent": "flaskllm",
        "Accept-Encoding": "identity",
        **request.headers,
    }
    return requests.Request(
        request.method, request.url, headers=headers, data=request.body
    ).prepare()


def _refuse_bad_headers(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not (_NAME.fullmatch(name) and _VALUE.fullmatch(value)):
            raise InternalError(
                details=f"the header {name!r} was not sent: a line break, a control "
                "character or a character beyond Latin-1 is in it"
            )
