"""How large a database is, and what lies in it: told fast, so partly about."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import (
    Column,
    Connection,
    Table,
    func,
    inspect,
    select,
    table,
    text,
)
from sqlalchemy.exc import DBAPIError

from flaskllm.storage.database import Database
from flaskllm.storage.tables import (
    audit,
    deliveries,
    digest_threads,
    documents,
    idempotency,
    jobs,
    ledger,
    metadata,
    responses,
    usage,
)

# What is above is not counted row by row, nor read page by page.
_SMALL_TABLE_BYTES: Final = 16 * 1024 * 1024
_SMALL_FILE_BYTES: Final = 256 * 1024 * 1024
_SMALL_ROWS: Final = 100_000

OLDEST: Final[Mapping[Table, Column[datetime]]] = {
    usage: usage.c.created_at,
    ledger: ledger.c.at,
    audit: audit.c.at,
    jobs: jobs.c.created_at,
    documents: documents.c.created_at,
    deliveries: deliveries.c.created_at,
    responses: responses.c.created_at,
    idempotency: idempotency.c.created_at,
    digest_threads: digest_threads.c.created_at,
}
"""The kinds of data whose oldest row is told, and by which column."""


@dataclass(frozen=True, slots=True)
class TableSize:
    """One table.

    Attributes:
        name: As it is called; those of workflows begin with `dbos.`.
        rows: How many; `is_about` where that is an estimate.
        size_bytes: With its indexes; None where it would take long to tell.
        oldest: When its oldest row was made, aware; None where there is no row, or
            where nobody wants to know.
    """

    name: str
    rows: int
    is_about: bool
    size_bytes: int | None
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Size:
    """All of it.

    Attributes:
        size_bytes: Of the database.
        free_bytes: Of these, what new rows take first; None where it is not told.
        log_bytes: Of the write-ahead log beside a file; None where it has none.
        tables: Each, by name.
    """

    size_bytes: int
    free_bytes: int | None
    log_bytes: int | None
    tables: tuple[TableSize, ...]


def measure(database: Database) -> Size:
    """Return how large the database is.

    Raises:
        ServiceUnavailable: It cannot be read.
    """
    with database.reading() as connection:
        kind = _KINDS[connection.dialect.name]
        return kind(connection, database.log_bytes())


def _of_file(connection: Connection, log_bytes: int | None) -> Size:
    page, pages, free = (
        _pragma(connection, name)
        for name in ("page_size", "page_count", "freelist_count")
    )
    sizes = _bytes_in_file(connection) if page * pages <= _SMALL_FILE_BYTES else {}
    tables = [
        _in_file(connection, name, sizes)
        for name in inspect(connection).get_table_names()
    ]
    return Size(page * pages, page * free, log_bytes, _sorted(tables))


def _bytes_in_file(connection: Connection) -> Mapping[str, int]:
    """Return the bytes of each table with its indexes; none where SQLite cannot."""
    query = (
        "SELECT s.tbl_name, SUM(d.pgsize) FROM dbstat d JOIN sqlite_schema s "
        "ON s.name = d.name WHERE d.aggregate = TRUE GROUP BY s.tbl_name"
    )
    with suppress(DBAPIError):  # it was built without that table
        rows = connection.exec_driver_sql(query).all()
        return {name: int(size) for name, size in rows}
    return {}


def _in_file(connection: Connection, name: str, sizes: Mapping[str, int]) -> TableSize:
    about = _between_numbers(connection, name)
    is_about = about is not None and about > _SMALL_ROWS
    rows = about if is_about and about else _count(connection, name, None)
    shown = name if name in _OWN else f"dbos.{name}"
    oldest = _oldest_in_file(connection, name) if rows else None
    return TableSize(shown, rows, is_about, sizes.get(name), oldest)


def _between_numbers(connection: Connection, name: str) -> int | None:
    """Return how many rows there are at most; None where they have no numbers.

    Rows are numbered as they come: of what expires in that order the numbers between
    the first and the last tell how many are left.
    """
    quoted = connection.dialect.identifier_preparer.quote(name)
    # Two questions: of one with both, SQLite reads all rows.
    query = (
        f"SELECT COALESCE((SELECT MAX(rowid) FROM {quoted}) "
        f"- (SELECT MIN(rowid) FROM {quoted}) + 1, 0)"
    )
    with suppress(DBAPIError):  # a table without numbers
        return int(connection.exec_driver_sql(query).scalar_one())
    return None


def _oldest_in_file(connection: Connection, name: str) -> datetime | None:
    """Return when the oldest row was made, or the one that came first."""
    found = metadata.tables.get(name)
    if found is None or found not in OLDEST:
        return None
    at = OLDEST[found]
    order = at if _is_indexed(found) else text("rowid")
    query = select(at).order_by(order).limit(1)
    oldest: datetime | None = connection.execute(query).scalar_one_or_none()
    return oldest


def _of_server(connection: Connection, log_bytes: int | None) -> Size:
    rows = connection.execute(_TABLES).all()
    tables = [
        _on_server(connection, schema, name, int(size), int(about))
        for schema, name, size, about in rows
    ]
    total = connection.execute(
        text("SELECT pg_database_size(current_database())")
    ).scalar_one()
    return Size(int(total), None, log_bytes, _sorted(tables))


_TABLES = text(
    "SELECT n.nspname, c.relname, pg_total_relation_size(c.oid), c.reltuples "
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind = 'r' AND n.nspname IN (current_schema(), 'dbos')"
)


def _on_server(
    connection: Connection, schema: str, name: str, size_bytes: int, about: int
) -> TableSize:
    is_small = size_bytes <= _SMALL_TABLE_BYTES
    # The server's guess is -1 until it has looked for the first time.
    is_counted = is_small or about < 0
    rows = _count(connection, name, schema) if is_counted else about
    shown = f"dbos.{name}" if schema == "dbos" else name
    found = metadata.tables.get(shown)
    oldest = None
    if found is not None and found in OLDEST and (is_small or _is_indexed(found)):
        at = OLDEST[found]
        oldest = connection.execute(select(func.min(at, type_=at.type))).scalar_one()
    return TableSize(shown, rows, not is_counted, size_bytes, oldest)


def _is_indexed(found: Table) -> bool:
    """Tell whether the oldest row is the first of an index that holds all rows."""
    wanted = OLDEST[found]
    firsts = (next(iter(index.columns)) for index in found.indexes)
    return found is not ledger and any(first is wanted for first in firsts)


def _count(connection: Connection, name: str, schema: str | None) -> int:
    query = select(func.count()).select_from(table(name, schema=schema))
    return int(connection.execute(query).scalar_one())


def _pragma(connection: Connection, name: str) -> int:
    return int(connection.exec_driver_sql(f"PRAGMA {name}").scalar_one())


def _sorted(tables: list[TableSize]) -> tuple[TableSize, ...]:
    return tuple(sorted(tables, key=lambda each: each.name))


_OWN = frozenset(metadata.tables) | {"alembic_version"}
_Kind = Callable[[Connection, int | None], Size]
_KINDS: Mapping[str, _Kind] = {"sqlite": _of_file, "postgresql": _of_server}
