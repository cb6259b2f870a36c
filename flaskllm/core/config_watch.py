"""The configuration is read again when its file changes, and only when it is good."""

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from flaskllm.core.config_problems import ConfigError, Problem

SECONDS_BETWEEN_LOOKS = 1.0
# Nobody is still writing a file that was left alone for longer.
_QUIET_SECONDS = 1.0

LoadedT = TypeVar("LoadedT")
_Stamp = tuple[tuple[int, int, int] | None, ...]
_Contents = tuple[bytes | None, ...]


class ConfigWatch(Generic[LoadedT]):
    """Looks after the files of a configuration.

    Any thread may call `poll` at any time, with every request if it likes: it
    never waits for another thread and looks at the files once a second at most.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        load: Callable[[], LoadedT],
        on_rejected: Callable[[ConfigError], None],
        wall_seconds: Callable[[], float] = time.time,
    ) -> None:
        """Take the files as they are now for the ones in use.

        Args:
            paths: The files that count, also those that do not exist yet.
            load: Reads them; raises `ConfigError` when they are no good.
            on_rejected: Hears once of each content that is no good.
            wall_seconds: The time that the files are stamped with, since 1970.
        """
        self._paths = tuple(paths)
        self._load = load
        self._on_rejected = on_rejected
        self._wall_seconds = wall_seconds
        self._lock = threading.Lock()
        self._stamp = self._settled = self._look()
        self._used = self._last = self._read()
        self._next_look_seconds = float("-inf")

    def poll(self, now_monotonic: float) -> LoadedT | None:
        """Return the new configuration when the files changed and are good, else None.

        A change counts when it is more than a second old, or when two looks agree
        on it: a file that is half written at one look has grown by the next. A
        file that has gone is no change for the good: what is in use stays in use.
        """
        if now_monotonic < self._next_look_seconds:
            return None
        if not self._lock.acquire(blocking=False):
            return None
        try:
            self._next_look_seconds = now_monotonic + SECONDS_BETWEEN_LOOKS
            return self._reload() if self._has_settled() else None
        finally:
            self._lock.release()

    def _has_settled(self) -> bool:
        """Tell whether the files differ from those in use, but not since last time."""
        before, self._stamp = self._stamp, self._look()
        if self._stamp == self._settled:
            return False
        if self._stamp != before and not self._is_quiet():
            return False
        self._settled = self._stamp
        return True

    def _is_quiet(self) -> bool:
        """Tell whether each file that changed was last written a while ago."""
        latest_ns = (self._wall_seconds() - _QUIET_SECONDS) * 1e9
        pairs = zip(self._stamp, self._settled, strict=True)
        changed = [stamp for stamp, settled in pairs if stamp != settled]
        return all(stamp is not None and stamp[0] < latest_ns for stamp in changed)

    def _reload(self) -> LoadedT | None:
        contents = self._read()
        if contents in (self._last, self._used):
            self._last = contents
            return None
        self._last = contents
        try:
            self._refuse_loss(contents)
            loaded = self._load()
        except ConfigError as error:
            self._on_rejected(error)
            return None
        self._used = contents
        return loaded

    def _refuse_loss(self, contents: _Contents) -> None:
        files = zip(self._paths, self._used, contents, strict=True)
        lost = [path.name for path, used, now in files if used and not now]
        if lost:
            raise ConfigError(
                Problem(name, "it cannot be read any more", "the file, or a restart")
                for name in lost
            )

    def _look(self) -> _Stamp:
        """Return what tells cheaply that a file was written: None when it is not there.

        The inode tells of a file put in the other's place.
        """
        return tuple(map(_stamp_of, self._paths))

    def _read(self) -> _Contents:
        return tuple(map(_digest_of, self._paths))


def _stamp_of(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _digest_of(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").digest()
    except OSError:
        return None
