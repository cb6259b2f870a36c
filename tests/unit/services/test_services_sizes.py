"""How large a database is: exact where it is small, fast where it is not."""

from datetime import timedelta

import pytest
from any_rows import AT, any_row
from sqlalchemy import event, text
from workflow_rows import begin, digest, prepared

from flaskllm.services.keeping.sizes import Sizes
from flaskllm.storage import measures
from flaskllm.storage.tables import ledger, responses, usage


@pytest.fixture
def database(make_database, database_url):
    """One with three attempts, the oldest of them first, and a workflow."""
    made = make_database(database_url)
    with made.transaction() as connection:
        for hours in range(3):
            row = any_row(usage, "ann", created_at=AT + timedelta(hours=hours))
            connection.execute(usage.insert().values(row))
        connection.execute(responses.insert().values(any_row(responses, "ann")))
    with prepared(made) as workflows:
        begin(workflows, made, digest("job_1"))
    return made


def told(database):
    """Return what is told, and the tables by their names."""
    size = Sizes(database, {"usage": "1 day"}).tell().size
    return size, {each.name: each for each in size.tables}


def test_rows_and_sizes_of_a_small_one_are_exact(database):
    size, tables = told(database)

    assert (tables["usage"].rows, tables["usage"].is_about) == (3, False)
    assert tables["dbos.workflow_status"].rows == 1
    assert tables["ledger"].rows == 0
    assert all(each.size_bytes > 0 for each in tables.values())
    assert size.size_bytes >= sum(each.size_bytes for each in tables.values()) / 2


def test_the_oldest_row_of_a_kind_is_told(database):
    _, tables = told(database)

    assert tables["usage"].oldest == AT
    assert tables["ledger"].oldest is None
    assert tables["api_tokens"].oldest is None


def test_the_log_of_a_file_is_told(database, tmp_path):
    size, _ = told(database)

    if database.is_shared:
        assert (size.log_bytes, size.free_bytes) == (None, None)
    else:
        assert size.log_bytes == (tmp_path / "store.db-wal").stat().st_size > 0
        assert size.free_bytes % 4096 == 0


def test_memory_has_no_log(make_database):
    database = make_database("sqlite://")

    assert told(database)[0].log_bytes is None


def test_no_row_of_a_large_one_is_counted(database, monkeypatch):
    monkeypatch.setattr(measures, "_SMALL_TABLE_BYTES", -1)
    monkeypatch.setattr(measures, "_SMALL_FILE_BYTES", -1)
    monkeypatch.setattr(measures, "_SMALL_ROWS", 1)
    if database.is_shared:
        with database.transaction() as connection:
            connection.execute(text("ANALYZE usage"))
    asked = []
    with database.reading() as connection:
        engine = connection.engine

    @event.listens_for(engine, "before_cursor_execute")
    def note(connection, cursor, statement, *_):
        asked.append(statement)

    _, tables = told(database)

    assert (tables["usage"].rows, tables["usage"].is_about) == (3, True)
    assert tables["usage"].oldest == AT
    counted = [each for each in asked if "count(" in each]
    counted = [each for each in counted if each.split()[-1] == "usage"]
    assert counted == []
    if not database.is_shared:
        assert tables["usage"].size_bytes is None


def test_a_build_without_its_table_of_sizes_tells_the_rest(
    make_database, sqlite_database_url
):
    database = make_database(sqlite_database_url)
    with database.reading() as connection:
        engine = connection.engine

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def hide(connection, cursor, statement, parameters, *_):
        return statement.replace("dbstat", "no_such_table"), parameters

    _, tables = told(database)

    assert tables["usage"].size_bytes is None
    assert tables["usage"].rows == 0


def test_rows_without_numbers_are_counted(make_database, sqlite_database_url):
    database = make_database(sqlite_database_url)
    with database.transaction() as connection:
        kind = "a INTEGER PRIMARY KEY) WITHOUT ROWID"
        connection.execute(text(f"CREATE TABLE unnumbered ({kind}"))
        connection.execute(text("INSERT INTO unnumbered VALUES (7), (9)"))

    _, tables = told(database)

    assert (tables["dbos.unnumbered"].rows, tables["dbos.unnumbered"].is_about) == (
        2,
        False,
    )


def test_only_an_index_of_all_rows_tells_the_oldest():
    assert measures._is_indexed(usage)
    assert not measures._is_indexed(ledger)
