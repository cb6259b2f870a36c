"""Who has a database file open: every process that does holds a lock beside it.

SQLite's own locks do not tell: without a write-ahead log, who neither reads nor writes
just now holds none.
"""

import fcntl
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flaskllm.storage.copies import in_use


class Presence:
    """The sign that this process has the file open, until it leaves or ends.

    What a process has forked keeps the sign too, for as long as it lives.
    """

    def __init__(self, descriptor: int) -> None:
        """Take over the open file that is locked."""
        # Never unlocked: that would take the sign from those who were forked.
        self.leave = weakref.finalize(self, os.close, descriptor)


def enter(path: Path) -> Presence | None:
    """Return the sign of this process; None where the disk takes none.

    Nobody's work depends on it: a folder in which no file can be made is served as
    well, if the `.lock` beside the file exists and can be written to.
    """
    try:
        # A shared lock needs no more than to read.
        descriptor = os.open(_beside(path), os.O_RDONLY | os.O_CREAT, 0o600)
    except OSError:
        return None
    presence = Presence(descriptor)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        presence.leave()
        return None
    return presence


@contextmanager
def nobody(path: Path) -> Iterator[None]:
    """Keep everybody out who gives the sign.

    Raises:
        ServiceUnavailable: Somebody is inside.
        OSError: The disk cannot tell.
    """
    descriptor = os.open(_beside(path), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _keep_out(descriptor)
        yield
    finally:
        os.close(descriptor)


def _keep_out(descriptor: int) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise in_use() from error


def _beside(path: Path) -> Path:
    return path.with_name(f"{path.name}.in-use")
