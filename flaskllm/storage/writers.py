"""Who writes next: SQLite lets one write at a time, and gives the lock to anybody.

Its own way to wait looks ever more seldom, so under load the same ones always win and
others are told "locked". So the threads of a process stand in line, those at the head
of each line look often, and a process that has written for a while stands back.
"""

import random
import sqlite3

from flaskllm.core.clock import Clock, Deadline
from flaskllm.storage.driver_errors import primary_code
from flaskllm.storage.lines import Line

# How long a process may write without a pause, how long it then stands back, and the
# gap between two transactions in which another process had its chance anyway.
_RUN_SECONDS = 0.02
_PAUSE_SECONDS = 0.003
_GAP_SECONDS = 0.002
# Shorter than the pause, or whoever waits could miss it.
_LOOK_SECONDS = (0.0005, 0.002)


class WriterLine:
    """Lets one thread of this process write at a time, in the order they came."""

    def __init__(self, clock: Clock, limit_seconds: float) -> None:
        """Begin with nobody in line; who waits longer than the limit is told."""
        self._clock = clock
        self._line = Line(1, limit_seconds, "Other transactions keep it locked.")
        self._began_at = self._ended_at = clock.monotonic()

    def __enter__(self) -> None:
        """Return when it is this thread's turn.

        Raises:
            ServiceUnavailable: It was not within the limit; a retry helps.
        """
        self._line.__enter__()
        try:
            self._stand_back()
        except BaseException:  # whatever it is, those behind must not wait for us
            self._line.__exit__()
            raise

    def __exit__(self, *_error: object) -> None:
        """Give the turn to the next one."""
        self._ended_at = self._clock.monotonic()
        self._line.__exit__()

    def _stand_back(self) -> None:
        now = self._clock.monotonic()
        if now - self._ended_at > _GAP_SECONDS:
            self._began_at = now
        elif now - self._began_at > _RUN_SECONDS:
            self._clock.sleep(_PAUSE_SECONDS)
            self._began_at = self._clock.monotonic()


def begin_writing(
    connection: sqlite3.Connection,
    clock: Clock,
    patience_seconds: float | None = None,
) -> None:
    """Open a transaction that has the lock of the file; others read on.

    SQLite's own error comes out when another process kept the lock for as long as
    the connection waits for any lock (`busy_timeout`), or for `patience_seconds`.
    """
    (usual_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
    usual_seconds = usual_ms / 1000
    seconds = usual_seconds if patience_seconds is None else patience_seconds
    deadline = Deadline.after(seconds, clock)
    connection.execute("PRAGMA busy_timeout = 0").close()
    try:
        while not _has_begun(connection, deadline):
            clock.sleep(random.uniform(*_LOOK_SECONDS))
    finally:
        connection.execute(f"PRAGMA busy_timeout = {usual_ms}").close()


def _has_begun(connection: sqlite3.Connection, deadline: Deadline) -> bool:
    try:
        connection.execute("BEGIN IMMEDIATE").close()
    except sqlite3.OperationalError as error:
        if primary_code(error) != sqlite3.SQLITE_BUSY or deadline.passed():
            raise
        return False
    return True
