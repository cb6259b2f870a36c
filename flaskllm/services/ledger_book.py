"""Batches for the ledger: written together, answered one by one, kept when it fails."""

import logging
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.errors import APIError, InternalError, ServiceUnavailable
from flaskllm.core.metrics_money import MoneyMetrics
from flaskllm.services.ledger_ticket import Ticket
from flaskllm.storage.budgets import BudgetStanding
from flaskllm.storage.ledger import (
    Admitted,
    Closing,
    Reservation,
    Written,
)

MOST_AT_ONCE = 500
"""Reservations, and closings, in one transaction at most."""

AGAIN_SECONDS = 1.0
"""So long after a failure what was kept is tried again."""

MOST_KEPT = 10_000
"""Closings that are kept at most while the store takes nothing."""

_MOST_UNDONE = 1_000

Write = Callable[[Sequence[Reservation], Sequence[Closing]], Written]
Tell = Callable[[tuple[BudgetStanding, ...]], None]
_Part = tuple[Sequence[Ticket], Sequence[Closing]]

_log = logging.getLogger(__name__)


class Book:
    """What one process writes into the ledger; one thread at a time uses it.

    Attributes:
        kept: Closings that wait for the store, the oldest first.
    """

    def __init__(
        self, write: Write, tell: Tell, clock: Clock, metrics: MoneyMetrics
    ) -> None:
        """Begin with nothing to write.

        Args:
            write: Writes a batch in one transaction, see `Ledger.write`.
            tell: Hears which budgets are passed now, after the commit.
            clock: Dates what is undone, and times the next try.
            metrics: Count the batches.
        """
        self.kept: deque[Closing] = deque()
        self._undone: deque[Closing] = deque()
        self._write = write
        self._tell = tell
        self._clock = clock
        self._metrics = metrics
        self._fails_until: float | None = None
        self._failure: APIError | None = None

    @property
    def has_waiting(self) -> bool:
        """Tell whether there is something that no ticket waits for."""
        return bool(self.kept or self._undone)

    @property
    def is_full(self) -> bool:
        """Tell whether a whole transaction waits that the store would take."""
        return self._fails_until is None and len(self.kept) >= MOST_AT_ONCE

    @property
    def is_failing(self) -> bool:
        """Tell whether the store took nothing when it was asked last."""
        return self._fails_until is not None

    @property
    def again_seconds(self) -> float:
        """Return when the store is to be tried again by itself; 0 when it works.

        It is a time of the monotonic clock.
        """
        return self._fails_until or 0.0

    def refuse(self, tickets: Iterable[Ticket]) -> None:
        """Answer these, which were not tried, as those that failed last."""
        for each in tickets:
            each.answer(self._failure or ServiceUnavailable())

    def commit(self, tickets: Sequence[Ticket]) -> None:
        """Write these and what waits; all are answered when it returns.

        It never raises: of what is wrong only this is lost, and what the store does
        not take now is kept.
        """
        waiting = [each for each in tickets if not each.is_settled]
        closings = [*_take(self._undone), *_take(self.kept)]
        try:
            if waiting or closings:
                self._commit(waiting, closings)
        except Exception as error:  # the writer's one thread must live on
            logs.event(_log, logging.ERROR, "ledger_failed", error=error)
        finally:
            for each in waiting:
                each.answer(InternalError())
        self._metrics.show_waiting(len(self.kept))

    def _commit(self, tickets: Sequence[Ticket], closings: Sequence[Closing]) -> None:
        """Write a batch; where one is wrong, each half of it, until it is alone."""
        try:
            written = self._write([each.reservation for each in tickets], closings)
        except ServiceUnavailable as error:  # the store, and not the batch
            self._put_off(tickets, closings, error)
        except Exception as error:
            if len(tickets) + len(closings) == 1:
                self._lose(tickets, closings, error)
                return
            for part in _halves(tickets, closings):
                self._commit(*part)
        else:
            self._answer(tickets, closings, written)

    def _answer(
        self, tickets: Sequence[Ticket], closings: Sequence[Closing], written: Written
    ) -> None:
        for ticket, verdict in zip(tickets, written.verdicts, strict=True):
            if not ticket.answer(verdict) and isinstance(verdict, Admitted):
                self._undo(ticket)
        self._metrics.count_batch(len(tickets) + len(closings))
        if self._fails_until is not None:
            self._fails_until = None
            logs.event(_log, logging.WARNING, "ledger_writable", waiting=len(self.kept))
        if written.told:
            self._tell(written.told)

    def _put_off(
        self, tickets: Iterable[Ticket], closings: Sequence[Closing], error: APIError
    ) -> None:
        """Refuse the tickets, keep the closings, and tell it once."""
        for ticket in tickets:
            ticket.answer(error)
            # A connection that broke during the commit does not tell what it did.
            self._undo(ticket)
        for each in closings:
            if each.usage is None:
                self._keep_undone(each)
        self.kept.extendleft(each for each in reversed(closings) if each.usage)
        while len(self.kept) > MOST_KEPT:
            _tell_lost(self.kept.popleft(), error)
        if self._fails_until is None:
            logs.event(
                _log,
                logging.ERROR,
                "ledger_not_writable",
                code=error.code,
                reason=error.details,
            )
        self._failure = error
        self._fails_until = self._clock.monotonic() + AGAIN_SECONDS

    def _undo(self, ticket: Ticket) -> None:
        """Release it, should it have been written: its attempt is never made."""
        held = ticket.reservation
        self._keep_undone(
            Closing(held.attempt_id, self._clock.now(), held, None, is_released=True)
        )

    def _keep_undone(self, closing: Closing) -> None:
        self._undone.append(closing)
        if len(self._undone) > _MOST_UNDONE:
            details = "Too many reservations wait to be given back."
            _tell_lost(self._undone.popleft(), ServiceUnavailable(details=details))

    def _lose(
        self, tickets: Iterable[Ticket], closings: Iterable[Closing], error: Exception
    ) -> None:
        told = error if isinstance(error, APIError) else _fault(error)
        for ticket in tickets:
            ticket.answer(told)
        for closing in closings:
            _tell_lost(closing, told)


def _take(waiting: deque[Closing]) -> Iterator[Closing]:
    for _ in range(min(len(waiting), MOST_AT_ONCE)):
        yield waiting.popleft()


def _halves(
    tickets: Sequence[Ticket], closings: Sequence[Closing]
) -> tuple[_Part, _Part]:
    if tickets and closings:
        return ((), closings), (tickets, ())
    middle = (len(tickets) + len(closings)) // 2
    return (
        (tickets[:middle], closings[:middle]),
        (tickets[middle:], closings[middle:]),
    )


def _fault(error: Exception) -> InternalError:
    return InternalError(details=type(error).__name__)


def _tell_lost(closing: Closing, error: APIError) -> None:
    """Log what is not recorded; its reservation stays until it is swept."""
    used = closing.usage
    logs.event(
        _log,
        logging.WARNING,
        "usage_not_recorded",
        attempt_id=closing.attempt_id,
        request_id=used.request_id if used else None,
        principal=used.principal_id if used else None,
        deployment=used.deployment if used else None,
        attempt=used.attempt if used else None,
        cost_nanos=used.cost_nanos if used else None,
        code=error.code,
        reason=error.details,
    )
