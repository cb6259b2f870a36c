"""The database: its transactions, its connections, its files and their modes."""

import sqlite3
import threading

import psycopg
import pytest
from database_rows import COUNT, INSERT, count, pragma

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import InvalidInputError
from flaskllm.storage.database import Database
from flaskllm.storage.sqlite import sqlite_url


def mode_of(path):
    return path.stat().st_mode & 0o777


def test_to_make_a_database_opens_nothing(open_database, path):
    open_database()

    assert not path.exists()


def test_a_transaction_is_kept(database):
    with database.transaction() as connection:
        connection.execute(INSERT, {"id": "a"})

    assert count(database) == 1


def test_a_transaction_that_fails_leaves_nothing(database):
    def fail():
        with database.transaction() as connection:
            connection.execute(INSERT, {"id": "a"})
            raise KeyError("ours")

    with pytest.raises(KeyError):
        fail()
    assert count(database) == 0


@pytest.mark.parametrize("database", ["wal", "truncate", "postgres"], indirect=True)
def test_a_connection_in_use_while_it_is_closed_is_closed_when_it_comes_back(database):
    with database.reading() as connection:
        of_driver = connection.connection.dbapi_connection
        database.close()

    with pytest.raises((sqlite3.ProgrammingError, psycopg.OperationalError)):
        of_driver.execute("SELECT 1")


def test_a_reader_sees_one_state(open_database):
    database = open_database()

    with database.reading() as reader:
        assert reader.execute(COUNT).scalar_one() == 0
        with database.transaction() as writer:
            writer.execute(INSERT, {"id": "a"})
        assert reader.execute(COUNT).scalar_one() == 0
    assert count(database) == 1


@pytest.mark.parametrize(("kind", "excludes"), [("transaction", True), ("reading", 0)])
def test_a_writer_takes_the_lock_at_once_and_a_reader_does_not(
    open_database, path, kind, excludes
):
    database = open_database()
    database.upgrade()
    other = sqlite3.connect(path, isolation_level=None, timeout=0)

    with getattr(database, kind)():
        try:
            other.execute("BEGIN IMMEDIATE")
            is_excluded = False
        except sqlite3.OperationalError:
            is_excluded = True
    other.close()

    assert is_excluded == excludes


def test_threads_share_one_database(database):
    barrier = threading.Barrier(6)

    def write(name):
        barrier.wait()
        for number in range(10):
            with database.transaction() as connection:
                connection.execute(INSERT, {"id": f"{name}-{number}"})

    threads = [threading.Thread(target=write, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert count(database) == 60


@pytest.mark.parametrize(
    ("journal", "synchronous"), [("wal", 1), ("truncate", 2)], ids=["wal", "truncate"]
)
def test_every_connection_is_set_up(open_database, journal, synchronous):
    database = open_database(journal=journal)

    assert pragma(database, "journal_mode") == journal
    assert pragma(database, "synchronous") == synchronous
    assert pragma(database, "busy_timeout") == 5000
    assert pragma(database, "foreign_keys") == 1


def test_a_commit_that_must_last_is_synced_and_others_are_not(open_database):
    database = open_database(journal="wal")
    levels = []

    for durable in (False, True, True, False):
        with database.transaction(durable=durable) as connection:
            row = connection.exec_driver_sql("PRAGMA synchronous").one()
            levels.append(row[0])

    assert levels == [1, 2, 2, 1]
    assert pragma(database, "synchronous") == 1


def test_a_file_that_another_process_uses_keeps_its_journal(open_database, path):
    """A connection that cannot change the mode works on, with full syncs."""
    elsewhere = open_database(journal="wal")
    elsewhere.check()

    with elsewhere.reading() as other:
        other.execute(COUNT)
        database = open_database(journal="truncate")
        assert pragma(database, "journal_mode") == "wal"
        assert pragma(database, "synchronous") == 2
        with database.transaction() as connection:
            connection.execute(INSERT, {"id": "a"})

    assert count(elsewhere) == 1


def test_files_and_folder_are_private(open_database, path, tmp_path):
    folder = tmp_path / "new" / "deep"
    database = open_database(f"sqlite:///{folder}/x.db")

    with database.transaction() as connection:
        connection.execute(INSERT, {"id": "a"})
        modes = {found.name: mode_of(found) for found in folder.iterdir()}

    names = ["x.db", "x.db-wal", "x.db-shm", "x.db.lock", "x.db.in-use"]
    assert modes == dict.fromkeys(names, 0o600)
    assert mode_of(folder) == 0o700


def test_the_rollback_journal_is_private(open_database, path):
    database = open_database(journal="truncate")

    with database.transaction() as connection:
        connection.execute(INSERT, {"id": "a"})
        assert mode_of(path.with_name("flaskllm.db-journal")) == 0o600


def test_a_file_that_others_can_read_is_narrowed(open_database, path):
    path.touch()
    path.chmod(0o644)

    open_database().check()

    assert mode_of(path) == 0o600


def test_a_path_may_hold_any_character(open_database, tmp_path):
    path = tmp_path / "50%25 off? #1 é.db"

    open_database(sqlite_url(path)).check()

    assert path.exists()


def test_a_relative_path_is_fixed_when_the_database_is_made(
    open_database, tmp_path, monkeypatch
):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    database = open_database("sqlite:///here.db")
    monkeypatch.chdir(tmp_path / "elsewhere")

    database.check()

    assert (tmp_path / "here.db").exists()


def test_memory_is_empty_again_after_closing(open_database):
    database = open_database("sqlite:///:memory:", "truncate")
    with database.transaction() as connection:
        connection.execute(INSERT, {"id": "a"})

    database.close()
    database.close()

    assert count(database) == 0


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("mysql+pymysql://me:hunter2@db/x", "'mysql+pymysql' is not supported"),
        ("hunter2", "not a URL"),
        ("", "not a URL"),
        ("sqlite://host/x.db", "a host or a query is not supported"),
        ("sqlite:///file:x?uri=true", "a host or a query is not supported"),
    ],
)
def test_a_url_that_is_not_of_sqlite_is_refused_without_quoting_it(url, problem):
    with pytest.raises(InvalidInputError) as refused:
        Database(url, journal="wal", clock=SystemClock())

    assert refused.value.fields[0].path == "database_url"
    assert refused.value.fields[0].problem == problem
    assert "sqlite:///relative.db" in refused.value.fields[0].allowed
    assert "hunter2" not in refused.value.details
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
