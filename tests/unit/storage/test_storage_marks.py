"""Marks: put once, replaced on purpose."""

import pytest
from sqlalchemy import text

from flaskllm.storage.marks import put_mark_once, read_mark, replace_mark


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


def test_a_mark_stays_as_it_was_put_first(database):
    with database.transaction() as connection:
        put_mark_once(connection, "m", b"one")
        put_mark_once(connection, "m", b"two")

        assert read_mark(connection, "m") == b"one"
        assert read_mark(connection, "other") is None


def test_a_mark_can_be_replaced(database):
    with database.transaction() as connection:
        replace_mark(connection, "m", b"one")
        replace_mark(connection, "m", b"two")

        assert read_mark(connection, "m") == b"two"


def test_where_there_is_no_table_there_is_no_mark(database):
    with database.transaction() as connection:
        connection.execute(text("DROP TABLE marks"))

        assert read_mark(connection, "m") is None
