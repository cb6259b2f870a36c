"""What processes find of deployments, told to each other through a store they share.

What is found here is told at once, beside the requests. What others found is read
twice a second at most and only while requests come; whoever comes after a pause waits
for it a moment, so that nobody acts on what was known a second ago.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.errors import APIError
from flaskllm.core.findings import Finding, News
from flaskllm.core.recovery import Recovery
from flaskllm.services.background import Errand

EVERY_SECONDS = 0.4
# Together with the patience, and the time that telling takes, this is below a second.
_STALE_SECONDS = 0.6
_PATIENCE_SECONDS = 0.25
# Beyond so many, the oldest that waits to be told is dropped.
_MOST_WAITING = 1000

_log = logging.getLogger(__name__)


class NewsStore(Protocol):
    """Where findings are told."""

    def tell(self, findings: tuple[Finding, ...]) -> None:
        """Store each in the place of the one before of its subject and kind.

        Raises:
            APIError: Nothing was stored.
        """
        ...

    def read(self, seen: int) -> News:
        """Return what was told since this version.

        Raises:
            APIError: The store cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A finding that is still to be told, and when it was found (monotonic)."""

    finding: Finding
    at_seconds: float

    def as_of(self, now_seconds: float) -> Finding:
        return self.finding.after(now_seconds - self.at_seconds)


class RoutingNews:
    """Tells and hears, for one process."""

    def __init__(
        self,
        store: NewsStore,
        hear: Callable[[tuple[Finding, ...]], None],
        clock: Clock,
        own_name: Callable[[], str],
        *,
        threaded: bool,
    ) -> None:
        """Keep the collaborators; nothing is read yet.

        Args:
            store: Where findings are told.
            hear: Takes in what others found.
            clock: Tells when to read again.
            own_name: Returns the name of this process, which no other has.
            threaded: Whether a thread may do it; else a request does.
        """
        self._store = store
        self._hear = hear
        self._clock = clock
        self._own_name = own_name
        self._errand = Errand(self._exchange, "routing-news") if threaded else None
        self._recovery = Recovery(clock)
        self._waiting: dict[tuple[str, str], _Waiting] = {}
        self._lock = threading.Lock()
        self._exchanging = threading.Lock()
        self._seen = 0
        self._looked_seconds = float("-inf")

    def tell(self, finding: Finding) -> None:
        """Tell the others, soon; of what waits the last of each kind is told."""
        told = replace(finding, told_by=self._own_name())
        key = finding.subject, finding.kind
        with self._lock:
            self._waiting.pop(key, None)
            self._waiting[key] = _Waiting(told, self._clock.monotonic())
            if len(self._waiting) > _MOST_WAITING:
                del self._waiting[next(iter(self._waiting))]
        self._run(0.0)

    def keep_current(self) -> None:
        """Take up what others found; for the start of every request.

        It never raises, and waits a quarter of a second at most.
        """
        now_seconds = self._clock.monotonic()
        idle_seconds = now_seconds - self._looked_seconds
        if idle_seconds < EVERY_SECONDS:
            return
        # Two threads that come here at once read twice; neither waits for a lock.
        self._looked_seconds = now_seconds
        self._run(_PATIENCE_SECONDS if idle_seconds >= _STALE_SECONDS else 0.0)

    def _run(self, patience_seconds: float) -> None:
        if self._errand is None:
            self._exchange()
        elif patience_seconds and not self._recovery.works:
            self._errand.ask()
        else:
            self._errand.ask(patience_seconds)

    def _exchange(self) -> None:
        """Tell what waits, and hear what is new; it never raises."""
        with self._exchanging:
            if not self._recovery.may_ask():
                return
            try:
                self._tell_waiting()
                self._read()
            except Exception as error:  # the thread that reads must live on
                self._tell_failure(error)
                return
            if self._recovery.succeeded():
                logs.event(_log, logging.INFO, "routing_shared")

    def _tell_waiting(self) -> None:
        with self._lock:
            waiting = dict(self._waiting)
        if not waiting:
            return
        now_seconds = self._clock.monotonic()
        self._store.tell(tuple(each.as_of(now_seconds) for each in waiting.values()))
        with self._lock:
            for key, told in waiting.items():
                if self._waiting.get(key) is told:
                    del self._waiting[key]

    def _read(self) -> None:
        news = self._store.read(self._seen)
        own_name = self._own_name()
        with self._lock:
            # What was found here meanwhile is newer, and not yet told.
            heard = tuple(
                each
                for each in news.findings
                if each.told_by != own_name
                and (each.subject, each.kind) not in self._waiting
            )
        self._hear(heard)
        self._seen = news.version

    def _tell_failure(self, error: Exception) -> None:
        if not self._recovery.failed():
            return
        code = error.code if isinstance(error, APIError) else type(error).__name__
        reason = error.details if isinstance(error, APIError) else ""
        logs.event(
            _log, logging.WARNING, "routing_not_shared", code=code, reason=reason
        )
