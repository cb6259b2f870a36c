"""Where log lines go: the standard error stream, and a rotated file."""

import fcntl
import logging
import logging.handlers
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path

ROTATE_AT_BYTES = 10 * 1024 * 1024
ROTATED_FILES = 5


class _Unfailing(logging.Handler):
    """A sink whose failure never reaches the request that logs."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Say on stderr that a line was lost; never its text, it is not redacted."""
        with suppress(Exception):
            sys.stderr.write(f"a log line of {record.name} could not be written\n")


class StderrSink(_Unfailing, logging.StreamHandler):  # type: ignore[type-arg]
    """The standard error stream."""


class FileSink(_Unfailing, logging.handlers.RotatingFileHandler):
    """A rotated file that only its owner reads, shared by several processes."""

    def __init__(self, path: str) -> None:
        super().__init__(
            path,
            maxBytes=ROTATE_AT_BYTES,
            backupCount=ROTATED_FILES,
            encoding="utf-8",
            delay=True,
        )

    def shouldRollover(self, record: logging.LogRecord) -> bool:  # noqa: N802
        """Tell whether this line needs a new file, after following a rotation."""
        self._follow()
        return bool(super().shouldRollover(record))

    def doRollover(self) -> None:  # noqa: N802
        """Rotate, unless another process did so while we waited for the lock."""
        with _alone(f"{self.baseFilename}.lock"):
            if not self._follow():
                super().doRollover()

    def _follow(self) -> bool:
        """Reopen the file when another process moved it away; tell whether."""
        if self.stream is None or _same_file(self.stream, self.baseFilename):
            return False
        self.stream.close()
        self.stream = self._open()
        return True

    def _open(self) -> TextIOWrapper:
        """Open the file for appending, readable by its owner alone, as its folder."""
        Path(self.baseFilename).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.baseFilename, flags, 0o600)
        os.fchmod(descriptor, 0o600)
        return open(descriptor, "a", encoding=self.encoding)


@contextmanager
def _alone(lock_path: str) -> Iterator[None]:
    """Hold the lock that one process has at a time; it ends with its holder."""
    # A file of its own: the log is closed and renamed while the lock must hold.
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
    descriptor = os.open(lock_path, flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _same_file(stream: TextIOWrapper, path: str) -> bool:
    """Tell whether `path` still names the open file."""
    try:
        return os.path.samestat(os.fstat(stream.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
