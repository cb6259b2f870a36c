"""Routing as all processes see it: limits of upstreams, and how deployments stand."""

import hashlib
import hmac
import itertools
import os
import socket
from collections.abc import Callable
from functools import lru_cache

from flaskllm.core.findings import Finding
from flaskllm.core.ids import random_base62
from flaskllm.core.upstream_counts import Given, Refused, Wanted
from flaskllm.llm.health.sharing import Held
from flaskllm.llm.terms import Limits
from flaskllm.services.routing_news import RoutingNews
from flaskllm.services.upstream_counting import UpstreamCounting

_MOST_NAMES = 4096
_HOST_CHARACTERS = 60
# What began before its deadline has ended so long after it.
_MARGIN_SECONDS = 30
# So long one process may probe; who takes longer is joined by another.
_PROBE_SECONDS = 10


class ProcessName:
    """The name of this process, which no other has, also after a fork."""

    def __init__(self) -> None:
        """Find it at first use."""
        self._found: tuple[int, str] | None = None

    def __call__(self) -> str:
        """Return `host:process id:random`."""
        pid = os.getpid()
        if self._found is None or self._found[0] != pid:
            host = socket.gethostname()[:_HOST_CHARACTERS]
            self._found = pid, f"{host}:{pid}:{random_base62(6)}"
        return self._found[1]


class RoutingState:
    """What `llm.health` shares with other processes, see `llm.health.sharing`."""

    def __init__(
        self,
        counting: UpstreamCounting,
        news: RoutingNews,
        own_name: ProcessName,
        key: Callable[[], bytes],
        deadline_seconds: float,
    ) -> None:
        """Keep the collaborators.

        Args:
            counting: Counts limits together.
            news: Tells and hears findings.
            own_name: That of this process.
            key: Returns the key under which names are made.
            deadline_seconds: The longest a request may take.
        """
        self._counting = counting
        self._news = news
        self._own_name = own_name
        self._key = key
        self._seat_seconds = int(deadline_seconds) + _MARGIN_SECONDS
        self._numbers = itertools.count(1)
        self._named = lru_cache(_MOST_NAMES)(self._make_name)

    def name_of(self, text: str) -> str:
        """Return a keyed digest of it: 64 hexadecimal digits."""
        return self._named(text)

    def take(
        self, place: str, limits: Limits, tokens: int, *, is_probe: bool
    ) -> Held | Refused:
        """Take a place for an attempt that begins now, unless it is refused."""
        seat = f"{self._own_name()}:{next(self._numbers)}"
        answer = self._counting.take(
            place,
            Wanted(
                seat,
                tokens,
                limits.requests_per_minute,
                limits.tokens_per_minute,
                limits.concurrent_requests,
                self._seat_seconds,
                _PROBE_SECONDS if is_probe else 0,
            ),
        )
        if isinstance(answer, Refused):
            return answer
        has_more = limits.tokens_per_minute or limits.concurrent_requests or is_probe
        return Held(place, seat, answer.second, tokens, answer.headroom, bool(has_more))

    def give(self, held: Held, used_tokens: int | None) -> None:
        """Give a place back, soon; None where nobody counted the tokens."""
        more = 0 if used_tokens is None else used_tokens - held.tokens
        self._counting.give(held.key, Given(held.seat, held.second, more))

    def tell(self, finding: Finding) -> None:
        """Tell the others, soon."""
        self._news.tell(finding)

    def keep_current(self) -> None:
        """Take up what others found; for the start of every request."""
        self._news.keep_current()

    def _make_name(self, text: str) -> str:
        return hmac.new(self._key(), text.encode(), hashlib.sha256).hexdigest()
