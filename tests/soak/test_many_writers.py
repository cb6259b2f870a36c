"""64 writers at once, in several processes: nobody is told that it is locked."""

import pytest
from many_writers import write_together
from rounds import rounds
from sqlalchemy import func, select

from flaskllm.storage.tables import changes

SECONDS = rounds(1, 60)


@pytest.mark.parametrize("journal", ["wal", "truncate"])
def test_64_writers_on_one_file(
    sqlite_database_url, make_database, journal, record_property
):
    written = write_together(
        sqlite_database_url, journal, processes=4, threads=16, seconds=SECONDS
    )

    record_property("figure", f"{journal}: {describe(written)}")
    assert written.failures == {}
    assert rows_in(make_database(sqlite_database_url, journal=journal)) == written.rows
    assert make_database(sqlite_database_url, journal=journal).examine().faults == ()


def test_64_writers_on_one_server(
    postgres_database_url, make_database, record_property
):
    """They are more than the connections of their processes, which they share."""
    written = write_together(
        postgres_database_url, "wal", processes=4, threads=16, seconds=SECONDS
    )

    record_property("figure", f"postgres: {describe(written)}")
    assert written.failures == {}
    assert rows_in(make_database(postgres_database_url)) == written.rows


def rows_in(database):
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(changes)).scalar()


def describe(written):
    return (
        f"{written.rows} rows in {SECONDS} s, the longest took "
        f"{written.longest_seconds:.2f} s, {sum(written.failures.values())} failed"
    )
