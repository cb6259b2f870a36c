"""Where log lines go: the standard error stream, and a rotated file.

A line is one write, which lets no other come between: so the threads of a busy
process do not queue up for a lock. Only who rotates the file holds one.
"""

import fcntl
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Protocol

from flaskllm.core.log_stderr import StderrSink

ROTATE_AT_BYTES = 10 * 1024 * 1024
ROTATED_FILES = 5
# Until a rotation by another process is seen, lines go to the rotated file.
_LOOK_EVERY_SECONDS = 0.1


class Sink(Protocol):
    """What takes whole lines."""

    def write(self, line: str) -> None:
        """Write a line that ends in its break, with one call.

        Raises:
            OSError: It could not be written.
            ValueError: It is closed for good.
        """
        ...

    def close(self) -> None:
        """Let go of what is open; a later line may open it again."""
        ...


class Lost:
    """How many lines of this process were lost, of all its logs."""

    def __init__(self) -> None:
        """None was."""
        self._lock = threading.Lock()
        self.count = 0

    def add(self) -> None:
        """Count one more."""
        with self._lock:
            self.count += 1


LOST = Lost()
_stderr = StderrSink()


class LineHandler(logging.Handler):
    """Makes a line of a record, once, for all sinks that want it in this form.

    What fails here never reaches the request that logs.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        """Keep the sinks; they are closed with this handler."""
        super().__init__()
        self._sinks = sinks

    def createLock(self) -> None:  # noqa: N802
        """Have no lock, see the module."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line to every sink."""
        try:
            line = f"{self.format(record)}\n"
        except Exception:
            self.handleError(record)
            return
        for sink in self._sinks:
            try:
                sink.write(line)
            except Exception:
                self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Say on stderr that a line was lost; never its text, it is not redacted."""
        LOST.add()
        with suppress(Exception):
            _stderr.write(f"a log line of {record.name} could not be written\n")

    def close(self) -> None:
        """Close the sinks."""
        super().close()
        for sink in self._sinks:
            sink.close()


class FileSink:
    """A rotated file that only its owner reads, shared by several processes."""

    def __init__(
        self,
        path: str,
        rotate_at_bytes: int = ROTATE_AT_BYTES,
        rotated_files: int = ROTATED_FILES,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep the settings; the file is made at the first line.

        Args:
            path: The file; rotated ones are beside it, `.1` is the youngest.
            rotate_at_bytes: It stays smaller, unless one line is larger.
            rotated_files: How many are kept, besides the one that is written.
            monotonic: Tells when to look again whether another process rotated.
        """
        self._path = os.path.abspath(path)
        self._rotate_at_bytes = rotate_at_bytes
        self._rotated_files = rotated_files
        self._changes = threading.Lock()
        self._descriptor: int | None = None
        self._file_id: tuple[int, int] | None = None
        self._monotonic = monotonic
        self._room_bytes = 0
        self._look_again_at = 0.0
        self._is_torn = False

    def write(self, line: str) -> None:
        """Append a line to the file that has our name now, to a new one if it is full.

        Raises:
            OSError: It could not be written, or only its beginning.
        """
        data = line.encode("utf-8", "backslashreplace")
        self._room_bytes -= len(data)
        if self._room_bytes <= 0 or self._monotonic() >= self._look_again_at:
            self._look(len(data))
        assert self._descriptor is not None  # room is in an open file
        if self._is_torn:
            data = b"\n" + data
        written = os.write(self._descriptor, data)
        self._is_torn = written < len(data) and not self._ends(data[:written])
        if written < len(data):
            raise BlockingIOError("only the beginning of a line found room")

    def close(self) -> None:
        """Close the file; a later line opens it again."""
        with self._changes:
            descriptor, self._descriptor = self._descriptor, None
            self._file_id = None
            self._room_bytes = 0
            if descriptor is not None:
                os.close(descriptor)

    def shift(self) -> None:
        """Give each file the name of the next older one; the oldest is gone."""
        older = [f"{self._path}.{n}" for n in range(1, self._rotated_files + 1)]
        newer = [self._path, *older[:-1]]
        for source, target in reversed(list(zip(newer, older, strict=True))):
            with suppress(FileNotFoundError):
                os.replace(source, target)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock that one process has at a time; it ends with its holder."""
        # A file of its own: the log is renamed while the lock must hold.
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(f"{self._path}.lock", flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _ends(self, begun: bytes) -> bool:
        """Tell whether a line that was begun now ends, before any of others.

        Its last byte becomes its break. A full disk has room for that, and what others
        have appended since is not touched.
        """
        assert self._descriptor is not None
        end = os.lseek(self._descriptor, 0, os.SEEK_CUR)
        # Not our descriptor, which appends whatever it writes.
        with suppress(OSError), open(self._path, "r+b", buffering=0) as file:
            if os.pread(file.fileno(), len(begun), end - len(begun)) == begun:
                return os.pwrite(file.fileno(), b"\n", end - 1) == 1
        return False

    def _look(self, n_bytes: int) -> None:
        """See to it that the open file has our name and room for a line."""
        self._look_again_at = self._monotonic() + _LOOK_EVERY_SECONDS
        if self._has_room(n_bytes):
            return
        with self._changes:
            if not self._is_ours(_stat(self._path)):
                self._reopen()
            if self._has_room(n_bytes):  # another thread made it
                return
            with self.alone():
                # Another process may have rotated while we waited for it.
                if self._is_ours(_stat(self._path)):
                    self.shift()
                self._reopen()
            self._room_bytes = self._rotate_at_bytes - n_bytes

    def _has_room(self, n_bytes: int) -> bool:
        found = _stat(self._path)
        if found is None or not self._is_ours(found):
            return False
        self._room_bytes = self._rotate_at_bytes - found.st_size - n_bytes
        # A line that is too long has to be somewhere.
        return self._room_bytes > 0 or not found.st_size

    def _is_ours(self, found: os.stat_result | None) -> bool:
        return found is not None and self._file_id == (found.st_dev, found.st_ino)

    def _reopen(self) -> None:
        """Open what has our name now, readable by its owner alone, as its folder."""
        Path(self._path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        opened = os.open(self._path, flags, 0o600)
        os.fchmod(opened, 0o600)
        found = os.fstat(opened)
        if self._descriptor is None:
            self._descriptor = opened
        else:
            # Another thread may be about to write to this number: it stays open.
            os.dup2(opened, self._descriptor, inheritable=False)
            os.close(opened)
        self._file_id = (found.st_dev, found.st_ino)
        # By a crash; or by somebody who could not end what he had begun.
        size = found.st_size
        self._is_torn = size > 0 and os.pread(self._descriptor, 1, size - 1) != b"\n"


def _stat(path: str) -> os.stat_result | None:
    """Return what the system knows of a file, or None when it is not there."""
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None
