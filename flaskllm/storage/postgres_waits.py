"""Connections to PostgreSQL that do not wait for ever for a server that says nothing.

A server process that was stopped keeps its connections open, and its kernel goes on to
acknowledge what we send: neither the server's own time-outs nor those of TCP end such
a wait. psycopg wakes up ten times a second while it waits; here it is asked whether
to go on.
"""

from contextlib import ExitStack
from functools import cache
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from sqlalchemy import Connection, Engine, event

from flaskllm.storage.driver_errors import SILENT, unavailable
from flaskllm.storage.reach import SUSPECT_SECONDS, Reach

if TYPE_CHECKING:
    from psycopg import Connection as _OfDriver
    from psycopg.abc import PQGen

    _Driver = _OfDriver[Any]
else:  # it may not be installed: `_class_with` knows it
    _Driver = object

# The server ends a statement at its own time-out, and has to tell us.
_GRACE_SECONDS = 3.0
_TIMEOUT = "SELECT extract(epoch FROM current_setting('statement_timeout')::interval)"


class Patience(_Driver):
    """A connection that gives up, and is closed, when an answer takes too long.

    Attributes:
        lost: What the driver raises where a connection breaks.
        reach: What is known of its server; None waits as psycopg does.
        is_refused: When its test before it is given out is not answered, nobody
            shall wait for a new connection instead.
        statement_seconds: How long the answer to a statement may take; None has no
            limit.
    """

    lost: type[Exception]
    reach: Reach | None = None
    is_refused = False
    statement_seconds: float | None = None
    _is_given_out = False
    _limit_seconds: float | None = SUSPECT_SECONDS

    def give_out(self, limit_seconds: float | None) -> None:
        """Let an answer take so long from here on; None has no limit."""
        self._is_given_out = True
        self._limit_seconds = limit_seconds

    def take_back(self) -> None:
        """Let answers take as long as one to nothing."""
        self._is_given_out = False
        self._limit_seconds = SUSPECT_SECONDS

    def wait(self, gen: "PQGen[Any]", *options: Any, **more: Any) -> Any:
        """Return what the generator of psycopg ends with.

        Raises:
            ServiceUnavailable: No answer came to a test.
            Exception: `lost`: none came to a statement; it may have been done.
        """
        if self.reach is None:
            return super().wait(gen, *options, **more)
        return super().wait(self._watched(gen, self.reach), *options, **more)

    def _watched(self, gen: "PQGen[Any]", reach: Reach) -> "PQGen[Any]":
        since_seconds = reach.now_seconds()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and reach.gives_up(since_seconds, self._limit_seconds):
                    self._give_up()
                wanted = gen.send(ready)
        except StopIteration as end:
            return end.value

    def _give_up(self) -> NoReturn:
        self.pgconn.finish()
        if self.is_refused and not self._is_given_out:
            raise unavailable(*SILENT)
        raise self.lost("no answer came in time")


def watch(engine: Engine, reach: Reach, *, refuses: bool) -> None:
    """Make all connections of an engine that has none yet patient ones.

    What tests a connection before it is given out has two seconds; a statement has a
    little longer than the server gives it.

    Args:
        engine: One on psycopg.
        reach: What is known of its server.
        refuses: See `Patience.is_refused`.
    """

    def connect(dialect: Any, _: object, args: Any, options: Any) -> Patience:
        made = _class_with(dialect.loaded_dbapi).connect(*args, **options)
        with ExitStack() as unless_asked:
            unless_asked.callback(made.close)
            made.reach, made.is_refused = reach, refuses
            made.autocommit = True
            row = made.execute(_TIMEOUT).fetchone()
            made.autocommit = False
            unless_asked.pop_all()
        seconds = float(row[0]) if row else 0.0
        made.statement_seconds = seconds + _GRACE_SECONDS if seconds else None
        return made

    def give_out(connection: Patience, *_: object) -> None:
        connection.give_out(connection.statement_seconds)

    def take_back(connection: Patience | None, *_: object) -> None:
        if connection is not None:  # it is, unless it broke
            connection.take_back()

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "checkout", give_out)
    event.listen(engine, "checkin", take_back)


@cache
def _class_with(driver: ModuleType) -> type[Patience]:
    """Return the driver's own connections, with patience."""
    lost = {"lost": driver.OperationalError}
    return type("PatientConnection", (Patience, driver.Connection), lost)


def lift_limit(connection: Connection) -> None:
    """Let statements take as long as they need, until it is given back."""
    patient: Any = connection.connection.dbapi_connection
    patient.give_out(None)
