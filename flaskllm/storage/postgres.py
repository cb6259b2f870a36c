"""PostgreSQL through psycopg: the URL, time-outs, the pool, the schema's lock."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    ExceptionContext,
    create_engine,
    event,
    text,
)
from sqlalchemy.exc import OperationalError

from flaskllm.core.clock import Clock
from flaskllm.storage.copies import Copies
from flaskllm.storage.driver_errors import LOCK_NOT_AVAILABLE, sqlstate_of, unavailable
from flaskllm.storage.lines import Line
from flaskllm.storage.postgres_copies import PostgresCopies
from flaskllm.storage.postgres_waits import lift_limit, watch
from flaskllm.storage.reach import Reach
from flaskllm.storage.schema import LOCK_TIMEOUT_SECONDS, schema_is_locked
from flaskllm.storage.store import PATIENCE, Options, Turns

DRIVER = "postgresql+psycopg"
NAMES = ("postgresql", "postgres", DRIVER)
"""How the URL of a PostgreSQL database may begin."""

CONNECT_TIMEOUT_SECONDS = 2  # the least that psycopg takes
STATEMENT_TIMEOUT_MS = 15_000
LOCK_TIMEOUT_MS = 5_000
IDLE_TIMEOUT_MS = 30_000
# Most requests ask the database for nothing; those that do are done in a moment.
POOL_SIZE = 5
POOL_OVERFLOW = 5
POOL_TIMEOUT_SECONDS = 5.0
_RECYCLE_SECONDS = 1800

# Any number, as long as all versions of this program agree on it.
SCHEMA_LOCK = 0x666C61736B6C6C6D  # the letters of `flaskllm`

# DBOS waits for the turn of another worker, and keeps a connection for its own jobs.
_WORKFLOW_POOL_SIZE = 4
_WORKFLOW_LOCK_TIMEOUT_MS = 15_000
# A peer that is gone without a word is noticed within half a minute.
_CONNECT_ARGS: Options = {
    "application_name": "flaskllm",
    "client_encoding": "utf8",
    "connect_timeout": CONNECT_TIMEOUT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}
_READ_ONLY_TRANSACTION = "25006"
_NOT_INSTALLED = "It needs psycopg: pip install 'psycopg[binary]'."
_READING: Options = {
    "isolation_level": "REPEATABLE READ",
    "postgresql_readonly": True,
}
_WRITING: Options = {"isolation_level": "READ COMMITTED"}


def is_driver_installed() -> bool:
    """Tell whether psycopg is there, and what it needs itself."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        return False
    return True


def _leave_if_read_only(context: ExceptionContext) -> None:
    """Let go of all connections where one turns out to be read-only.

    Its server was a primary and is a standby now: it answers, but another one of the
    same name takes writes.
    """
    if sqlstate_of(context.original_exception) == _READ_ONLY_TRANSACTION:
        context.is_disconnect = True


def _leave_if_among_several(context: ExceptionContext) -> None:
    """Let go of a connection that broke while it was told several things at once.

    The driver may leave it open, in a mode in which it cannot even roll back.
    """
    cursor: Any = getattr(context.execution_context, "cursor", None)
    if cursor is not None and cursor.connection.pgconn.pipeline_status:
        context.is_disconnect = True


def _let_server_decide(connection: Any, *_of_the_pool: object) -> None:
    """Ask for no mode that nobody asked for.

    After a reader SQLAlchemy asks for "read and write", which a standby refuses,
    and a server that was told to protect a full disk obeys.
    """
    connection.read_only = None


def _limit_patience(connection: Connection) -> None:
    """Let the transaction that begins wait for no longer than its options say."""
    seconds = connection.get_execution_options().get(PATIENCE)
    if seconds is None:
        return
    told = f"{int(seconds * 1000)}ms"
    driver: Any = connection.connection.dbapi_connection
    driver.execute(
        f"SET LOCAL statement_timeout = '{told}'; SET LOCAL lock_timeout = '{told}'"
    ).close()


class PostgresStore:
    """A database on a PostgreSQL server, which other hosts may use as well.

    Writers run READ COMMITTED: what must stay true until the commit has to be
    locked. Readers see one snapshot and cannot write.
    """

    is_shared = True
    is_lasting = True
    reading = _READING
    writing = _WRITING
    # A commit waits for the log on the disk, unless the server was told otherwise.
    durable = _WRITING

    def __init__(
        self,
        url: URL,
        clock: Clock,
        *,
        pool_seconds: float = POOL_TIMEOUT_SECONDS,
        schema_seconds: float = LOCK_TIMEOUT_SECONDS,
    ) -> None:
        """Remember the address; a part of it that is given wins over what is usual.

        Args:
            url: With any of the names that a URL of PostgreSQL begins with.
            clock: Times the waits for a server that does not answer.
            pool_seconds: How long to wait for one of the connections.
            schema_seconds: How long to wait for the lock of the schema.
        """
        self._url = url.set(drivername=DRIVER)
        self._clock = clock
        self._reach = Reach(clock)
        self._pool_seconds = pool_seconds
        self._schema_ms = int(schema_seconds * 1000)

    def make_engine(self) -> Engine:
        """Return an engine that has not connected.

        A connection that does not answer any more is replaced before it is given
        out, so a server that was restarted is met without an error.

        Raises:
            ServiceUnavailable: psycopg is not installed.
        """
        limits = _server_settings(STATEMENT_TIMEOUT_MS, LOCK_TIMEOUT_MS)
        engine = self._engine(limits, POOL_SIZE)
        event.listen(engine, "checkout", _let_server_decide)
        event.listen(engine, "begin", _limit_patience)
        event.listen(engine, "handle_error", _leave_if_read_only)
        return engine

    def make_workflow_engine(self, statement_ms: int) -> Engine:
        """Return an engine for DBOS, with a pool of its own.

        Raises:
            ServiceUnavailable: psycopg is not installed.
        """
        limits = _server_settings(statement_ms, _WORKFLOW_LOCK_TIMEOUT_MS)
        return self._engine(limits, _WORKFLOW_POOL_SIZE, refuses=False)

    def turns(self) -> Turns:
        """Return the line for the connections, in which all stand alike."""
        places = POOL_SIZE + POOL_OVERFLOW
        line = Line(places, self._pool_seconds, "All its connections are in use.")
        return Turns(reading=line, writing=line, connect=self._reach.connect)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Do nothing: the schema's lock lies in the database."""
        yield

    def enter(self) -> None:
        """Return None: the server tells who is connected."""

    def lock_schema(self, connection: Connection) -> None:
        """Hold the schema's lock until the end of the open transaction.

        What follows may take as long as it needs.

        Raises:
            ServiceUnavailable: Another process did not finish; a retry helps.
        """
        lift_limit(connection)
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(text(f"SET LOCAL lock_timeout = {self._schema_ms}"))
        try:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({SCHEMA_LOCK})"))
        except OperationalError as error:
            if sqlstate_of(error.orig) != LOCK_NOT_AVAILABLE:
                raise
            raise schema_is_locked() from error

    def fold_log(self, engine: Engine) -> bool:
        """Do nothing: the log is the server's own."""
        return True

    def log_bytes(self) -> int | None:
        """Return None: the log is the server's own."""
        return None

    def copies(self) -> Copies:
        """Return what has the server's own programs dump and restore."""
        return PostgresCopies(self._url, self._copying_engine, SCHEMA_LOCK)

    def exists(self) -> bool:
        """Return True: whether there is a database only its server can tell."""
        return True

    def describe(self, connection: Connection) -> str:
        """Return the product and its version."""
        version = connection.execute(text("SHOW server_version")).scalar_one()
        number = re.match(r"[\d.]+", version)
        return f"PostgreSQL {number[0] if number else version}"

    def find_faults(self, connection: Connection) -> tuple[str, ...]:
        """Return what would make texts come back changed, or not at all."""
        encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
        if encoding == "UTF8":
            return ()
        return (f"Its encoding is {encoding}; make the database with UTF8.",)

    def _copying_engine(self) -> Engine:
        # A dump takes as long as it needs, and its snapshot is held by a session
        # that does nothing meanwhile.
        limits = "-c statement_timeout=0 -c idle_in_transaction_session_timeout=0"
        url = self._url.update_query_dict({"application_name": "flaskllm-copies"})
        store = PostgresStore(url, self._clock, pool_seconds=self._pool_seconds)
        return store._engine(limits, 1)

    def _engine(self, limits: str, pool_size: int, *, refuses: bool = True) -> Engine:
        try:
            engine = create_engine(
                self._url,
                connect_args=self._connect_args(limits),
                pool_size=pool_size,
                max_overflow=POOL_OVERFLOW,
                pool_timeout=self._pool_seconds,
                pool_recycle=_RECYCLE_SECONDS,
                pool_use_lifo=True,
                pool_pre_ping=True,
                hide_parameters=True,
            )
        except ImportError as error:
            raise unavailable(_NOT_INSTALLED) from error
        event.listen(engine, "handle_error", _leave_if_among_several)
        watch(engine, self._reach, refuses=refuses)
        return engine

    def _connect_args(self, limits: str) -> dict[str, object]:
        query = self._url.query
        args = {name: _CONNECT_ARGS[name] for name in _CONNECT_ARGS.keys() - query}
        given = query.get("options", "")
        return args | {"options": f"{limits} {given}".strip()}


def _server_settings(statement_ms: int, lock_ms: int) -> str:
    return (
        f"-c statement_timeout={statement_ms} "
        f"-c lock_timeout={lock_ms} "
        f"-c idle_in_transaction_session_timeout={IDLE_TIMEOUT_MS} "
        "-c timezone=UTC "
        # To compile a report takes longer than to answer it.
        "-c jit=off "
        # Each of our queries has its index, and disks no longer have to seek.
        "-c random_page_cost=1.1"
    )
