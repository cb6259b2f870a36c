"""The database: one engine per process, made at first use, and its transactions."""

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakSet

from sqlalchemy import Connection, Engine, text

from flaskllm.core.clock import Clock
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage import schema, sqlite
from flaskllm.storage.addresses import store_at
from flaskllm.storage.columns import Sealer
from flaskllm.storage.copies import Copies
from flaskllm.storage.doubts import Doubt
from flaskllm.storage.driver_errors import (
    disk_errors_told,
    driver_errors_told,
    is_lost,
    unavailable,
)
from flaskllm.storage.journal import Journal
from flaskllm.storage.marks import Ownership
from flaskllm.storage.presence import Presence
from flaskllm.storage.repeats import SOON_SECONDS, lost
from flaskllm.storage.retiring import retire
from flaskllm.storage.store import PATIENCE, Options, Turns

# Its page is written all the same.
_CHANGE_NOTHING = "UPDATE alembic_version SET version_num = version_num"


@dataclass(slots=True)
class _Process:
    """What one process holds. `turns` keeps its threads apart."""

    engine: Engine
    turns: Turns
    doubt: Doubt
    opening: threading.Lock = field(default_factory=threading.Lock)
    is_current: bool = False
    presence: Presence | None = None

    def close(self) -> None:
        """Leave the database."""
        retire(self.engine)
        if self.presence is not None:
            self.presence.leave()


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found when a database was looked at; nothing was changed.

    Attributes:
        product: Such as `SQLite 3.45.1, journal wal`.
        revision: That of its schema; None when it has none yet.
        faults: What is wrong with it, in sentences; empty when nothing is.
    """

    product: str
    revision: str | None
    faults: tuple[str, ...]


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
        sealer: Sealer | None = None,
        ownership: Ownership | None = None,
    ) -> None:
        """Remember where the database is.

        Args:
            url: Such as `sqlite:////absolute/file`; `sqlite://` is memory. Or
                `postgresql://user:password@host/name`.
            journal: How a file keeps its transactions whole.
            clock: Times the wait for another process that opens the file.
            data_dir: Looked after before a file is made in it; None when the
                database has a folder of its own.
            sealer: For the columns that lie sealed; None where nobody uses them.
            ownership: Asked before anything is read or changed; None lets all in.

        Raises:
            InvalidInputError: The URL is of neither.
        """
        self._store = store_at(url, journal, clock, data_dir)
        self._clock = clock
        self._sealer = sealer
        self._ownership = ownership
        self._processes: dict[int, _Process] = {}
        self._workflow_engines: WeakSet[Engine] = WeakSet()

    @property
    def is_shared(self) -> bool:
        """Tell whether other hosts may use the same database."""
        return self._store.is_shared

    @property
    def is_lasting(self) -> bool:
        """Tell whether what is written outlives the process."""
        return self._store.is_lasting

    def make_workflow_engine(self, statement_ms: int = 60_000) -> Engine:
        """Return what `Store` does; the caller disposes of it."""
        engine = self._store.make_workflow_engine(statement_ms)
        self._workflow_engines.add(engine)
        return engine

    def copies(self) -> Copies:
        """Return what makes copies of all of it, and puts them back.

        Close it first, in every process, before one is put back.

        Raises:
            ServiceUnavailable: It lies in memory.
        """
        return self._store.copies()

    def bring_file_up_to_date(self, path: Path) -> None:
        """Bring the schema of a SQLite file up to date that is to become this one.

        What lies beside it afterwards, under longer names, can be removed.

        Raises:
            ServiceUnavailable: As `upgrade`; the file may be left in any state.
        """
        other = Database(
            sqlite.sqlite_url(path),
            journal="truncate",
            clock=self._clock,
            sealer=self._sealer,
            ownership=self._ownership,
        )
        with closing(other):
            other.upgrade()

    def fold_log(self) -> None:
        """Leave nothing of what was removed in a write-ahead log, as far as we can.

        The log of a PostgreSQL server is its own.

        Raises:
            ServiceUnavailable: The database cannot be written.
        """
        process = self._process()
        with driver_errors_told(), process.turns.writing:
            self._store.fold_log(process.engine)

    def log_bytes(self) -> int | None:
        """Return how long the write-ahead log is; None where there is none of ours."""
        return self._store.log_bytes()

    @contextmanager
    def transaction(
        self, *, durable: bool = False, patience_seconds: float | None = None
    ) -> Iterator[Connection]:
        """Give a connection that may write; commit at the end, roll back on an error.

        On SQLite the write lock is taken at once, so what is read inside stays true
        until the commit. On PostgreSQL others may write at the same time: lock the
        rows that must stay (`with_for_update`), always in the same order. Never
        call a model or a socket inside, nor ask for a second connection.

        Args:
            durable: The commit must outlive a loss of power. Otherwise a file with
                a write-ahead log may lose the last ones then, though never when a
                process is killed. After an error of the disk there is none until
                it is proved that all is well.
            patience_seconds: How long it may wait for the locks of others; None is
                as long as usual.

        Raises:
            ServiceUnavailable: Locked, full, read-only, damaged, gone; nothing was
                written, unless the connection broke during the commit: `repeats`.
            InternalError: The statement is wrong: our own fault.
        """
        options = self._store.durable if durable else self._store.writing
        if patience_seconds is not None:
            options = {**options, PATIENCE: patience_seconds}
        if durable and (process := self._process()).doubt.is_lasting:
            self._prove(process)
        with self._begun(options, to_write=True) as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one unchanging state and does not write.

        Raises:
            ServiceUnavailable: The database cannot be read.
            InternalError: The statement is wrong: our own fault.
        """
        with self._begun(self._store.reading) as connection:
            yield connection

    def check(self) -> None:
        """Return when the database answers, and this process has no doubt of it.

        A doubt ends with a write that goes well: where there is one, it is tried.

        Raises:
            ServiceUnavailable: It does not, or it could not be written, or was found
                damaged, and that has not been shown to be over.
        """
        with self.reading() as connection:
            connection.execute(text("SELECT version_num FROM alembic_version"))
        process = self._process()
        if process.doubt:
            self._prove(process)

    def upgrade(self) -> bool:
        """Bring the schema up to date, and tell whether that changed anything.

        The first transaction of every process does this by itself. Processes that
        start together take turns; a failure leaves the schema as it was.

        Raises:
            ServiceUnavailable: The schema is newer than this program, the file is
                damaged, it cannot be written, or it is not ours.
        """
        process = self._process()
        with process.opening:
            if process.is_current:
                return False
            with driver_errors_told(), disk_errors_told(), self._store.alone():
                process.presence = process.presence or self._store.enter()
                changed = self._bring_up_to_date(process)
                if changed:
                    self._store.fold_log(process.engine)
            process.is_current = True
        return changed

    def is_current(self) -> bool:
        """Tell whether it is there and its schema is that of this program.

        Nothing is made or changed.

        Raises:
            ServiceUnavailable: It cannot be read.
        """
        if not self._store.exists():
            return False
        process, reading = self._process(), self._store.reading
        with driver_errors_told(), _connected(process, reading) as connection:
            return not schema.fault_of(schema.revision_of(connection))

    def examine(self) -> Examination:
        """Return what the database is, its revision, and what is wrong with it.

        Nothing is made or changed. It reads all of a SQLite file.

        Raises:
            ServiceUnavailable: There is none, it cannot be read, or it is not ours.
        """
        if not self._store.exists():
            raise unavailable("There is none yet: `flaskllm db upgrade` makes it.")
        process, reading = self._process(), self._store.reading
        with driver_errors_told(), _connected(process, reading) as connection:
            revision = schema.revision_of(connection)
            outdated = schema.fault_of(revision)
            if self._ownership is not None:
                self._ownership.check(connection)
            return Examination(
                self._store.describe(connection),
                revision,
                (*self._store.find_faults(connection), *filter(None, [outdated])),
            )

    def close(self) -> None:
        """Close this process's connections; the next use opens new ones."""
        process = self._processes.pop(os.getpid(), None)
        if process is not None:
            process.close()

    @contextmanager
    def _begun(
        self, options: Options, *, to_write: bool = False
    ) -> Iterator[Connection]:
        process = self._process()
        if not process.is_current:
            self.upgrade()
        begun = _connected(process, options, to_write=to_write)
        soon_seconds = self._clock.monotonic() + SOON_SECONDS
        is_ending = False
        try:
            with driver_errors_told(), begun as connection:
                yield connection
                is_ending = True
        except ServiceUnavailable as failure:
            process.doubt.note(failure, to_write=to_write)
            if is_lost(failure) and self._clock.monotonic() < soon_seconds:
                raise lost(failure, is_ending=is_ending) from failure.__cause__
            raise
        if to_write and process.doubt:
            process.doubt.wrote()

    def _prove(self, process: _Process) -> None:
        """Return once it is shown that what is written lies on the disk.

        Raises:
            ServiceUnavailable: It is not; or it was tried a moment ago.
        """
        doubt = process.doubt
        if not doubt.may_prove():
            raise doubt.again()
        with driver_errors_told(), process.turns.writing:
            if self.is_lasting:
                # SQLite opens what it may not write as something to read, and keeps
                # it so as long as one connection of the process is open.
                for engine in (process.engine, *self._workflow_engines):
                    engine.dispose()
                gc.collect()  # errors hold cursors, and those their connection
            if doubt.is_of_damage:
                with _open(process, self._store.reading) as connection:
                    if self._store.find_faults(connection):
                        raise doubt.again()
            if not self._store.fold_log(process.engine):
                raise doubt.again()
            with _open(process, self._store.durable) as connection:
                connection.execute(text(_CHANGE_NOTHING))
        doubt.proved()

    def _process(self) -> _Process:
        # Entries of a parent process stay, unused: an inherited connection must
        # not even be closed (https://sqlite.org/howtocorrupt.html, section 2.6).
        # `setdefault` is atomic; an engine that loses the race never connected.
        process = self._processes.get(os.getpid())
        if process is not None:
            return process
        return self._processes.setdefault(os.getpid(), self._new_process())

    def _new_process(self) -> _Process:
        engine = self._store.make_engine()
        # Where `columns.Sealed` looks for it.
        engine.dialect.sealer = self._sealer  # type: ignore[attr-defined]
        return _Process(engine, self._store.turns(), Doubt(self._clock))

    def _bring_up_to_date(self, process: _Process) -> bool:
        with _connected(process, self._store.reading) as connection:
            is_known = self._ownership is None or self._ownership.check(connection)
            if schema.revision_of(connection) == schema.HEAD and is_known:
                return False
        writing = self._store.writing
        with _connected(process, writing, to_write=True) as connection:
            self._store.lock_schema(connection)
            # Another host may have done it meanwhile.
            changed = schema.revision_of(connection) != schema.HEAD
            if changed:
                schema.migrate(connection)
            if self._ownership is not None:
                self._ownership.put(connection)
        return changed


@contextmanager
def _connected(
    process: _Process, options: Options, *, to_write: bool = False
) -> Iterator[Connection]:
    with (
        process.turns.writing if to_write else process.turns.reading,
        _open(process, options) as connection,
    ):
        yield connection


@contextmanager
def _open(process: _Process, options: Options) -> Iterator[Connection]:
    """Give a connection that has begun, whoever's turn it is."""
    opened = process.turns.connect(process.engine).execution_options(**options)
    with opened as connection, connection.begin():
        yield connection
