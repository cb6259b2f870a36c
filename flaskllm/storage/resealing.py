"""Sealed values, told apart by the key they lie under, and written anew."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    and_,
    func,
    literal,
    or_,
    select,
    tuple_,
    type_coerce,
)

from flaskllm.storage.columns import Sealed
from flaskllm.storage.database import Database
from flaskllm.storage.sealing import PREFIX_BYTES, ContentSealer, ContentUnavailable
from flaskllm.storage.tables import api_tokens, audit, metadata

# A batch is one transaction, and while it is open nobody else writes to SQLite.
_MOST_ROWS = 100
_MOST_BYTES = 8 * 1024 * 1024

RESEAL_ACTION = "db.reseal"

_Sized = Sequence[Any]
"""A primary key, value by value, and the length of what is sealed in bytes."""


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of some values. `last` is the primary key to go on after.

    `broken` counts those that cannot be opened; they stay as they are. `last` is
    None once there are no more.
    """

    resealed: int = 0
    broken: int = 0
    last: tuple[Any, ...] | None = None


class SealedValues:
    """All values of all sealed columns."""

    def __init__(self, database: Database) -> None:
        """Keep the database; nothing is opened."""
        self._database = database

    def columns(self) -> Mapping[str, Column[Any]]:
        """Return the sealed columns by the names that their values are bound to."""
        return {
            column.type.column: column
            for table in metadata.sorted_tables
            for column in table.columns
            if isinstance(column.type, Sealed)
        }

    def count(self) -> Mapping[bytes, int]:
        """Return how many values begin with which prefix: see `sealing`.

        Raises:
            ServiceUnavailable: The database cannot be read.
        """
        counts: dict[bytes, int] = {}
        with self._database.reading() as connection:
            for column in self.columns().values():
                prefix = _prefix_of(column).label("prefix")
                query = select(prefix, func.count()).where(column.is_not(None))
                for found, count in connection.execute(query.group_by(prefix)):
                    counts[bytes(found)] = counts.get(bytes(found), 0) + count
        return counts

    def reseal(
        self, name: str, prefix: bytes, sealer: ContentSealer, after: Batch
    ) -> Batch:
        """Seal the next values of a column anew, in one transaction.

        Args:
            name: That of the column, one of `columns`.
            prefix: What the values begin with that are written anew.
            sealer: Opens them, and seals under the current master secret.
            after: What came before; an empty one at first.

        Raises:
            ServiceUnavailable: None of this batch was changed; a retry may help.
        """
        column = self.columns()[name]
        key = tuple(column.table.primary_key.columns)
        wanted = _prefix_of(column) == literal(prefix, LargeBinary)
        query = select(*key, func.length(_raw(column))).where(wanted)
        if after.last is not None:
            query = query.where(tuple_(*key) > tuple_(*map(literal, after.last)))
        query = query.order_by(*key).limit(_MOST_ROWS).with_for_update()
        with self._database.transaction() as connection:
            found: Sequence[_Sized] = connection.execute(query).all()
            rows = _first_within(found)
            done = [
                _reseal_one(connection, column, name, sealer, _is_at(key, row))
                for row in rows
            ]
        last = tuple(rows[-1][:-1]) if rows else None
        return Batch(done.count(True), done.count(False), last)

    def change(self, act: Callable[[Connection], None]) -> None:
        """Let `act` change something in one durable transaction.

        Raises:
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        with self._database.transaction(durable=True) as connection:
            act(connection)

    def first_resealed_at(self, key_id: str) -> datetime | None:
        """Return when all was first resealed under this key, None for not yet."""
        query = select(func.min(audit.c.at, type_=audit.c.at.type)).where(
            audit.c.action == RESEAL_ACTION, audit.c.object_id == key_id
        )
        with self._database.reading() as connection:
            at: datetime | None = connection.execute(query).scalar_one()
            return at

    def tokens_unused_since(self, since: datetime, now: datetime) -> tuple[str, ...]:
        """Return the ids of good API tokens that were made before and not used since.

        The oldest is first.
        """
        columns = api_tokens.c
        query = (
            select(columns.id)
            .where(
                columns.revoked_at.is_(None),
                or_(columns.expires_at.is_(None), columns.expires_at > now),
                columns.created_at < since,
                or_(columns.last_used_at.is_(None), columns.last_used_at < since),
            )
            .order_by(columns.created_at, columns.id)
        )
        with self._database.reading() as connection:
            return tuple(connection.execute(query).scalars())


def _raw(column: Column[Any]) -> ColumnElement[bytes]:
    """Return the column as it lies in the table."""
    return type_coerce(column, LargeBinary)


def _prefix_of(column: Column[Any]) -> ColumnElement[bytes]:
    return func.substr(_raw(column), 1, PREFIX_BYTES, type_=LargeBinary)


def _is_at(key: Sequence[Column[Any]], row: _Sized) -> ColumnElement[bool]:
    pairs = zip(key, row[:-1], strict=True)
    return and_(*(column == value for column, value in pairs))


def _first_within(rows: Sequence[_Sized]) -> Sequence[_Sized]:
    """Return the first rows that have a place in a batch, at least one."""
    total = 0
    for index, row in enumerate(rows):
        total += row[-1]
        if total > _MOST_BYTES:
            return rows[: max(index, 1)]
    return rows


def _reseal_one(
    connection: Connection,
    column: Column[Any],
    name: str,
    sealer: ContentSealer,
    at: ColumnElement[bool],
) -> bool:
    """Write one value anew; tell whether it could be opened."""
    raw = connection.execute(select(_raw(column)).where(at)).scalar_one()
    try:
        plain = sealer.open(raw, name)
    except ContentUnavailable:
        return False
    connection.execute(column.table.update().where(at).values({column.name: plain}))
    return True
