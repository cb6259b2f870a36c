"""The thread that writes usage rows, so that no request waits for a commit."""

import atexit
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flaskllm.services.background import ThreadOfProcess
from flaskllm.storage.usage import UsageRow

_MOST_AT_ONCE = 500
# Beyond this the disk does not keep up, and requests wait for it after all.
_MOST_WAITING = 10_000
# So long rows wait for others: a transaction costs more than the rows in it.
_GATHER_SECONDS = 0.1
_LAST_FLUSH_SECONDS = 5.0

Write = Callable[[Sequence[UsageRow]], None]


@dataclass(slots=True)
class _Tray:
    """The rows of one process that wait.

    A mark among them is set once all rows before it are written; `hurry` says
    that somebody waits for one.
    """

    rows: "queue.SimpleQueue[UsageRow | threading.Event]" = field(
        default_factory=queue.SimpleQueue
    )
    hurry: threading.Event = field(default_factory=threading.Event)


class UsageWriter:
    """Hands rows to one thread per process, made at first use and after a fork.

    Rows are written in the order in which they came, many in one transaction.
    What waits is written at the end of the process; a killed one loses what the
    last moments brought.
    """

    def __init__(self, write: Write) -> None:
        """Keep what writes; it must not raise. Nothing is started."""
        self._write = write
        self._thread = ThreadOfProcess("usage-writer", self._make_tray, self._run)

    def put(self, row: UsageRow) -> None:
        """Return at once; the row is written within a fifth of a second.

        Only when very many rows wait does this wait too.
        """
        tray = self._thread.begin()
        tray.rows.put(row)
        if tray.rows.qsize() > _MOST_WAITING:
            self.flush()

    def flush(self, seconds: float = _LAST_FLUSH_SECONDS) -> bool:
        """Tell whether all rows put so far were written within this time."""
        tray = self._thread.state()
        if tray is None:
            return True
        mark = threading.Event()
        tray.rows.put(mark)
        tray.hurry.set()
        return mark.wait(seconds)

    def _make_tray(self) -> _Tray:
        atexit.register(self.flush)
        return _Tray()

    def _run(self, tray: _Tray) -> None:
        while True:
            items = _gather(tray)
            marks = [item for item in items if isinstance(item, threading.Event)]
            rows = [item for item in items if not isinstance(item, threading.Event)]
            if rows:
                self._write(rows)
            for mark in marks:
                mark.set()


def _gather(tray: _Tray) -> list[UsageRow | threading.Event]:
    """Wait for the first, then a moment for others, and return what is there."""
    items = [tray.rows.get()]
    if tray.rows.qsize() < _MOST_AT_ONCE:
        tray.hurry.wait(_GATHER_SECONDS)
        tray.hurry.clear()
    while len(items) < _MOST_AT_ONCE and not tray.rows.empty():
        items.append(tray.rows.get())
    return items
