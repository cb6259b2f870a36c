"""Who has a database file open is noticed, and nobody's work depends on it."""

import os
import signal
from datetime import UTC, datetime

import pytest
from stores import open_database

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage.copies import PutBack
from flaskllm.storage.presence import nobody


@pytest.fixture
def path(tmp_path):
    """Where the file of `database` is."""
    return tmp_path / "store.db"


@pytest.fixture
def database(make_database, sqlite_database_url):
    """A database that nobody has opened yet."""
    return make_database(sqlite_database_url)


def is_anybody_there(path):
    try:
        with nobody(path):
            return False
    except ServiceUnavailable:
        return True


def test_who_has_opened_it_is_there_until_it_is_closed(database, path):
    before = is_anybody_there(path)
    database.check()
    meanwhile = is_anybody_there(path)
    database.close()

    assert (before, meanwhile, is_anybody_there(path)) == (False, True, False)


def test_a_forked_process_is_there_though_its_parent_has_left(database, path):
    database.check()
    told, tells = os.pipe()
    child = os.fork()
    if child == 0:  # pragma: no cover
        try:
            database.check()
            os.write(tells, b"1")
            signal.pause()
        finally:
            os._exit(1)
    os.read(told, 1)
    database.close()

    is_child_there = is_anybody_there(path)

    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert (is_child_there, is_anybody_there(path)) == (True, False)


def test_a_forked_process_that_ends_leaves_its_parent_its_sign(database, path):
    database.check()
    child = os.fork()
    if child == 0:  # pragma: no cover
        try:
            database.close()
        finally:
            os._exit(0)
    os.waitpid(child, 0)

    assert is_anybody_there(path)


def test_where_no_sign_can_be_left_the_database_is_used_all_the_same(database, path):
    path.with_name("store.db.in-use").mkdir()

    database.check()


def test_one_that_is_let_go_without_being_closed_is_there_no_more(path):
    database = open_database(f"sqlite:///{path}")
    database.check()

    del database

    assert not is_anybody_there(path)


def test_no_copy_takes_the_place_of_a_file_that_somebody_has_open_and_idle(
    make_database, sqlite_database_url, tmp_path
):
    first, idle = (
        make_database(sqlite_database_url, journal="truncate") for _ in range(2)
    )
    first.copies().write(tmp_path / "copy.db")
    idle.check()
    how = PutBack(datetime.now(UTC), first.bring_file_up_to_date)

    with pytest.raises(ServiceUnavailable, match="restored") as caught:
        first.copies().put_back(tmp_path / "copy.db", how, keeps=False)

    assert "Stop the gateway" in caught.value.details
    idle.close()
    first.copies().put_back(tmp_path / "copy.db", how, keeps=False)
    assert [*tmp_path.glob("*restoring*")] == []
