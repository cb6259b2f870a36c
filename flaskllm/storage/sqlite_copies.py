"""Copies of a SQLite file, by SQLite's own online backup."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import datetime
from glob import escape
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, NullPool, create_engine

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.ids import random_base62
from flaskllm.core.secret_files import sync_folder
from flaskllm.storage.copies import (
    Contents,
    PutBack,
    contents_of,
    has_rows,
    in_use,
    new_private_file,
    not_restored,
    refused,
    sync_file,
)
from flaskllm.storage.driver_errors import (
    DAMAGED,
    disk_errors_told,
    driver_errors_told,
    primary_code,
)
from flaskllm.storage.presence import nobody

_HEADER = b"SQLite format 3\x00"
# Who writes holds the file for a moment; who serves with a write-ahead log holds it
# for good.
_SOLE_USE_SECONDS = 2.0
_BUSY_SECONDS = 5.0
_DRAFT = ".restoring-"
_Alone = Callable[[], AbstractContextManager[None]]


class SqliteCopies:
    """Copies of one database file; each is a database file as well."""

    suffix = ".db"

    def __init__(self, path: Path, alone: _Alone) -> None:
        """Remember the file.

        Args:
            path: Absolute.
            alone: Keeps processes that start from opening it meanwhile.
        """
        self._path = path
        self._alone = alone

    def write(self, draft: Path) -> Contents:
        """See `Copies.write`. Without a write-ahead log, writers wait for it."""
        if not self._path.exists():
            raise refused("There is no database yet.")
        with driver_errors_told(), disk_errors_told():
            _copy(self._path, draft)
            contents = _contents_of_sound(draft, _broken_copy)
            sync_file(draft)
        return contents

    def examine(self, file: Path) -> Contents:
        """See `Copies.examine`. It reads the whole file."""
        with disk_errors_told(), file.open("rb") as opened:
            if opened.read(len(_HEADER)) != _HEADER:
                raise not_restored("The file is no SQLite database.")
        try:
            with driver_errors_told():
                return _contents_of_sound(file, _damaged)
        except ServiceUnavailable as error:
            raise _damaged() from error

    def has_data(self) -> bool:
        """See `Copies.has_data`; no file, or an empty one, has none."""
        if not self._path.exists() or not self._path.stat().st_size:
            return False
        try:
            with driver_errors_told(), _opened(self._path) as connection:
                return has_rows(connection)
        except ServiceUnavailable:  # damaged: perhaps somebody wants to mend it
            return True

    def put_back(self, file: Path, how: PutBack, *, keeps: bool) -> Path | None:
        """See `Copies.put_back`.

        The copy is made and brought up to date under another name; then it takes the
        place of the file in one step.
        """
        with disk_errors_told(), self._alone(), nobody(self._path):
            self._forget_drafts()
            draft = self._path.with_name(f"{self._path.name}{_DRAFT}{random_base62(8)}")
            try:
                with driver_errors_told():
                    _copy(file, draft)
                how.bring_up_to_date(draft)
                sync_file(draft)
                with _sole_use(self._path):
                    return self._swap(draft, how.at, keeps=keeps)
            finally:
                self._forget_drafts()

    def _swap(self, draft: Path, at: datetime, *, keeps: bool) -> Path | None:
        """Let the draft be the database; a link keeps what was there, where wanted."""
        kept = None
        if keeps:
            kept = _free_name(self._path, at)
            _keep(self._path, kept)
            # Of a damaged file alone: sole use of any other has folded its log.
            for suffix in ("-wal", "-journal"):
                with suppress(FileNotFoundError):
                    os.replace(_beside(self._path, suffix), _beside(kept, suffix))
        for suffix in ("-wal", "-journal", "-shm"):
            _beside(self._path, suffix).unlink(missing_ok=True)
        os.replace(draft, self._path)
        sync_folder(self._path.parent)
        return kept

    def _forget_drafts(self) -> None:
        """Remove what a restore that was killed has left, or this one."""
        for left in self._path.parent.glob(f"{escape(self._path.name)}{_DRAFT}*"):
            left.unlink(missing_ok=True)


def _copy(source: Path, target: Path) -> None:
    """Copy a database in one read transaction into a new file that stands alone."""
    new_private_file(target)
    with (
        closing(_connect(source, "ro")) as read,
        closing(_connect(target, "rw")) as written,
    ):
        # All pages at once: in steps it would begin anew whenever somebody writes.
        read.backup(written)
        written.execute("PRAGMA journal_mode = DELETE").close()


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(
        f"file:{quote(str(path))}?mode={mode}",
        uri=True,
        timeout=_BUSY_SECONDS,
        isolation_level=None,
    )


@contextmanager
def _opened(path: Path) -> Iterator[Connection]:
    """Give a connection that reads only; no setting of the file is changed."""
    engine = create_engine(
        "sqlite://",
        creator=lambda: _connect(path, "ro"),
        poolclass=NullPool,
        hide_parameters=True,
    )
    with engine.connect() as connection:
        yield connection


def _contents_of_sound(path: Path, tell: Callable[[], Exception]) -> Contents:
    with _opened(path) as connection:
        found = connection.exec_driver_sql("PRAGMA integrity_check").scalars().all()
        page_bytes = connection.exec_driver_sql("PRAGMA page_size").scalar_one()
        # SQLite takes what is missing of the last page for zeros.
        if found != ["ok"] or path.stat().st_size % int(page_bytes):
            raise tell()
        return contents_of(connection)


def _broken_copy() -> Exception:
    return refused(DAMAGED)


def _damaged() -> Exception:
    return not_restored("The file is damaged, or cannot be read.")


@contextmanager
def _sole_use(path: Path) -> Iterator[None]:
    """Hold the file against all others, its log folded into it.

    So programs are noticed that are not ours, or older than the sign beside the file.

    Raises:
        ServiceUnavailable: Somebody has its write-ahead log open, or a transaction.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute(f"PRAGMA busy_timeout = {_SOLE_USE_SECONDS * 1000:.0f}")
        try:
            # No log can be left behind while others have one open.
            connection.execute("PRAGMA journal_mode = DELETE").close()
            connection.execute("BEGIN EXCLUSIVE").close()
        except sqlite3.Error as error:
            if primary_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise in_use() from error
            if primary_code(error) not in _UNREADABLE:
                raise not_restored("The present file cannot be locked.") from error
        yield


_UNREADABLE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def _keep(path: Path, kept: Path) -> None:
    """Let the file be found under a second name; where that cannot be, copy it."""
    try:
        os.link(path, kept)
    except OSError:
        shutil.copy2(path, kept)
        sync_file(kept)


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _free_name(path: Path, at: datetime) -> Path:
    """Return a name beside the file that tells when it was put aside."""
    named = path.with_name(f"{path.stem}.before-{at:%Y%m%dT%H%M%SZ}{path.suffix}")
    return named if not named.exists() else _beside(named, f".{random_base62(4)}")
