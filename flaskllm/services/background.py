"""Work beside the requests: one daemon thread per process, begun at first use.

A fork leaves threads behind, so a forked process begins its own.
"""

import logging
import os
import queue
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from flaskllm.core import logs
from flaskllm.core.errors import ServiceUnavailable

Run = Callable[[], None]
StateT = TypeVar("StateT")

_AGAIN_SECONDS = 5.0

_log = logging.getLogger(__name__)


def no_thread() -> ServiceUnavailable:
    """Return the error for a thread that the system does not give; it may pass."""
    return ServiceUnavailable(
        details="The system gives this process no further thread.",
        retry_after_seconds=_AGAIN_SECONDS,
    )


class ThreadOfProcess(Generic[StateT]):
    """Makes the thread of this process once, whoever asks first.

    A state belongs to it: what its thread shares with the others.
    """

    def __init__(
        self, name: str, make: Callable[[], StateT], work: Callable[[StateT], None]
    ) -> None:
        """Keep what is needed; nothing is started.

        Args:
            name: The thread's.
            make: Makes a fresh state.
            work: What the thread does, with the state of its process.
        """
        self._name = name
        self._make = make
        self._work = work
        self._lock = threading.Lock()
        self._begun: tuple[int, StateT] | None = None

    def state(self) -> StateT | None:
        """Return the state of this process, None before its thread has begun."""
        begun = self._begun
        return begun[1] if begun is not None and begun[0] == os.getpid() else None

    def begin(self) -> StateT:
        """Return the state of this process, whose thread has begun.

        Raises:
            ServiceUnavailable: The system gives no thread; the next call tries again.
        """
        state = self.state()
        if state is not None:
            return state
        with self._lock:
            state = self.state()
            return self._start() if state is None else state

    def _start(self) -> StateT:
        state = self._make()
        thread = threading.Thread(
            target=self._work, args=(state,), name=self._name, daemon=True
        )
        try:
            thread.start()
        except RuntimeError as error:
            logs.event(_log, logging.WARNING, "thread_not_begun", thread=self._name)
            raise no_thread() from error
        self._begun = os.getpid(), state
        return state


@dataclass(slots=True)
class _Turn:
    """What the thread of an errand waits for, and what waits for it."""

    wanted: threading.Event = field(default_factory=threading.Event)
    done: threading.Event = field(default_factory=threading.Event)


class Errand:
    """Does one thing beside the requests whenever somebody asks for it.

    Asked for several times at once it is done once.
    """

    def __init__(self, run: Run, name: str) -> None:
        """Keep what is to be done; it must not raise. Nothing is started."""
        self._run = run
        self._thread = ThreadOfProcess(name, _Turn, self._work)

    @property
    def has_begun(self) -> bool:
        """Tell whether this process has a thread for it; before `ask` it has none."""
        return self._thread.state() is not None

    def ask(self, patience_seconds: float = 0.0) -> bool:
        """Return at once, or when it is done, within this time; tell whether it is.

        It is not where the system gives no thread for it.
        """
        try:
            turn = self._thread.begin()
        except ServiceUnavailable:
            return False
        turn.done.clear()
        turn.wanted.set()
        return turn.done.wait(patience_seconds)

    def _work(self, turn: _Turn) -> None:
        while True:
            turn.wanted.wait()
            turn.wanted.clear()
            self._run()
            turn.done.set()


class Rounds:
    """Does one thing again and again, until whoever does it is gone."""

    def __init__(self, run: Run, every_seconds: float, name: str) -> None:
        """Keep what is to be done, a method that must not raise.

        Its object is not kept alive by this. Nothing is started.
        """
        self._run = weakref.WeakMethod(run)
        self._every_seconds = every_seconds
        # Unlike an event's `set`, its `put` may interrupt itself, as signals do.
        self._thread: ThreadOfProcess[queue.SimpleQueue[None]] = ThreadOfProcess(
            name, queue.SimpleQueue, self._work
        )

    def begin(self) -> None:
        """Return once the thread of this process is there; cheap when it is.

        Raises:
            ServiceUnavailable: The system gives none; the next call tries again.
        """
        self._thread.begin()

    def hurry(self) -> None:
        """Let the next round begin now, if rounds have; a signal's handler may."""
        wanted = self._thread.state()
        if wanted is not None:
            wanted.put(None)

    def _work(self, wanted: "queue.SimpleQueue[None]") -> None:
        while True:
            with suppress(queue.Empty):
                wanted.get(timeout=self._every_seconds)
            run = self._run()
            if run is None:
                return
            run()
            del run  # or it would live through the wait
