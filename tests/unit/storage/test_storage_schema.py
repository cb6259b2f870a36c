"""The schema: brought up to date once, under a lock, or refused."""

import fcntl
import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from fakes import FakeClock
from sqlalchemy import text

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import InternalError, ServiceUnavailable
from flaskllm.storage import schema
from flaskllm.storage.database import Database


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


@pytest.mark.parametrize("url", ["sqlite://", None], ids=["memory", "file"])
def test_an_upgrade_tells_whether_it_changed_anything(open_database, path, url):
    database = open_database(url or f"sqlite:///{path}")

    assert database.upgrade() is True
    assert database.upgrade() is False


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


def test_threads_that_upgrade_databases_of_their_own_disturb_nobody(
    open_database, tmp_path
):
    databases = [open_database(f"sqlite:///{tmp_path}/{n}.db") for n in range(4)]

    with ThreadPoolExecutor(len(databases)) as pool:
        assert list(pool.map(lambda each: each.upgrade(), databases)) == [True] * 4


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
