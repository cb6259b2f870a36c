"""A store that can be held, broken and taken down, for those who write to it."""

import threading
import time
from contextlib import contextmanager

from log_lines import ours

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.metrics import Metrics
from flaskllm.services.ledger_book import Book
from flaskllm.storage.ledger import Admitted, Written


class Hold:
    """The writer stands still in its transaction until this ends."""

    def __init__(self):
        self.arrived, self.may_go = threading.Event(), threading.Event()

    def wait_for_writer(self):
        assert self.arrived.wait(30)

    def wait_until(self, condition):
        give_up_at = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < give_up_at
            threading.Event().wait(0.001)


class Store:
    """Writes into lists. What is in `broken` is wrong; `verdicts` are by attempt."""

    def __init__(self):
        self.is_down = False
        self.broken = set()
        self.verdicts = {}
        self.sizes = []
        self.reserved, self.closed, self.undone = [], [], []
        self.told = ()
        self.path = None
        self._hold = None

    @contextmanager
    def hold(self):
        """Let whoever writes first wait until the block ends."""
        self._hold = held = Hold()
        try:
            yield held
        finally:
            self._hold = None
            held.may_go.set()

    def write(self, reservations, closings):
        """Take all of them, or raise."""
        held = self._hold
        if held is not None:
            held.arrived.set()
            assert held.may_go.wait(30)
        self.sizes.append(len(reservations) + len(closings))
        if self.is_down:
            raise ServiceUnavailable(
                details="The store is down.", retry_after_seconds=1.0
            )
        names = [each.attempt_id for each in (*reservations, *closings)]
        if self.broken & set(names):
            raise KeyError("somebody's text")
        self.reserved += [each.attempt_id for each in reservations]
        self.closed += [each.attempt_id for each in closings if each.usage]
        self.undone += [each.attempt_id for each in closings if not each.usage]
        if self.path is not None:
            with self.path.open("a") as file:
                file.writelines(f"{name}\n" for name in names)
        verdicts = [
            self.verdicts.get(each.attempt_id, Admitted()) for each in reservations
        ]
        return Written(tuple(verdicts), self.told)


def make_book(store, clock, tell=None, metrics=None):
    """Return a book that is written into the store."""
    metrics = metrics or Metrics()
    return Book(store.write, tell or (lambda told: None), clock, metrics.money)


def told_lines(caplog):
    """Return the names of the events that were logged."""
    return [line.message for line in ours(caplog)]
