"""What somebody else's URL holds, fetched over TLS; a few redirects are followed.

Each address on the way is checked anew, as if it had been given. What came with the
first request may be secret, so another host gets none of it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final
from urllib.parse import urljoin, urlsplit

from flaskllm.core.clock import Clock, Deadline
from flaskllm.net.egress import (
    Egress,
    EgressRefused,
    EgressReply,
    EgressRequest,
    Refusal,
)

MOST_BYTES: Final = 10 * 1024 * 1024
TOTAL_SECONDS: Final = 60.0
MOST_REDIRECTS: Final = 3

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is fetched: by GET, or by POST where there is a `body`."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Fetches. Threads may share it."""

    egress: Egress
    clock: Clock

    def fetch(
        self,
        wanted: Wanted,
        *,
        total_seconds: float = TOTAL_SECONDS,
        most_bytes: int = MOST_BYTES,
    ) -> EgressReply:
        """Return what the last address of the way answered, whatever it was.

        A GET is redirected up to three times; the answer to one more is that
        redirect itself. A POST is not: nobody else gets what it says.

        Args:
            wanted: What is asked first.
            total_seconds: For all of it.
            most_bytes: Of each answer.

        Raises:
            EgressRefused: An address of the way may not be called, or is no https.
            EgressFailed: There was no whole answer; a repetition may help.
            InternalError: A header is not fit to be sent.
        """
        deadline = Deadline.after(total_seconds, self.clock)
        request = EgressRequest(
            "GET" if wanted.body is None else "POST",
            wanted.url,
            wanted.headers,
            wanted.body,
        )
        reply = self.egress.fetch(request, deadline, most_bytes)
        for _ in range(MOST_REDIRECTS):
            following = _redirected(request, reply)
            if following is None:
                break
            request = following
            reply = self.egress.fetch(request, deadline, most_bytes)
        return reply


def _redirected(request: EgressRequest, reply: EgressReply) -> EgressRequest | None:
    """Return what is asked next; None where the reply is no redirect to be followed."""
    if reply.status not in _REDIRECTS or request.body is not None:
        return None
    if not reply.location:
        return None
    try:
        url = urljoin(request.url, reply.location)
        is_same = _place(url) == _place(request.url)
    except ValueError as error:
        raise EgressRefused(Refusal.MALFORMED) from error
    return replace(request, url=url, headers=request.headers if is_same else {})


def _place(url: str) -> str:
    """Return host and port as they are written; another spelling is another place."""
    return urlsplit(url).netloc
