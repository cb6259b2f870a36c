"""What the driver, the disk or another process does to the database is told."""

import sqlite3
import traceback

import psycopg
import pytest
from database_rows import INSERT, count, pragma
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from flaskllm.core.errors import (
    InsufficientStorage,
    InternalError,
    ServiceUnavailable,
)
from flaskllm.storage.driver_errors import driver_errors_told

SECRET = "hunter2"


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
    assert isinstance(refused.value.__cause__, sqlite3.OperationalError)
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

    with pytest.raises(InsufficientStorage) as refused:
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


@pytest.mark.parametrize(
    ("sqlstate", "words"),
    [
        ("08006", "was lost"),
        ("25006", "not written"),
        ("28P01", "does not accept"),
        ("3D000", "no database of that name"),
        ("40001", "in the way"),
        ("42501", "may not do"),
        ("53100", "full"),
        ("53200", "short of memory"),
        ("53300", "no more connections"),
        ("55P03", "locked"),
        ("57014", "too long"),
        ("57P01", "was lost"),
        ("57P03", "starting or stopping"),
        ("58030", "disk reported"),
        ("XX001", "damaged"),
        ("XX002", "rebuild it"),
    ],
)
def test_each_sqlstate_has_its_meaning(sqlstate, words):
    cause = psycopg.errors.lookup(sqlstate)("text of the server")
    wrapped = DBAPIError("SELECT 1", None, cause)

    with pytest.raises(ServiceUnavailable) as told, driver_errors_told():
        raise wrapped

    assert words in told.value.details


@pytest.mark.parametrize(
    "cause",
    [psycopg.errors.UniqueViolation("x"), psycopg.DataError("NUL"), psycopg.Error("x")],
)
def test_what_a_server_cannot_be_blamed_for_is_our_own_fault(cause):
    wrapped = DBAPIError("SELECT 1", None, cause)

    with pytest.raises(InternalError), driver_errors_told():
        raise wrapped


@pytest.mark.parametrize(
    ("said", "words", "retry_after_seconds"),
    [
        ("the connection is closed", "was lost", 1),
        ("connection failed: FATAL:  the database system is starting up", "start", 5),
        ("connection failed: FATAL:  sorry, too many clients already", "no more", 5),
        ("connection failed: remaining connection slots are reserved", "no more", 5),
        ('connection failed: FATAL:  role "x" does not exist', "not accept", None),
        (
            'connection failed: FATAL:  permission denied for database "x"',
            "may not",
            None,
        ),
        ("connection failed: no pg_hba.conf entry for host", "not accept", None),
        ("connection timeout expired", "cannot be reached", 5),
    ],
)
def test_each_word_of_a_broken_connection_has_its_meaning(
    said, words, retry_after_seconds
):
    wrapped = DBAPIError("SELECT 1", None, psycopg.OperationalError(said))

    with pytest.raises(ServiceUnavailable) as told, driver_errors_told():
        raise wrapped

    assert words in told.value.details
    assert told.value.retry_after_seconds == retry_after_seconds


def test_a_pool_that_is_used_up_is_told():
    with pytest.raises(ServiceUnavailable) as told, driver_errors_told():
        raise PoolTimeoutError("QueuePool limit")

    assert told.value.details == "All its connections are in use."


def test_errors_of_the_driver_do_not_quote_what_was_stored(database):
    def run():
        with database.transaction() as connection:
            for _ in range(2):
                connection.execute(INSERT, {"id": "hunter2"})

    with pytest.raises(InternalError) as told:
        run()

    lines = "".join(traceback.format_exception(told.value))
    assert "INSERT INTO api_tokens" in lines
    assert "hunter2" not in lines.replace('{"id": "hunter2"}', "")


def test_a_server_quotes_nothing_that_it_cannot_read(
    postgres_database_url, open_database
):
    database = open_database(postgres_database_url)

    def run():
        with database.transaction() as connection:
            connection.execute(text("SELECT CAST(:it AS INTEGER)"), {"it": SECRET})

    with pytest.raises(InternalError) as told:
        run()

    assert "InvalidTextRepresentation, SQLSTATE 22P02" in str(told.value.__cause__)
    assert SECRET not in "".join(traceback.format_exception(told.value))
