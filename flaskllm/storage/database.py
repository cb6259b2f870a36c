"""The database: one engine per process, made at first use, and its transactions."""

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from flaskllm.core.clock import Clock
from flaskllm.core.secrets import ensure_data_dir
from flaskllm.storage import schema
from flaskllm.storage.driver_errors import disk_errors_told, driver_errors_told
from flaskllm.storage.journal import Journal
from flaskllm.storage.sqlite import database_path, make_engine, make_private


@dataclass(slots=True)
class _Process:
    """What one process holds. `turn` keeps users of a shared connection apart."""

    engine: Engine
    turn: AbstractContextManager[object]
    opening: threading.Lock = field(default_factory=threading.Lock)
    is_current: bool = False


class Database:
    """Gives out short transactions on a schema that is up to date.

    Opens nothing until the first of them. A database in memory (`sqlite://`) is
    one connection that all threads of the process take in turns; it ends with
    `close` or with its process, and a forked child starts with an empty one.
    """

    def __init__(
        self,
        url: str,
        *,
        journal: Journal,
        clock: Clock,
        data_dir: Path | None = None,
    ) -> None:
        """Remember where the database is.

        Args:
            url: Such as `sqlite:////absolute/file`; `sqlite://` is memory.
            journal: How the file keeps its transactions whole.
            clock: Times the wait for another process that opens the file.
            data_dir: Looked after before a file is made in it; None when the
                database has a folder of its own.

        Raises:
            InvalidInputError: The URL is not one of SQLite.
        """
        self._path = database_path(url)
        self._journal = journal
        self._clock = clock
        self._data_dir = data_dir
        self._processes: dict[int, _Process] = {}

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection that may write; commit at the end, roll back on an error.

        The write lock is taken at once, so what is read inside stays true until
        the commit. Never call a model or a socket inside, nor ask for a second
        connection.

        Raises:
            ServiceUnavailable: Locked, full, read-only, damaged; nothing was written.
            InternalError: The statement is wrong: our own fault.
        """
        with self._begun("BEGIN IMMEDIATE") as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one unchanging state and does not write.

        Raises:
            ServiceUnavailable: The database cannot be read.
            InternalError: The statement is wrong: our own fault.
        """
        with self._begun("BEGIN") as connection:
            yield connection

    def check(self) -> None:
        """Return when the database answers.

        Raises:
            ServiceUnavailable: It does not.
        """
        with self.reading() as connection:
            connection.execute(text("SELECT count(*) FROM sqlite_schema"))

    def upgrade(self) -> bool:
        """Bring the schema up to date, and tell whether that changed anything.

        The first transaction of every process does this by itself. Processes that
        start together take turns; a failure leaves the schema as it was.

        Raises:
            ServiceUnavailable: The schema is newer than this program, the file is
                damaged, or it cannot be written.
        """
        process = self._process()
        with process.opening:
            if process.is_current:
                return False
            with driver_errors_told(), disk_errors_told(), self._file_to_itself():
                changed = _bring_up_to_date(process)
            process.is_current = True
        return changed

    def close(self) -> None:
        """Close this process's connections; the next use opens new ones."""
        process = self._processes.pop(os.getpid(), None)
        if process is not None:
            process.engine.dispose()

    @contextmanager
    def _begun(self, begin: str) -> Iterator[Connection]:
        process = self._process()
        if not process.is_current:
            self.upgrade()
        with driver_errors_told(), _connected(process, begin) as connection:
            yield connection

    def _process(self) -> _Process:
        # Entries of a parent process stay, unused: an inherited connection must
        # not even be closed (https://sqlite.org/howtocorrupt.html, section 2.6).
        # `setdefault` is atomic; an engine that loses the race never connected.
        process = self._processes.get(os.getpid())
        if process is not None:
            return process
        return self._processes.setdefault(os.getpid(), self._new_process())

    def _new_process(self) -> _Process:
        engine = make_engine(self._path, self._journal)
        in_turns = threading.RLock() if self._path is None else nullcontext()
        return _Process(engine, in_turns)

    @contextmanager
    def _file_to_itself(self) -> Iterator[None]:
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


def _bring_up_to_date(process: _Process) -> bool:
    with _connected(process, "BEGIN") as connection:
        if schema.revision_of(connection) == schema.HEAD:
            return False
    with _connected(process, "BEGIN IMMEDIATE") as connection:
        schema.migrate(connection)
    return True


@contextmanager
def _connected(process: _Process, begin: str) -> Iterator[Connection]:
    with (
        process.turn,
        process.engine.connect().execution_options(begin=begin) as connection,
        connection.begin(),
    ):
        yield connection
