"""Databases for tests: a fresh, empty, migrated one, on SQLite and on PostgreSQL.

`database_url` runs a test once on each; `make_database(url)` opens it, as often as
a test likes, and closes everything in the end. Names are imported by `conftest`.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
import pytest
from postgres_server import PostgresServer, running_postgres
from sealers import content_sealer

from flaskllm.core.clock import SystemClock
from flaskllm.storage import schema
from flaskllm.storage.database import Database
from flaskllm.storage.tables import metadata

BOTH = ("sqlite", "postgres")

_numbers = count(1)
_TEMPLATE = "migrated"
_SHARED = "shared"
# Its own schema stays as it is, once a test has made it.
_TABLES_OF_DBOS = (
    "SELECT 'dbos.' || tablename FROM pg_tables "
    "WHERE schemaname = 'dbos' AND tablename <> 'dbos_migrations'"
)


def open_database(url: str, **options) -> Database:
    """Return the database at this URL; who asks closes it.

    Options are those of `Database`; for processes that a test starts, too.
    """
    usual = {"journal": "wal", "clock": SystemClock(), "sealer": content_sealer()}
    return Database(url, **(usual | options))


@pytest.fixture
def make_database() -> Iterator[Callable[..., Database]]:
    """Make databases from URLs, and close them all in the end."""
    opened = []

    def make(url: str, **options) -> Database:
        database = open_database(url, **options)
        opened.append(database)
        return database

    yield make
    for database in opened:
        database.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """The PostgreSQL server of this run's process, with a migrated template."""
    with running_postgres() as server:
        server.run(f"CREATE DATABASE {_TEMPLATE}")
        _migrate(server.url(_TEMPLATE))
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory) -> Path:
    """A migrated database file without rows, to be copied."""
    path = tmp_path_factory.mktemp("template") / "migrated.db"
    _migrate(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_database_url(sqlite_template, tmp_path) -> str:
    """The URL of a fresh, migrated SQLite file."""
    path = tmp_path / "store.db"
    shutil.copyfile(sqlite_template, path)
    path.chmod(0o600)
    return f"sqlite:///{path}"


@pytest.fixture(scope="session")
def postgres_in_turns(postgres) -> PostgresServer:
    """The server, with a migrated database that the tests use one after the other."""
    postgres.run(_make(_SHARED, _TEMPLATE))
    return postgres


@pytest.fixture
def postgres_database_url(postgres_in_turns) -> Iterator[str]:
    """The URL of a migrated, empty database of the PostgreSQL server."""
    yield postgres_in_turns.url(_SHARED)
    try:
        _empty(postgres_in_turns)
    except (psycopg.Error, AssertionError):  # the test has left it unusable
        postgres_in_turns.run(_drop(_SHARED), _make(_SHARED, _TEMPLATE))


@pytest.fixture
def empty_postgres_url(postgres) -> Iterator[str]:
    """The URL of a database of the PostgreSQL server that has no table yet."""
    with _fresh(postgres, "template0") as url:
        yield url


@pytest.fixture(params=BOTH)
def database_url(request) -> str:
    """The URL of a fresh, empty, migrated database: of SQLite, then of PostgreSQL."""
    return request.getfixturevalue(f"{request.param}_database_url")


@contextmanager
def _fresh(server: PostgresServer, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    server.run(_make(name, template))
    try:
        yield server.url(name)
    finally:
        server.run(_drop(name))


def _make(name: str, template: str) -> str:
    return f"CREATE DATABASE {name} TEMPLATE {template}"


def _drop(name: str) -> str:
    return f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"


def _empty(server: PostgresServer) -> None:
    """Remove all rows: a database of its own for each test takes far longer."""
    server.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{_SHARED}'"
    )
    with server.connect(_SHARED) as connection:
        names = [table.name for table in metadata.sorted_tables]
        names += [row[0] for row in connection.execute(_TABLES_OF_DBOS).fetchall()]
        connection.execute("; ".join(f"DELETE FROM {name}" for name in names))
        query = "SELECT version_num FROM alembic_version"
        assert connection.execute(query).fetchall() == [(schema.HEAD,)]


def _migrate(url: str) -> None:
    database = open_database(url)
    try:
        database.upgrade()
    finally:
        database.close()
