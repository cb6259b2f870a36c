"""The thread that reads a WebSocket, there before its handshake is answered.

The library begins one only after it has said 101: where the system gives none, nobody
could be told any more.
"""

import queue
import threading
from collections.abc import Callable

from flaskllm.services.background import no_thread

_Work = Callable[[], object]


class ReadyThread(threading.Thread):
    """A thread that has begun, and waits for its start."""

    def __init__(self) -> None:
        """Begin it.

        Raises:
            ServiceUnavailable: The system gives no thread; a retry may help.
        """
        super().__init__(name="websocket", daemon=True)
        self._work: _Work | None = None
        self._told: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        try:
            super().start()
        except RuntimeError as error:
            raise no_thread() from error

    def to_do(self, work: _Work) -> "ReadyThread":
        """Return it; once it is started it does this."""
        self._work = work
        return self

    def start(self) -> None:
        """Let it do its work."""
        self._told.put(self._work)

    def leave(self) -> None:
        """Let it end, unless it was started."""
        self._told.put(None)

    def run(self) -> None:
        """Wait, and do it."""
        work = self._told.get()
        if work is not None:
            work()
