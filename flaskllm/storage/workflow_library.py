"""DBOS, which keeps workflows in our database: what it gets from us, and its traps.

This and `flaskllm.jobs` are all that imports it, and only inside functions: it costs
half a second and 40 MB, which whoever accepts no job need not pay.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Engine

from flaskllm.core.errors import InternalError
from flaskllm.storage.driver_errors import driver_errors_told
from flaskllm.storage.workflow_logs import keep_quiet

if TYPE_CHECKING:
    from dbos import DBOSClient
    from dbos import Serializer as DBOSSerializer

APPLICATION: Final = "flaskllm"
"""Whose workflows these are: others may keep theirs in the same database."""

VERSION: Final = "1"
"""Of the workflows' code. A worker takes up only what has its own version; raise it
where the steps of a workflow that has begun would no longer fit."""

# Texts of its column `status`.
QUEUED: Final = "ENQUEUED"
RUNNING: Final = "PENDING"
_DELAYED = "DELAYED"


def serializer() -> "DBOSSerializer":
    """Return how arguments are written: as JSON, never pickled."""
    from dbos import DBOSPortableJSONSerializer

    return DBOSPortableJSONSerializer()


def new_client(engine: Engine) -> "DBOSClient":
    """Return a client of DBOS on this engine; it has not connected."""
    keep_quiet()
    from dbos import DBOSClient

    _release_by_database_clock()
    return DBOSClient(
        system_database_engine=engine,
        serializer=serializer(),
        application_name=APPLICATION,
        use_listen_notify=False,
        # Whoever waits for an answer is told at once.
        retry_connection_errors=False,
        lazy=True,
    )


def _release_by_database_clock() -> None:
    """Let delays on PostgreSQL end by its clock, not by that of any worker's host.

    DBOS compares with the clock of the process that looks: one host whose clock is
    ahead would begin everybody's delayed workflows at once.
    """
    from dbos._sys_db_postgres import PostgresSystemDatabase

    release: Any = _release_delayed
    PostgresSystemDatabase.transition_delayed_workflows = release  # type: ignore[method-assign]


def _release_delayed(system: Any) -> None:
    status = system.tables.workflow_status
    with system.engine.begin() as connection:
        connection.execute(
            status.update()
            .where(
                status.c.status == _DELAYED,
                status.c.application_name == APPLICATION,
                status.c.delay_until_epoch_ms <= system._now_ms_sql(),
            )
            .values(status=QUEUED)
        )


def is_current(engine: Engine) -> bool:
    """Tell whether its tables are as this version of it wants them, or newer."""
    from dbos import error

    try:
        new_client(engine)._sys_db.verify_migrations()
    except error.DBOSInitializationError:
        return False
    return True


def migrate(engine: Engine) -> None:
    """Bring its tables up to date; several that do it at once take turns."""
    new_client(engine)._sys_db.run_migrations()


def version_of(engine: Engine) -> int:
    """Return the version of DBOS's tables, 0 where there are none."""
    from dbos._migration import get_migration_versions, get_sqlite_migration_versions

    if engine.dialect.name == "sqlite":
        return get_sqlite_migration_versions(engine)[0]
    return get_migration_versions(engine, "dbos", use_listen_notify=False)[0]


@contextmanager
def errors_told() -> Iterator[None]:
    """Let no error of DBOS, of SQLAlchemy or of a driver out.

    Raises:
        ServiceUnavailable: The database does not work; `details` says why.
        InternalError: DBOS was used wrongly.
    """
    from dbos import error as dbos_error

    with driver_errors_told():
        try:
            yield
        except dbos_error.DBOSException as error:
            raise InternalError() from error
