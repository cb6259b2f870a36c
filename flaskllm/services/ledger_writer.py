"""One writer per process: attempts wait for a transaction that they share.

While one transaction commits, whoever comes gathers for the next. What ended rides
along with what begins, or goes alone after a fifth of a second.
"""

import atexit
import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from flaskllm.core.clock import Clock
from flaskllm.services.background import ThreadOfProcess
from flaskllm.services.ledger_book import MOST_AT_ONCE, Book
from flaskllm.services.ledger_ticket import Ticket
from flaskllm.storage.ledger import Closing, Reservation, Verdict

# Beyond this the disk does not keep up, and requests wait for it after all.
_MOST_WAITING = 10_000
# So long what ended waits for company: a transaction costs more than its rows.
_GATHER_SECONDS = 0.2
_LAST_FLUSH_SECONDS = 5.0
# Of a store that fails nobody expects much: callers shall not pile up before it.
_FAILING_SECONDS = 1.0

_Arrivals = queue.SimpleQueue[Ticket | Closing | threading.Event]


@dataclass(slots=True)
class _Desk:
    """What the threads of one process bring, and the book it goes into.

    An event among what arrives is set once everything before it is written.
    """

    book: Book
    arrivals: _Arrivals = field(default_factory=queue.SimpleQueue)
    flushes: list[threading.Event] = field(default_factory=list)


class LedgerWriter:
    """Hands what comes to one thread per process, made at first use and after a fork.

    What waits is written at the end of the process; a killed one leaves reservations
    that the sweep settles.
    """

    def __init__(self, make_book: Callable[[], Book], clock: Clock) -> None:
        """Keep what makes the book of a process. Nothing is started."""
        self._make_book = make_book
        self._clock = clock
        self._thread = ThreadOfProcess("ledger-writer", self._make_desk, self._run)

    @property
    def waiting(self) -> int:
        """Return how many reservations and closings the thread has not taken yet."""
        desk = self._thread.state()
        return desk.arrivals.qsize() if desk else 0

    def reserve(self, reservation: Reservation, patience_seconds: float) -> Verdict:
        """Return the verdict once the reservation is durable, or refused.

        After a failure of the store nobody waits longer than a second, until it
        takes something again.

        Raises:
            ServiceUnavailable: It was not written in time, or the store does not
                take it; a retry may help.
            InternalError: The reservation is wrong: our own fault.
        """
        ticket, desk = Ticket(reservation), self._thread.begin()
        if desk.book.is_failing:
            patience_seconds = min(patience_seconds, _FAILING_SECONDS)
        desk.arrivals.put(ticket)
        return ticket.wait(patience_seconds)

    def close(self, closing: Closing) -> None:
        """Return at once; it is written within half a second if the store works.

        Only when very much waits does this wait too.
        """
        self._thread.begin().arrivals.put(closing)
        if self.waiting > _MOST_WAITING:
            self.flush()

    def flush(self, seconds: float = _LAST_FLUSH_SECONDS) -> bool:
        """Tell whether all that was closed so far was written within this time."""
        desk = self._thread.state()
        if desk is None:
            return True
        mark = threading.Event()
        desk.arrivals.put(mark)
        return mark.wait(seconds)

    def _make_desk(self) -> _Desk:
        return _Desk(self._make_book())

    def _run(self, desk: _Desk) -> None:
        atexit.register(self.flush)
        while True:
            tickets = self._gather(desk)
            began_seconds = self._clock.monotonic()
            desk.book.commit(tickets)
            if desk.book.is_failing:
                self._refuse_late(desk, began_seconds)
            if not desk.book.has_waiting:
                for mark in desk.flushes:
                    mark.set()
                desk.flushes.clear()

    def _refuse_late(self, desk: _Desk, began_seconds: float) -> None:
        """Refuse who came while the store took its time to fail.

        One after the other would wait as long for the same.
        """
        if self._clock.monotonic() - began_seconds >= _FAILING_SECONDS:
            late: list[Ticket] = []
            _take(desk, late)
            desk.book.refuse(late)

    def _gather(self, desk: _Desk) -> list[Ticket]:
        """Return those who wait, once there is something to do.

        Somebody who waits is reason enough, and so is a flush.
        """
        tickets: list[Ticket] = []
        until = self._due_seconds(desk.book)
        while not (tickets or desk.book.is_full):
            try:
                item = desk.arrivals.get(timeout=self._left_seconds(until))
            except queue.Empty:
                return tickets
            _sort(item, desk, tickets)
            if isinstance(item, threading.Event):
                break
            if until is None and desk.book.has_waiting:
                until = self._clock.monotonic() + _GATHER_SECONDS
        self._take_all(desk, tickets)
        return tickets

    def _take_all(self, desk: _Desk, tickets: list[Ticket]) -> None:
        """Take who is there, and who comes when the others may run, one by one.

        Each statement of a transaction lets go of the interpreter, and has to wait
        until it gets it back from whoever is at work: many small ones would cost
        callers more than the moment until those at work have come here too.
        """
        count = -1
        while count < len(tickets) < MOST_AT_ONCE:
            count = len(tickets)
            self._clock.sleep(0.0)
            _take(desk, tickets)

    def _due_seconds(self, book: Book) -> float | None:
        """Return when what is left must go, None where nothing is."""
        return book.again_seconds if book.has_waiting else None

    def _left_seconds(self, until: float | None) -> float | None:
        if until is None:
            return None
        return max(0.0, until - self._clock.monotonic())


class DirectWriter:
    """Writes at once, in the thread that asks: for a host without threads."""

    def __init__(self, make_book: Callable[[], Book], clock: Clock) -> None:
        """Keep what makes the book of a process; nothing is opened."""
        self._make_book = make_book
        self._clock = clock
        self._turn = threading.Lock()
        self._book: tuple[int, Book] | None = None

    def reserve(self, reservation: Reservation, patience_seconds: float) -> Verdict:
        """Return the verdict, as `LedgerWriter.reserve`; the store ends the wait."""
        ticket = Ticket(reservation)
        with self._turn:
            self._own_book().commit([ticket])
        return ticket.wait(patience_seconds)

    def close(self, closing: Closing) -> None:
        """Return when it is written; kept when the store does not take it now."""
        with self._turn:
            book = self._own_book()
            book.kept.append(closing)
            # Who is refused by the store waits for it: not each of them should.
            if self._clock.monotonic() >= book.again_seconds:
                book.commit(())

    def flush(self, seconds: float = _LAST_FLUSH_SECONDS) -> bool:
        """Tell whether all that was kept could be written."""
        with self._turn:
            if self._book is None:
                return True
            book = self._own_book()
            book.commit(())
            return not book.has_waiting

    def _own_book(self) -> Book:
        if self._book is None or self._book[0] != os.getpid():
            self._book = os.getpid(), self._make_book()
            atexit.register(self.flush)
        return self._book[1]


def _take(desk: _Desk, tickets: list[Ticket]) -> None:
    """Take what is there already, up to what one transaction takes."""
    while len(tickets) < MOST_AT_ONCE:
        try:
            item = desk.arrivals.get_nowait()
        except queue.Empty:
            return
        _sort(item, desk, tickets)


def _sort(
    item: Ticket | Closing | threading.Event, desk: _Desk, tickets: list[Ticket]
) -> None:
    if isinstance(item, Ticket):
        tickets.append(item)
    elif isinstance(item, Closing):
        desk.book.kept.append(item)
    else:
        desk.flushes.append(item)
