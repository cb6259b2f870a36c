"""A filled database of any older version loses no row when it is brought up to date."""

from datetime import UTC, datetime

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, create_engine, inspect, select
from sqlalchemy.types import Boolean, DateTime, Integer, LargeBinary, String

from flaskllm.core.secrets import KeyRing
from flaskllm.storage.database import Database
from flaskllm.storage.sealing import ContentSealer

ROWS = 3
# What is not carried over as it is: kept responses are sealed on the way.
SEALED = {"body", "input_items"}
# The value of a column by its type, different in each row.
MADE = {
    Boolean: lambda number: bool(number % 2),
    DateTime: lambda number: datetime(2026, 1, number, 8, 30, tzinfo=UTC),
    Integer: lambda number: 2_000_000_000 + number,
    LargeBinary: lambda number: b"\x00\xff" * number,
    String: lambda number: f"ä '{number}",
}


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    """The URL of a database without a schema, of either store."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/old.db"
    return request.getfixturevalue("empty_postgres_url")


@pytest.fixture
def sealer(tmp_path):
    return ContentSealer(KeyRing("k7Qp2vXw9LmN4tRz8sYb3cFd6gHj1aUe", tmp_path))


def engine_of(url):
    return create_engine(url.replace("postgresql", "postgresql+psycopg"))


def fill(url, revision):
    """Make the schema of this revision, with rows in every table; return them all."""
    engine = engine_of(url)
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", "flaskllm.storage:migrations")
        command.upgrade(config, revision)
        tables = tables_of(connection)
        for table in tables:
            connection.execute(table.insert(), [*map(make_row(table), range(1, 4))])
        rows = {table.name: rows_of(connection, table) for table in tables}
    engine.dispose()
    return rows


def tables_of(connection):
    metadata = MetaData()
    metadata.reflect(connection)
    return [each for each in metadata.sorted_tables if each.name != "alembic_version"]


def make_row(table):
    def value(column, number):
        kind = next(kind for kind in MADE if isinstance(column.type, kind))
        made = MADE[kind](number)
        return made[: column.type.length] if kind is String else made

    def row(number):
        return {column.name: value(column, number) for column in table.columns}

    return row


def rows_of(connection, table):
    """Return the rows, each as a set of its columns and values."""
    query = select(*(each for each in table.columns if each.name not in SEALED))
    return {frozenset(row.items()) for row in connection.execute(query).mappings()}


@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004", "0005"])
def test_every_row_is_kept(url, revision, sealer, make_database):
    before = fill(url, revision)

    assert make_database(url, sealer=sealer).upgrade() is True

    engine = engine_of(url)
    with engine.connect() as connection:
        tables = {table.name: table for table in tables_of(connection)}
        after = {name: rows_of(connection, tables[name]) for name in before}
    engine.dispose()
    assert all(len(rows) == ROWS for rows in before.values())
    lost = {
        name: row
        for name, rows in before.items()
        for row in rows
        if not any(row <= kept for kept in after[name])
    }
    assert lost == {}


def test_an_upgrade_makes_the_same_tables_as_a_fresh_start(
    url, sealer, make_database, tmp_path
):
    fill(url, "0004")
    upgraded = make_database(url, sealer=sealer)
    upgraded.upgrade()
    fresh = make_database(f"sqlite:///{tmp_path}/fresh.db")
    fresh.upgrade()

    assert columns_of(upgraded) == columns_of(fresh)


def columns_of(database: Database):
    with database.reading() as connection:
        found = inspect(connection)
        return {
            table: {column["name"] for column in found.get_columns(table)}
            for table in found.get_table_names()
        }
