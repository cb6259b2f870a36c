"""Inserts that may meet a row which is there already, on either database."""

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Insert = sqlite.Insert | postgresql.Insert


def insert_into(connection: Connection, table: Table) -> Insert:
    """Return an insert that knows `on_conflict_do_update` and `_do_nothing`."""
    return insert_for(connection.dialect.name, table)


def insert_for(dialect: str, table: Table) -> Insert:
    """Return such an insert by the dialect's name, to be kept and used again."""
    if dialect == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
