"""The thread that writes usage rows, so that no request waits for a commit."""

import atexit
import os
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from flaskllm.storage.usage import UsageRow

_MOST_AT_ONCE = 500
# Beyond this the disk does not keep up, and requests wait for it after all.
_MOST_WAITING = 10_000
# So long rows wait for others: a transaction costs more than the rows in it.
_GATHER_SECONDS = 0.1
_LAST_FLUSH_SECONDS = 5.0

Write = Callable[[Sequence[UsageRow]], None]


@dataclass(slots=True)
class _Process:
    """The queue and the thread of one process.

    A mark in the queue is set once all rows before it are written; `hurry` says
    that somebody waits for one.
    """

    process_id: int
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
        self._lock = threading.Lock()
        self._process: _Process | None = None

    def put(self, row: UsageRow) -> None:
        """Return at once; the row is written within a fifth of a second.

        Only when very many rows wait does this wait too.
        """
        process = self._here()
        process.rows.put(row)
        if process.rows.qsize() > _MOST_WAITING:
            self.flush()

    def flush(self, seconds: float = _LAST_FLUSH_SECONDS) -> bool:
        """Tell whether all rows put so far were written within this time."""
        process = self._process
        if process is None or process.process_id != os.getpid():
            return True
        mark = threading.Event()
        process.rows.put(mark)
        process.hurry.set()
        return mark.wait(seconds)

    def _here(self) -> _Process:
        process = self._process
        if process is not None and process.process_id == os.getpid():
            return process
        with self._lock:
            process = self._process
            if process is None or process.process_id != os.getpid():
                process = self._process = self._start()
        return process

    def _start(self) -> _Process:
        process = _Process(os.getpid())
        threading.Thread(
            target=self._run, args=(process,), name="usage-writer", daemon=True
        ).start()
        atexit.register(self.flush)
        return process

    def _run(self, process: _Process) -> None:
        while True:
            items = _gather(process)
            marks = [item for item in items if isinstance(item, threading.Event)]
            rows = [item for item in items if not isinstance(item, threading.Event)]
            if rows:
                self._write(rows)
            for mark in marks:
                mark.set()


def _gather(process: _Process) -> list[UsageRow | threading.Event]:
    """Wait for the first, then a moment for others, and return what is there."""
    items = [process.rows.get()]
    if process.rows.qsize() < _MOST_AT_ONCE:
        process.hurry.wait(_GATHER_SECONDS)
        process.hurry.clear()
    while len(items) < _MOST_AT_ONCE and not process.rows.empty():
        items.append(process.rows.get())
    return items
