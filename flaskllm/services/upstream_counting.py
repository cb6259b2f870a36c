"""Limits of upstreams, counted by all processes together, or here when that fails.

Attempts hand what they want to one thread per process, which asks the store for all
of them at once: so a store that hangs holds up no request for longer than a quarter
of a second, and many attempts cost it one transaction. Without threads each asks for
itself.
"""

import logging
import queue
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.errors import APIError, ServiceUnavailable
from flaskllm.core.recovery import Recovery
from flaskllm.core.upstream_counts import (
    Counts,
    Given,
    Order,
    Refused,
    Settled,
    Taken,
    Wanted,
    settle,
)
from flaskllm.services.background import ThreadOfProcess

PATIENCE_SECONDS = 0.25
"""How long a request waits for a store; slow is worse than dead."""

_MOST_AT_ONCE = 64
# What could not be given back; its seats end by themselves.
_MOST_OWED = 1000

_log = logging.getLogger(__name__)


class CountStore(Protocol):
    """Where all processes count."""

    def settle(self, orders: Sequence[Order]) -> tuple[Settled, ...]:
        """Do what these orders say, one after the other; return what came of each.

        Raises:
            APIError: The store does not work, or not in time.
        """
        ...


@dataclass(slots=True)
class _Ticket:
    """An order that somebody waits for, until it is abandoned."""

    order: Order
    done: threading.Event = field(default_factory=threading.Event)
    settled: Settled | None = None
    error: Exception | None = None
    is_abandoned: bool = False


@dataclass(slots=True)
class _Desk:
    """What the threads of one process bring."""

    arrivals: "queue.SimpleQueue[_Ticket | Order]" = field(
        default_factory=queue.SimpleQueue
    )


class UpstreamCounting:
    """Counts in the store; from what was last seen of it while it fails.

    Then it is asked again at most once a second.
    """

    def __init__(
        self,
        store: CountStore,
        clock: Clock,
        count_alone: Callable[[], None],
        *,
        threaded: bool,
    ) -> None:
        """Keep the collaborators; nothing is started.

        Args:
            store: Where all processes count.
            clock: Goes on with the store's time while it fails.
            count_alone: Counts an attempt that was counted here alone.
            threaded: Whether a thread may ask the store; else the request does.
        """
        self._store = store
        self._clock = clock
        self._count_alone = count_alone
        self._recovery = Recovery(clock)
        self._mirror = _Mirror(clock)
        self._owed: deque[Order] = deque(maxlen=_MOST_OWED)
        self._thread = (
            ThreadOfProcess("upstream-counts", _Desk, self._work) if threaded else None
        )

    def take(self, key: str, wanted: Wanted) -> Taken | Refused:
        """Count this attempt, or tell why it may not be made; it never raises."""
        order = Order(key, wanted)
        may_ask = self._recovery.may_ask()
        settled = self._ask(order) if may_ask else None
        if settled is None:
            self._count_alone()
            settled = self._mirror.settle(order)
            if may_ask and isinstance(settled.answer, Refused):
                # The store may yet have let it through, and nobody would give it back.
                self._owed.append(Order(key, Given(wanted.seat, 0)))
        assert settled.answer is not None  # something was wanted
        return settled.answer

    def give(self, key: str, given: Given) -> None:
        """Give back what an attempt does not need any more, soon."""
        order = Order(key, given)
        if self._recovery.works and self._pass_on(order):
            return
        self._mirror.settle(order)
        self._owed.append(order)

    def _pass_on(self, order: Order) -> bool:
        """Let the store have what is given back; not where no thread is to be had."""
        if self._thread is None:
            self._owed.append(order)
            self._settle([])
            return True
        try:
            self._thread.begin().arrivals.put(order)
        except ServiceUnavailable:
            return False
        return True

    def _ask(self, order: Order) -> Settled | None:
        """Return what came of it, None where the store did not tell in time."""
        ticket = _Ticket(order)
        if self._thread is None:
            self._settle([ticket])
        else:
            self._wait_for(ticket, self._thread)
        if ticket.settled is None:
            self._tell_failure(ticket.error)
        elif self._recovery.succeeded():
            logs.event(_log, logging.INFO, "upstream_limits_counted_together")
        return ticket.settled

    def _wait_for(self, ticket: _Ticket, thread: ThreadOfProcess[_Desk]) -> None:
        try:
            thread.begin().arrivals.put(ticket)
        except ServiceUnavailable as error:
            ticket.error = error
            return
        if not ticket.done.wait(PATIENCE_SECONDS):
            ticket.is_abandoned = True

    def _tell_failure(self, error: Exception | None) -> None:
        if not self._recovery.failed():
            return
        code, reason = "SERVICE_UNAVAILABLE", "It did not answer in time."
        if isinstance(error, APIError):
            code, reason = error.code, error.details
        logs.event(
            _log,
            logging.WARNING,
            "upstream_limits_counted_alone",
            code=code,
            reason=reason,
        )

    def _work(self, desk: _Desk) -> None:
        while True:
            self._settle(self._gathered(desk))

    def _gathered(self, desk: _Desk) -> list[_Ticket]:
        """Return who waits, once somebody came; what is given back is owed."""
        tickets: list[_Ticket] = []
        item: _Ticket | Order | None = desk.arrivals.get()
        while item is not None:
            if isinstance(item, _Ticket):
                tickets.append(item)
            else:
                self._owed.append(item)
            item = None
            if len(tickets) < _MOST_AT_ONCE and not desk.arrivals.empty():
                item = desk.arrivals.get()
        return tickets

    def _settle(self, tickets: Sequence[_Ticket]) -> None:
        """Ask the store for those still waited for, and for what is owed, at once."""
        # In this order: who gives back what it got here alone abandoned it before, so
        # nothing is given back ahead of the order that takes it.
        owed = [self._owed.popleft() for _ in range(len(self._owed))]
        tickets = [each for each in tickets if not each.is_abandoned]
        orders = [*owed, *(each.order for each in tickets)]
        if not orders:
            return
        try:
            settled = self._store.settle(orders)
        except Exception as error:  # the one thread of the process must live on
            self._owed.extend(owed)
            for ticket in tickets:
                ticket.error = error
                ticket.done.set()
            return
        for order, result in zip(orders, settled, strict=True):
            self._mirror.keep(order.key, result)
        for ticket, result in zip(tickets, settled[len(owed) :], strict=True):
            ticket.settled = result
            ticket.done.set()


class _Mirror:
    """What was last seen of the store, and what was counted here since."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        # The store's time, as far ahead of our monotonic clock.
        self._ahead_seconds = 0.0
        self._counts: dict[str, Counts] = {}

    def keep(self, key: str, settled: Settled) -> None:
        with self._lock:
            self._ahead_seconds = settled.at - self._clock.monotonic()
            self._counts[key] = settled.counts

    def settle(self, order: Order) -> Settled:
        with self._lock:
            now = self._clock.monotonic() + self._ahead_seconds
            counts = self._counts.get(order.key, Counts())
            settled = settle(counts, order.what, now)
            self._counts[order.key] = settled.counts
            return settled
