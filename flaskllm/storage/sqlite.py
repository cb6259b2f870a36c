"""SQLite, set up our way: the URL, the file and its mode, the engine."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import (
    closing,
    contextmanager,
    nullcontext,
    suppress,
)
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, event

from flaskllm.core.clock import Clock
from flaskllm.core.errors import InvalidInputError
from flaskllm.core.secret_files import ensure_data_dir
from flaskllm.storage import schema
from flaskllm.storage.copies import Copies, refused
from flaskllm.storage.driver_errors import DAMAGED, unavailable
from flaskllm.storage.journal import Journal
from flaskllm.storage.presence import Presence, enter
from flaskllm.storage.sqlite_copies import SqliteCopies
from flaskllm.storage.sqlite_engines import (
    BUSY_TIMEOUT_MS,
    own_engine,
    set_durability,
    workflow_engine,
)
from flaskllm.storage.store import PATIENCE, Options, Turns
from flaskllm.storage.writers import WriterLine, begin_writing

NAMES = ("sqlite", "sqlite+pysqlite")
"""How the URL of a SQLite database may begin."""

FORMS = "sqlite:///relative.db, sqlite:////absolute.db or sqlite:// (memory)"
_FOLDING_TIMEOUT_MS = 200
_SIDE_FILES = ("", "-wal", "-shm", "-journal")


def database_path(url: URL) -> Path | None:
    """Return the absolute path of the database file, or None for memory.

    Raises:
        InvalidInputError: The URL holds what no file has.
    """
    if url.host or url.query:
        problem = "a host or a query is not supported"
        raise InvalidInputError.of("database_url", problem, FORMS)
    if url.database in (None, "", ":memory:"):
        return None
    return Path(url.database).absolute()


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


_READING: Options = {"is_writer": False}
_WRITING: Options = {"is_writer": True}
_DURABLE: Options = {**_WRITING, "synchronous": "FULL"}


class SqliteStore:
    """A database file that the processes of one machine share; no path is memory.

    Writers take the lock at once, so one of them is inside at a time.
    """

    is_shared = False
    reading = _READING
    writing = _WRITING
    durable = _DURABLE

    def __init__(
        self,
        path: Path | None,
        journal: Journal,
        clock: Clock,
        data_dir: Path | None,
    ) -> None:
        """Remember where the file is; see `Database` for the arguments."""
        self._path = path
        self._journal = journal
        self._clock = clock
        self._data_dir = data_dir

    def make_engine(self) -> Engine:
        """Return an engine that has not connected.

        Its connections expect the execution option `is_writer`. The driver would
        begin late, and only before a write.
        """
        engine = own_engine(self._path, self._journal)
        event.listen(engine, "begin", self._begin)
        return engine

    @property
    def is_lasting(self) -> bool:
        """Tell whether it is a file."""
        return self._path is not None

    def make_workflow_engine(self, statement_ms: int) -> Engine:
        """Return an engine for DBOS; no statement is stopped here.

        Raises:
            ServiceUnavailable: The database is one in memory.
        """
        if self._path is None:
            raise unavailable("Workflows need one that outlives the process.")
        return workflow_engine(self._path, self._journal)

    def turns(self) -> Turns:
        """Return the lock of the one connection to memory, or a file's line."""
        if self._path is None:
            alone = threading.RLock()
            return Turns(reading=alone, writing=alone)
        line = WriterLine(self._clock, BUSY_TIMEOUT_MS / 1000)
        return Turns(reading=nullcontext(), writing=line)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Make the folder and the file; no other process is inside meanwhile.

        Raises:
            ServiceUnavailable: Another process did not finish; a retry helps.
            OSError: The file or its folder cannot be made.
        """
        if self._path is None:
            yield
            return
        # First: the folder must be ours before there is anything in it.
        if self._data_dir and self._path.is_relative_to(self._data_dir.absolute()):
            ensure_data_dir(self._data_dir)
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock_path = self._path.with_name(self._path.name + ".lock")
        with schema.alone(lock_path, self._clock):
            make_private(self._path)
            yield

    def enter(self) -> Presence | None:
        """Return the sign that lies beside the file while this process has it open."""
        return enter(self._path) if self._path else None

    def lock_schema(self, connection: Connection) -> None:
        """Do nothing: a file has one writer at a time, and `alone` one process."""

    def fold_log(self, engine: Engine) -> bool:
        """Empty the write-ahead log into the file, unless others read just now."""
        with closing(engine.raw_connection()) as connection:
            # Who writes waits as long as this does.
            connection.execute(f"PRAGMA busy_timeout = {_FOLDING_TIMEOUT_MS}").close()
            try:
                row = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            finally:
                usual = f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}"
                connection.execute(usual).close()
        return not row[0]

    def log_bytes(self) -> int | None:
        """Return how long the write-ahead log is; None for a file without one."""
        if self._path is None:
            return None
        log = self._path.with_name(f"{self._path.name}-wal")
        return log.stat().st_size if log.exists() else None

    def copies(self) -> Copies:
        """Return what copies the file.

        Raises:
            ServiceUnavailable: The database is one in memory.
        """
        if self._path is None:
            raise refused("The database lies in memory, and each process has its own.")
        return SqliteCopies(self._path, self.alone)

    def _begin(self, connection: Connection) -> None:
        """Open a transaction as its options say, and as durable as they say."""
        options = connection.get_execution_options()
        driver: Any = connection.connection.dbapi_connection
        set_durability(driver, connection.info, options.get("synchronous"))
        if options["is_writer"]:
            begin_writing(driver, self._clock, options.get(PATIENCE))
        else:
            driver.execute("BEGIN").close()

    def exists(self) -> bool:
        """Tell whether there is a file; memory always is."""
        return self._path is None or self._path.exists()

    def describe(self, connection: Connection) -> str:
        """Return the version of SQLite and the journal in force."""
        journal = _pragma(connection, "journal_mode")[0]
        return f"SQLite {sqlite3.sqlite_version}, journal {journal}"

    def find_faults(self, connection: Connection) -> tuple[str, ...]:
        """Return what SQLite finds damaged; it reads the whole file."""
        found = _pragma(connection, "integrity_check")
        # Not its own words: they may quote what was stored.
        return () if found == ["ok"] else (DAMAGED,)


def _pragma(connection: Connection, name: str) -> list[str]:
    return [str(row[0]) for row in connection.exec_driver_sql(f"PRAGMA {name}")]
