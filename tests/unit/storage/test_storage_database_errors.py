"""What the driver, the disk or another process does to the database is told."""

import sqlite3

import pytest
from database_rows import INSERT, count, pragma
from sqlalchemy import text
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from flaskllm.core.errors import InternalError, ServiceUnavailable
from flaskllm.storage.driver_errors import driver_errors_told


def test_a_locked_file_is_told_and_nothing_is_written(open_database, path):
    database = open_database(journal="truncate")
    with database.reading() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout = 0")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(ServiceUnavailable) as refused, database.transaction():
        pytest.fail("the lock was not seen")
    other.close()

    assert refused.value.details == "Another process keeps it locked."
    assert refused.value.retry_after_seconds == 1
    assert isinstance(refused.value.__cause__.orig, sqlite3.OperationalError)
    assert count(database) == 0


def test_a_full_disk_is_told_and_reading_goes_on(open_database):
    database = open_database(journal="truncate")
    pages = pragma(database, "page_count")
    with database.reading() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    def fill():
        with database.transaction() as connection:
            for number in range(1000):
                connection.execute(INSERT, {"id": str(number)})

    with pytest.raises(ServiceUnavailable) as refused:
        fill()

    assert refused.value.details == "Its disk is full."
    assert count(database) == 0
    assert pragma(database, "integrity_check") == "ok"


def test_a_read_only_database_is_told(open_database):
    database = open_database()
    with database.reading() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")

    def write():
        with database.transaction() as connection:
            connection.execute(INSERT, {"id": "a"})

    with pytest.raises(ServiceUnavailable) as refused:
        write()

    assert refused.value.details == "It can be read but not written."


@pytest.mark.parametrize("journal", ["wal", "truncate"])
def test_a_file_that_is_no_database_is_told_and_kept(open_database, path, journal):
    path.write_bytes(b"dear diary, " * 1000)

    with pytest.raises(ServiceUnavailable) as refused:
        open_database(journal=journal).check()

    assert "damaged" in refused.value.details
    assert path.read_bytes() == b"dear diary, " * 1000


def test_a_damaged_page_is_told_and_the_file_is_kept(open_database, path):
    database = open_database(journal="truncate")
    with database.transaction() as connection:
        for number in range(500):
            connection.execute(INSERT, {"id": str(number)})
    database.close()
    image = bytearray(path.read_bytes())
    image[4096:] = b"\xff" * (len(image) - 4096)
    path.write_bytes(image)

    with pytest.raises(ServiceUnavailable) as refused:
        count(open_database(journal="truncate"))

    assert "damaged" in refused.value.details
    assert path.read_bytes() == image


def test_a_folder_that_cannot_be_made_is_told(open_database, tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(ServiceUnavailable) as refused:
        open_database(f"sqlite:///{tmp_path}/file/x.db").check()

    assert refused.value.details == "Its file or folder: File exists."
    assert str(tmp_path) not in refused.value.details


def test_a_database_file_that_is_a_folder_is_told(open_database, path):
    path.mkdir()

    with pytest.raises(ServiceUnavailable) as refused:
        open_database().check()

    assert refused.value.details == "Its file cannot be opened."


def test_a_write_ahead_log_that_cannot_be_opened_is_told(open_database, path):
    database = open_database(journal="wal")
    database.check()
    database.close()
    path.with_name("flaskllm.db-wal").mkdir(mode=0o700)

    with pytest.raises(ServiceUnavailable) as refused:
        open_database(journal="wal").check()

    assert refused.value.details == "Its file cannot be opened."


def test_a_database_that_is_mended_works_without_a_restart(open_database, path):
    path.mkdir(mode=0o700)
    database = open_database()
    with pytest.raises(ServiceUnavailable):
        database.check()
    path.rmdir()

    assert count(database) == 0


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (sqlite3.SQLITE_BUSY, "locked"),
        (sqlite3.SQLITE_LOCKED, "locked"),
        (sqlite3.SQLITE_FULL, "full"),
        (sqlite3.SQLITE_READONLY, "not written"),
        (sqlite3.SQLITE_READONLY_DBMOVED, "not written"),
        (sqlite3.SQLITE_IOERR, "disk reported"),
        (sqlite3.SQLITE_IOERR_FSYNC, "disk reported"),
        (sqlite3.SQLITE_CANTOPEN, "opened"),
        (sqlite3.SQLITE_CORRUPT, "damaged"),
        (sqlite3.SQLITE_NOTADB, "damaged"),
    ],
)
def test_each_code_of_the_driver_has_its_meaning(code, words):
    cause = sqlite3.DatabaseError("text of the driver")
    cause.sqlite_errorcode = code

    with pytest.raises(ServiceUnavailable) as told, driver_errors_told():
        raise cause

    assert words in told.value.details
    assert told.value.__cause__ is cause


def test_a_pool_that_is_used_up_is_told():
    with pytest.raises(ServiceUnavailable) as told, driver_errors_told():
        raise PoolTimeoutError("QueuePool limit")

    assert told.value.details == "All its connections are in use."


@pytest.mark.parametrize(
    ("statement", "parameters"),
    [
        pytest.param("SELECT nothing FROM nowhere", {}, id="wrong-statement"),
        pytest.param(str(INSERT), {"id": None}, id="constraint"),
        pytest.param(str(INSERT), {}, id="missing-parameter"),
    ],
)
def test_a_wrong_statement_is_our_own_fault(database, statement, parameters):
    def run():
        with database.transaction() as connection:
            connection.execute(text(statement), parameters)

    with pytest.raises(InternalError) as told:
        run()

    assert told.value.__cause__ is not None
    assert told.value.details == ""


def test_errors_of_the_driver_do_not_quote_what_was_stored(database):
    def run():
        with database.transaction() as connection:
            for _ in range(2):
                connection.execute(INSERT, {"id": "hunter2"})

    with pytest.raises(InternalError) as told:
        run()

    assert "hunter2" not in str(told.value.__cause__)
