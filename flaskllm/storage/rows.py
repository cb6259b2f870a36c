"""Whole rows for a table, many in one statement whose text is made once.

The ledger writes little else, and each of its batches keeps callers waiting.
"""

from collections.abc import Callable, Sequence
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Dialect, Table

from flaskllm.storage.upserts import Insert, insert_for

Row = tuple[Any, ...]
_Process = Callable[[Any], Any]


class Rows:
    """Inserts rows, each a tuple of the values of these columns in this order."""

    def __init__(
        self,
        table: Table,
        names: Sequence[str],
        *,
        ignores_known: bool = False,
        summed: Sequence[str] = (),
    ) -> None:
        """Compile nothing yet.

        Args:
            table: Where they go.
            names: The columns; all others get what their table gives them.
            ignores_known: Whether a row that is there already is left as it is;
                else it is an error.
            summed: The columns that are added to those of a row that is there.
        """
        self._table = table
        self._names = tuple(names)
        self._ignores_known = ignores_known
        self._summed = tuple(summed)
        self._statement = cache(self._make_statement)
        self._head = f"INSERT INTO {table.name} ({', '.join(self._names)}) VALUES "
        self._tail = self._make_tail()
        self._processes: tuple[tuple[int, _Process], ...] | None = None

    def insert(self, connection: Connection, rows: Sequence[Row]) -> None:
        """Add these rows."""
        if not rows:
            return
        if connection.dialect.name == "sqlite":
            self._insert_at_once(connection, rows)
            return
        named = [dict(zip(self._names, row, strict=True)) for row in rows]
        connection.execute(self._statement(connection.dialect.name), named)

    def _insert_at_once(self, connection: Connection, rows: Sequence[Row]) -> None:
        # For each statement SQLite's driver lets go of the interpreter, and has to
        # wait until it gets it back: so all rows go in one.
        if self._processes is None:
            self._processes = self._processes_of(connection.dialect)
        one = f"({', '.join('?' * len(self._names))})"
        text = self._head + ", ".join([one] * len(rows)) + self._tail
        values = tuple(chain.from_iterable(map(self._processed, rows)))
        connection.exec_driver_sql(text, values)

    def _processed(self, row: Row) -> Sequence[Any]:
        """Return the values as the driver takes them."""
        values = list(row)
        for place, process in self._processes or ():
            values[place] = process(values[place])
        return values

    def _processes_of(self, dialect: Dialect) -> tuple[tuple[int, _Process], ...]:
        columns = [self._table.c[name] for name in self._names]
        found = (
            each.type.dialect_impl(dialect).bind_processor(dialect) for each in columns
        )
        return tuple((place, each) for place, each in enumerate(found) if each)

    def _make_tail(self) -> str:
        if self._summed:
            keys = ", ".join(each.name for each in self._table.primary_key)
            sums = ", ".join(
                f"{each} = {each} + excluded.{each}" for each in self._summed
            )
            return f" ON CONFLICT ({keys}) DO UPDATE SET {sums}"
        return " ON CONFLICT DO NOTHING" if self._ignores_known else ""

    def _make_statement(self, dialect: str) -> Insert:
        insert = insert_for(dialect, self._table)
        if self._summed:
            there, added = self._table.c, insert.excluded
            sums = {name: there[name] + added[name] for name in self._summed}
            return insert.on_conflict_do_update(
                index_elements=list(self._table.primary_key), set_=sums
            )
        return insert.on_conflict_do_nothing() if self._ignores_known else insert
