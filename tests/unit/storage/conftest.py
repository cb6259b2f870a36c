"""Databases in a folder of the test, closed when it ends."""

import pytest

from flaskllm.core.clock import SystemClock
from flaskllm.storage.database import Database


@pytest.fixture
def path(tmp_path):
    """Where the database file will be."""
    return tmp_path / "flaskllm.db"


@pytest.fixture
def open_database(path):
    """Make databases, and close them all in the end."""
    opened = []

    def open_it(url=f"sqlite:///{path}", journal="wal"):
        database = Database(url, journal=journal, clock=SystemClock())
        opened.append(database)
        return database

    yield open_it
    for database in opened:
        database.close()


@pytest.fixture(params=["wal", "truncate", "memory", "postgres"])
def database(request, open_database):
    """A database in each journal mode, one in memory, and one of a server."""
    if request.param == "postgres":
        return open_database(request.getfixturevalue("postgres_database_url"))
    if request.param == "memory":
        return open_database("sqlite://", "truncate")
    return open_database(journal=request.param)
