"""The one HTTP client: a request goes out, a reply or a typed error comes back.

It never follows a redirect, never stores a cookie, never retries what an
upstream may have begun to answer, never reads the environment. What
`requests`, `urllib3`, `ssl` and the system raise ends here (`failures`).
"""

import socket
from collections.abc import Callable, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from functools import lru_cache

import requests
from requests.structures import CaseInsensitiveDict

from flaskllm.core.clock import Deadline
from flaskllm.core.errors import LLMProtocolError
from flaskllm.net.failures import FOREIGN, explain
from flaskllm.net.headers import refuse_bad_headers
from flaskllm.net.session import Sessions
from flaskllm.net.streams import Caps, HttpReply, HttpStream
from flaskllm.net.watch import Watch

MEBIBYTE = 1024 * 1024

__all__ = ["HttpReply", "HttpRequest", "HttpStream", "Transport"]

_ANSWERS = (2, 4, 5)  # the classes of statuses that end an exchange here
_FRAMING_BYTES = MEBIBYTE  # headers, interim replies and the frames of chunks


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What to send. Its text form leaves out what may hold a secret or a prompt."""

    method: str
    url: str
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
        max_stream_bytes: int = 256 * MEBIBYTE,
    ) -> None:
        """Keep the settings; nothing is opened.

        Args:
            pool_size: Idle connections kept; the number of threads.
            connect_timeout_seconds: For TCP, proxy and TLS together. The name
                look-up counts too, but it cannot be cut short: a slow one
                overruns this, and the deadline, until the system answers.
            proxies: Gives a URL's proxy, or None to go there directly.
            ca_bundle: A PEM file or a folder of them; None takes certifi's.
            max_reply_bytes: The cap on a body that is read whole, as it comes
                and when it is unpacked.
            max_stream_bytes: The same for one that is read piece by piece.
        """
        self._sessions = Sessions(pool_size, ca_bundle)
        self._connect_seconds = connect_timeout_seconds
        self._proxies = proxies
        self._caps = Caps(max_reply_bytes, max_stream_bytes)

    def open(
        self,
        request: HttpRequest,
        *,
        deadline: Deadline,
        caller: socket.socket | None = None,
        first_byte_seconds: float | None = None,
        head_seconds: float | None = None,
    ) -> HttpStream:
        """Return the reply as soon as its head is there; the caller closes it.

        Args:
            request: What to send. Compression is never asked for.
            deadline: When the last byte must be there.
            caller: Watched meanwhile for a hang-up, and while the body is read.
            first_byte_seconds: When the first byte must be there, from now; and
                the longest silence within the head.
            head_seconds: When the whole head must be there, from now.

        Raises:
            LLMTimeout: It was not there in time.
            LLMUnavailable: No connection, or it closed without an answer.
            LLMProtocolError: The head is too large, broken, or a redirect.
            CallerGone: The caller hung up; the upstream was hung up on.
            InternalError: A header is not fit to be sent.
        """
        watch = Watch(
            deadline,
            caller,
            connect_seconds=self._connect_seconds,
            first_byte_seconds=first_byte_seconds,
            head_seconds=head_seconds,
            most_bytes=self._caps.stream_bytes + _FRAMING_BYTES,
        )
        return self._open(request, watch)

    def send(
        self,
        request: HttpRequest,
        *,
        deadline: Deadline,
        caller: socket.socket | None = None,
        first_byte_seconds: float | None = None,
    ) -> HttpReply:
        """Return the whole reply. What is taken and raised is as for `open`."""
        watch = Watch(
            deadline,
            caller,
            connect_seconds=self._connect_seconds,
            first_byte_seconds=first_byte_seconds,
            most_bytes=self._caps.reply_bytes + _FRAMING_BYTES,
        )
        with closing(self._open(request, watch)) as stream:
            return stream.read_reply()

    def close(self) -> None:
        """Let go of the connections, once those who still use them are done.

        A later `send` works and opens new ones.
        """
        self._sessions.close()

    def _open(self, request: HttpRequest, watch: Watch) -> HttpStream:
        refuse_bad_headers(request.headers)
        watch.check()
        with ExitStack() as resources:
            try:
                with watch.active():
                    session = resources.enter_context(self._sessions.borrowed())
                    response = self._exchange(session, request, watch)
            except FOREIGN as error:
                raise explain(error, watch.has_reply) from error
            if response.status_code // 100 not in _ANSWERS:
                response.close()
                raise LLMProtocolError(
                    details="The upstream answered with status "
                    f"{response.status_code}; redirects are not followed."
                )
            return HttpStream(response, watch, resources.pop_all(), self._caps)

    def _exchange(
        self, session: requests.Session, request: HttpRequest, watch: Watch
    ) -> requests.Response:
        prepared = _prepare(request)
        proxy = self._proxies(request.url)
        proxies = {"http": proxy, "https": proxy} if proxy else {}

        def attempt() -> requests.Response:
            return session.send(prepared, stream=True, proxies=proxies)

        return _attempt_again_if_idle(attempt, watch)


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
    """Return what `requests` would prepare, without what it guesses and checks."""
    prepared = requests.PreparedRequest()
    prepared.method = request.method
    prepared.url = _checked_url(request.url)
    prepared.headers = CaseInsensitiveDict(
        {"User-Agent": "flaskllm", "Accept-Encoding": "identity", **request.headers}
    )
    if request.body:
        prepared.body = request.body
        prepared.headers["Content-Length"] = str(len(request.body))
    return prepared


@lru_cache(maxsize=1024)
def _checked_url(url: str) -> str | None:
    """Return the URL as it is sent; there are few, and it is slow to make.

    Raises:
        requests.RequestException: It cannot be asked.
    """
    prepared = requests.PreparedRequest()
    prepared.prepare_url(url, None)
    return prepared.url
