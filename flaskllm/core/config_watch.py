"""The configuration is read again when its file changes, and only when it is good."""

import hashlib
import threading
import time
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Generic, TypeVar

from flaskllm.core.config_problems import ConfigError, Problem

SECONDS_BETWEEN_LOOKS = 1.0
# Nobody is still writing a file that was left alone for longer.
_QUIET_SECONDS = 1.0

LoadedT = TypeVar("LoadedT")
BuiltT = TypeVar("BuiltT")
_FileStamp = tuple[int, int, int] | None
_Stamp = tuple[_FileStamp, ...]
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
        mark: Path | None = None,
        needed: Collection[Path] = (),
    ) -> None:
        """Take the files as they are now for the ones in use.

        Args:
            paths: The files that count, also those that do not exist yet.
            load: Reads them; raises `ConfigError` when they are no good.
            on_rejected: Hears once of each content that is no good.
            wall_seconds: The time that the files are stamped with, since 1970.
            mark: A file; whenever it is written anew all is read again, also what
                seems unchanged.
            needed: Those that what is in use was made of, though they may be gone.
        """
        self._paths = tuple(paths)
        self._load = load
        self._on_rejected = on_rejected
        self._wall_seconds = wall_seconds
        self._mark_path = mark
        self._needed = frozenset(needed)
        self._lock = threading.Lock()
        self._mark = self._look_at_mark()
        self._stamp = self._settled = self._look()
        self._used = self._last = self._read()
        self._next_look_seconds = float("-inf")
        self._wish = self._heard_wish = object()
        self._is_rejected = False

    @property
    def is_rejected(self) -> bool:
        """Tell whether the files, as last seen, are no good and others are in use."""
        return self._is_rejected

    def ask(self) -> None:
        """Let the next `poll` read everything, at once, and also what is unchanged.

        It takes no lock, so that the handler of a signal may call it.
        """
        # Each wish is another one: none is lost to whoever just takes note of the last.
        self._wish = object()

    def poll(
        self, now_monotonic: float, build: Callable[[LoadedT], BuiltT]
    ) -> BuiltT | None:
        """Return what `build` makes of a new configuration that is good, else None.

        A change counts when it is more than a second old, or when two looks agree
        on it: a file that is half written at one look has grown by the next. Who
        asked, or wrote the mark, says that the files are complete. A file that has
        gone is no change for the good: what is in use stays in use.

        Args:
            now_monotonic: The time, in seconds.
            build: Makes what is needed of the configuration; raises `ConfigError`
                when that cannot be done.
        """
        is_asked = self._wish is not self._heard_wish
        if now_monotonic < self._next_look_seconds and not is_asked:
            return None
        if not self._lock.acquire(blocking=False):
            return None
        try:
            self._next_look_seconds = now_monotonic + SECONDS_BETWEEN_LOOKS
            if self._is_forced():
                self._stamp = self._settled = self._look()
                return self._reload(build)
            return self._reload_changed(build) if self._has_settled() else None
        finally:
            self._lock.release()

    def _is_forced(self) -> bool:
        """Tell whether somebody asked, or wrote the mark, since the last look."""
        before, self._mark = self._mark, self._look_at_mark()
        is_marked = self._mark is not None and self._mark != before
        heard, self._heard_wish = self._heard_wish, self._wish
        return is_marked or self._heard_wish is not heard

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

    def _reload_changed(self, build: Callable[[LoadedT], BuiltT]) -> BuiltT | None:
        contents = self._read()
        if contents == self._used:
            self._is_rejected = False
        if contents in (self._last, self._used):
            self._last = contents
            return None
        return self._reload(build)

    def _reload(self, build: Callable[[LoadedT], BuiltT]) -> BuiltT | None:
        contents = self._last = self._read()
        try:
            self._refuse_loss(contents)
            built = build(self._load())
        except ConfigError as error:
            self._is_rejected = True
            self._on_rejected(error)
            return None
        self._used = contents
        self._is_rejected = False
        return built

    def _refuse_loss(self, contents: _Contents) -> None:
        files = zip(self._paths, self._used, contents, strict=True)
        lost = [
            path.name
            for path, used, now in files
            if not now and (used or path in self._needed)
        ]
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

    def _look_at_mark(self) -> _FileStamp:
        return _stamp_of(self._mark_path) if self._mark_path else None

    def _read(self) -> _Contents:
        return tuple(map(_digest_of, self._paths))


def _stamp_of(path: Path) -> _FileStamp:
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
