"""Work beside the requests: one daemon thread per process, begun at first use.

A fork leaves threads behind, so a forked process begins its own.
"""

import os
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass, field

Run = Callable[[], None]


@dataclass(slots=True)
class _Process:
    """The thread of one process: what it waits for, and what waits for it."""

    process_id: int
    wanted: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)


class _Thread:
    """Makes the thread of this process once, whoever asks first."""

    def __init__(self, name: str, work: Callable[[_Process], None]) -> None:
        self._name = name
        self._work = work
        self._lock = threading.Lock()
        self._process: _Process | None = None

    def here(self) -> _Process:
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
        thread = threading.Thread(
            target=self._work, args=(process,), name=self._name, daemon=True
        )
        thread.start()
        return process


class Errand:
    """Does one thing beside the requests whenever somebody asks for it.

    Asked for several times at once it is done once.
    """

    def __init__(self, run: Run, name: str) -> None:
        """Keep what is to be done; it must not raise. Nothing is started."""
        self._run = run
        self._thread = _Thread(name, self._work)

    def ask(self, patience_seconds: float = 0.0) -> bool:
        """Return at once, or when it is done, within this time; tell whether it is."""
        process = self._thread.here()
        process.done.clear()
        process.wanted.set()
        return process.done.wait(patience_seconds)

    def _work(self, process: _Process) -> None:
        while True:
            process.wanted.wait()
            process.wanted.clear()
            self._run()
            process.done.set()


class Rounds:
    """Does one thing again and again, until whoever does it is gone."""

    def __init__(self, run: Run, every_seconds: float, name: str) -> None:
        """Keep what is to be done, a method that must not raise.

        Its object is not kept alive by this. Nothing is started.
        """
        self._run = weakref.WeakMethod(run)
        self._every_seconds = every_seconds
        self._thread = _Thread(name, self._work)

    def begin(self) -> None:
        """Return once the thread of this process is there; cheap when it is."""
        self._thread.here()

    def _work(self, process: _Process) -> None:
        while not process.wanted.wait(self._every_seconds):
            run = self._run()
            if run is None:
                return
            run()
            del run  # or it would live through the wait
