"""Engines on SQLite, and how each of their connections is set up."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Engine,
    ExceptionContext,
    StaticPool,
    create_engine,
    event,
)
from sqlalchemy.pool import ConnectionPoolEntry

from flaskllm.storage.driver_errors import primary_code
from flaskllm.storage.journal import Journal

BUSY_TIMEOUT_MS = 5000
# DBOS has no line in which its writers wait, and a worker can wait.
_WORKFLOW_BUSY_TIMEOUT_MS = 30_000

# What a pooled connection knows of itself: how durable its commits are when nobody
# asks for more, and at the moment.
_USUAL, _PRESENT = "usual_synchronous", "synchronous"


def own_engine(path: Path | None, journal: Journal) -> Engine:
    """Return our own engine; no path is memory. Its caller begins transactions."""
    engine = _memory_engine() if path is None else _file_engine(path)

    def set_up(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        record.info[_USUAL] = _set_up(connection, journal, BUSY_TIMEOUT_MS)

    _at_connect(engine, set_up)
    event.listen(engine, "handle_error", _leave_if_read_only)
    return engine


def workflow_engine(path: Path, journal: Journal) -> Engine:
    """Return the engine of DBOS: the driver begins, at the first write, and at once.

    Ours would want to be told before who writes.
    """
    engine = _file_engine(path)

    def set_up(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        _set_up(connection, journal, _WORKFLOW_BUSY_TIMEOUT_MS)
        connection.isolation_level = "IMMEDIATE"

    _at_connect(engine, set_up)
    return engine


def set_durability(
    connection: sqlite3.Connection, info: dict[Any, Any], wanted: object
) -> None:
    """Make the next commit of one of our own connections as durable as is wanted.

    None wants what is usual.
    """
    # It cannot be changed inside a transaction, and only this connection's counts.
    level = wanted or info[_USUAL]
    if info.get(_PRESENT, info[_USUAL]) != level:
        connection.execute(f"PRAGMA synchronous = {level}").close()
        info[_PRESENT] = level


def _leave_if_read_only(context: ExceptionContext) -> None:
    """Let go of a connection that turns out to be read-only: it stays so.

    SQLite opens a file that it may not write to as one to be read, and says nothing.
    """
    if primary_code(context.original_exception) == sqlite3.SQLITE_READONLY:
        context.is_disconnect = True


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


def _at_connect(
    engine: Engine, set_up: Callable[[sqlite3.Connection, ConnectionPoolEntry], None]
) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        try:
            set_up(connection, record)
        except sqlite3.Error:
            connection.close()
            raise


def _set_up(connection: sqlite3.Connection, journal: Journal, busy_ms: int) -> str:
    """Set the pragmas, and return how durable a commit is: `NORMAL` or `FULL`."""
    mode = _journal_mode(connection, journal)
    synchronous = "NORMAL" if mode == journal == "wal" else "FULL"
    for pragma in (
        f"busy_timeout = {busy_ms}",
        f"synchronous = {synchronous}",
        "foreign_keys = ON",
        # What is removed is overwritten: backups are copies of whole pages.
        "secure_delete = ON",
        # In pages, 16 MiB: whoever folds the log into the file waits for the disk,
        # and everybody who writes waits with them.
        "wal_autocheckpoint = 4000",
    ):
        connection.execute(f"PRAGMA {pragma}").close()
    return synchronous


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
