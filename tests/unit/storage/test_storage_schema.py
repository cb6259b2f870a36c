"""The schema: brought up to date once, under a lock, or refused."""

import fcntl
import os
import sqlite3
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from database_rows import usage_of
from fakes import FakeClock
from sqlalchemy import text

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import InternalError, ServiceUnavailable
from flaskllm.storage import schema
from flaskllm.storage.database import Database
from flaskllm.storage.overrides import OverrideRows
from flaskllm.storage.tables import metadata


class Waiting(FakeClock):
    """A clock that does something whenever somebody sleeps on it."""

    def __init__(self, on_sleep):
        super().__init__()
        self._on_sleep = on_sleep

    def sleep(self, seconds):
        super().sleep(seconds)
        self._on_sleep()


@pytest.fixture
def open_database(path):
    opened = []

    def open_it(url=f"sqlite:///{path}", clock=None):
        database = Database(url, journal="truncate", clock=clock or SystemClock())
        opened.append(database)
        return database

    yield open_it
    for database in opened:
        database.close()


def names_in(path):
    connection = sqlite3.connect(path)
    names = {row[0] for row in connection.execute("SELECT name FROM sqlite_schema")}
    connection.close()
    return names


def execute(path, statement):
    connection = sqlite3.connect(path)
    connection.execute(statement)
    connection.commit()
    connection.close()


def test_the_constant_is_the_newest_revision():
    config = Config()
    config.set_main_option("script_location", "flaskllm.storage:migrations")

    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_the_revisions_lead_to_the_declared_tables(open_database):
    database = open_database()

    with database.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "compare_server_default": True}
        )
        assert compare_metadata(context, metadata) == []


@pytest.mark.parametrize("url", ["sqlite://", None], ids=["memory", "file"])
def test_an_upgrade_tells_whether_it_changed_anything(open_database, path, url):
    database = open_database(url or f"sqlite:///{path}")

    assert database.upgrade() is True
    assert database.upgrade() is False


def test_a_schema_that_is_current_is_left_alone(open_database):
    open_database().upgrade()

    assert open_database().upgrade() is False


def test_the_first_transaction_brings_the_schema_up_to_date(open_database):
    with open_database().reading() as connection:
        assert schema.revision_of(connection) == schema.HEAD


def test_a_newer_schema_is_refused_and_kept(open_database, path):
    open_database().upgrade()
    execute(path, "UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()

    with pytest.raises(ServiceUnavailable) as refused:
        open_database().check()

    assert "revision '9999'" in refused.value.details
    assert f"newer than {schema.HEAD!r}" in refused.value.details
    assert path.read_bytes() == before


def test_an_empty_version_table_counts_as_no_schema(open_database, path):
    execute(path, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")

    assert open_database().upgrade() is True


def test_a_revision_that_fails_half_way_leaves_nothing(open_database, path):
    execute(path, "CREATE TABLE usage (id)")

    with pytest.raises(InternalError):
        open_database().upgrade()

    assert names_in(path) == {"usage"}


def test_threads_that_start_together_migrate_once(open_database):
    database, barrier, changes = open_database(), threading.Barrier(6), []

    def start():
        barrier.wait()
        changes.append(database.upgrade())

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(changes) == [False] * 5 + [True]


def test_who_finds_the_lock_taken_waits_for_it(open_database, path):
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    clock = Waiting(lambda: len(clock.slept) == 3 and os.close(lock))

    assert open_database(clock=clock).upgrade() is True
    assert len(clock.slept) == 3


def test_who_waits_too_long_for_the_lock_is_told(open_database, path):
    lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    clock = FakeClock()

    with pytest.raises(ServiceUnavailable) as refused:
        open_database(clock=clock).check()
    os.close(lock)

    assert "Another process" in refused.value.details
    assert refused.value.retry_after_seconds == 60
    assert 60 <= sum(clock.slept) < 61
    assert not path.exists()


def test_the_lock_is_free_again_after_an_error(open_database, path):
    path.write_bytes(b"no database" * 1000)
    for _ in range(2):
        with pytest.raises(ServiceUnavailable, match="moment"):
            open_database(clock=FakeClock()).check()


def test_a_current_schema_needs_no_room_on_the_disk(open_database, path):
    open_database().upgrade()
    before = path.read_bytes()

    with open_database().reading() as connection:
        connection.execute(text("SELECT 1"))

    assert path.read_bytes() == before


def test_rows_of_older_revisions_are_kept_and_have_no_decision(open_database, path):
    open_database().upgrade()
    for statement in (
        "DROP TABLE overrides",
        "ALTER TABLE usage DROP COLUMN decision",
        "UPDATE alembic_version SET version_num = '0003'",
        "INSERT INTO usage VALUES ('use_1', 'req_1', 'anna', 'fast', 'mini', 'openai', "
        "'m', 1, 'OK', 1, 1, 2, 3, 4, 5, 'provider', '2030-01-01 00:00:00.000000')",
    ):
        execute(path, statement)

    database = open_database()

    (row,) = usage_of(database, "req_1")
    assert (row.id, row.output_reasoning, row.decision) == ("use_1", 5, "")
    assert OverrideRows(database).list() == ()
