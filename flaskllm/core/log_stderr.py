"""The standard error stream, which nobody may be reading.

A pipe whose reader has stopped is full after some hundred lines, and who writes to it
then waits for ever: every request would. So lines that find no room are lost.
"""

import os
import socket
import stat
import sys
import weakref
from collections.abc import Callable
from contextlib import suppress

_Send = Callable[[bytes], int]
_Close = Callable[[], None]


class StderrSink:
    """The standard error stream; a line that it does not take at once is lost."""

    def __init__(self) -> None:
        """Open nothing."""
        self._of: tuple[int, int, int] | None = None
        self._send: _Send | None = None
        self._is_torn = False

    def write(self, line: str) -> None:
        """Write a line; the stream is flushed at its break.

        Raises:
            OSError: It was not taken, or only its beginning.
        """
        send = self._find()
        if send is None:
            sys.stderr.write(line)
            return
        data = line.encode("utf-8", "backslashreplace")
        if self._is_torn:
            data = b"\n" + data
        sent = send(data)
        self._is_torn = sent < len(data)
        if self._is_torn:
            raise BlockingIOError("only the beginning of a line found room")

    def close(self) -> None:
        """Leave it open: it is not ours. What was opened beside it we let go of."""
        self._of = self._send = None

    def _find(self) -> _Send | None:
        """Return what sends without a wait; None where no wait is to be feared.

        That is a file, or what tests put in the place of the stream.
        """
        try:
            number = sys.stderr.fileno()
            found = os.fstat(number)
        except (AttributeError, OSError, ValueError):
            return None
        if self._of != (number, found.st_dev, found.st_ino):
            self._send = _sender(number, found.st_mode)
            self._of = number, found.st_dev, found.st_ino
        return self._send


def _sender(number: int, mode: int) -> _Send | None:
    if stat.S_ISSOCK(mode):
        ours = socket.socket(fileno=os.dup(number))
        return _kept_open(lambda data: ours.send(data, socket.MSG_DONTWAIT), ours.close)
    if stat.S_ISFIFO(mode):
        with suppress(OSError):
            # Another opening of the same pipe: others may share this one, and expect
            # to wait.
            flags = os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC
            opened = os.open(f"/proc/self/fd/{number}", flags)
            return _kept_open(
                lambda data: os.write(opened, data), lambda: os.close(opened)
            )
    return None


def _kept_open(send: _Send, close: _Close) -> _Send:
    """Return what sends, and close it once no thread has it any more.

    Closed sooner its number could be another file's, which would get the line.
    """
    weakref.finalize(send, close).atexit = False
    return send
