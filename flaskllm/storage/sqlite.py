"""SQLite, set up our way: the URL, the file and its mode, the engine."""

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, StaticPool, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from flaskllm.core.errors import InvalidInputError
from flaskllm.storage.driver_errors import primary_code
from flaskllm.storage.journal import Journal

BUSY_TIMEOUT_MS = 5000

_FORMS = "sqlite:///relative.db, sqlite:////absolute.db or sqlite:// (memory)"
_SIDE_FILES = ("", "-wal", "-shm", "-journal")


def database_path(url: str) -> Path | None:
    """Return the absolute path of the database file, or None for memory.

    Raises:
        InvalidInputError: The URL is not one of SQLite.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        # Without the cause: it may quote a URL that holds a password.
        raise InvalidInputError.of("database_url", "not a URL", _FORMS) from None
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        problem = f"{parsed.drivername!r} is not supported yet"
        raise InvalidInputError.of("database_url", problem, _FORMS)
    if parsed.host or parsed.query:
        problem = "a host or a query is not supported"
        raise InvalidInputError.of("database_url", problem, _FORMS)
    if parsed.database in (None, "", ":memory:"):
        return None
    return Path(parsed.database).absolute()


def sqlite_url(path: Path) -> str:
    """Return the URL of a database file; any character may stand in its path."""
    return "sqlite:///" + quote(str(path))


def make_private(path: Path) -> None:
    """Make the file with mode 0600 when absent, and narrow what is wider.

    SQLite gives its journals the mode of the database file.
    """
    # Only a file that did not exist is opened here: closing one in use would
    # free the locks that SQLite holds on it for this process.
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    for suffix in _SIDE_FILES:
        side_file = path.with_name(path.name + suffix)
        with suppress(FileNotFoundError):
            if side_file.stat().st_mode & 0o077:
                side_file.chmod(0o600)


def make_engine(path: Path | None, journal: Journal) -> Engine:
    """Return an engine that has not connected; no path means memory.

    Its connections expect the execution option `begin`: the statement that opens
    a transaction. The driver would issue it late and only before a write.
    """
    engine = _memory_engine() if path is None else _file_engine(path)

    @event.listens_for(engine, "connect")
    def set_up(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        try:
            _set_up(connection, journal)
        except sqlite3.Error:
            connection.close()
            raise

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options()["begin"])

    return engine


def _memory_engine() -> Engine:
    return create_engine(
        "sqlite://",
        poolclass=StaticPool,
        connect_args={"check_same_thread": False},
        hide_parameters=True,
    )


def _file_engine(path: Path) -> Engine:
    return create_engine(
        URL.create("sqlite", database=str(path)),
        # A connection does not wait while it sets itself up, only afterwards.
        connect_args={"timeout": 0},
        pool_timeout=BUSY_TIMEOUT_MS / 1000,
        hide_parameters=True,
    )


def _set_up(connection: sqlite3.Connection, journal: Journal) -> None:
    mode = _journal_mode(connection, journal)
    synchronous = "NORMAL" if mode == journal == "wal" else "FULL"
    for pragma in (
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        f"synchronous = {synchronous}",
        "foreign_keys = ON",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _journal_mode(connection: sqlite3.Connection, journal: Journal) -> str:
    """Ask for the journal mode and return the one that is in force."""
    try:
        row = connection.execute(f"PRAGMA journal_mode = {journal}").fetchone()
    except sqlite3.OperationalError as error:
        # A file in use by a process with the other mode keeps that mode; both
        # are safe, so this is no reason to refuse work.
        if primary_code(error) != sqlite3.SQLITE_BUSY:
            raise
        return "unknown"
    return str(row[0])
