"""Copies of a whole database: what is known of one, and what each kind can do."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, func, inspect, select, table

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage import schema
from flaskllm.storage.marks import read_marks
from flaskllm.storage.tables import metadata

# What every database has that was opened once: nobody would miss it.
_NOT_DATA = frozenset({"alembic_version", "changes", "leases", "marks", "workers"})


@dataclass(frozen=True, slots=True)
class Contents:
    """What lies in a database, or in a copy of one.

    Attributes:
        revision: That of its schema; None where it has none.
        marks: Named values by which it tells whose it is, see `storage.marks`.
        rows: How many rows each table has, those of workflows too; empty where the
            kind of copy does not tell.
    """

    revision: str | None
    marks: Mapping[str, bytes] = field(repr=False)
    rows: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class PutBack:
    """How a copy is put in the place of what is there.

    Attributes:
        at: Now; it stands in the name of what is kept aside.
        bring_up_to_date: Makes a database file that is to become ours current.
    """

    at: datetime
    bring_up_to_date: Callable[[Path], None]


class Copies(Protocol):
    """Makes copies of one database, and puts them back.

    Attributes:
        suffix: How the name of a copy ends.
    """

    suffix: str

    def write(self, draft: Path) -> Contents:
        """Write a whole copy, of one moment, while others go on; return what is in it.

        The file is new, of mode 0600 and on the disk. It was read back.

        Raises:
            ServiceUnavailable: It could not be made; `details` says why. What was
                written until then is left to the caller.
        """
        ...

    def examine(self, file: Path) -> Contents:
        """Return what lies in a copy; nothing is changed.

        Raises:
            ServiceUnavailable: It is damaged, not ours, or cannot be read.
        """
        ...

    def has_data(self) -> bool:
        """Tell whether anything would be lost with the present database.

        True also where that cannot be told.

        Raises:
            ServiceUnavailable: It cannot be reached.
        """
        ...

    def put_back(self, file: Path, how: PutBack, *, keeps: bool) -> Path | None:
        """Put the copy in the place of the present database, whole or not at all.

        Args:
            file: A copy that `examine` has found good.
            how: What has to be done besides.
            keeps: Whether what is there is kept aside; its path is returned then.

        Raises:
            ServiceUnavailable: Nothing was changed; `details` says why.
        """
        ...


def refused(
    details: str, what: str = "The backup cannot be made."
) -> ServiceUnavailable:
    """Return the error for a copy that was not made."""
    return ServiceUnavailable(what, details=details)


def not_restored(details: str) -> ServiceUnavailable:
    """Return the error for a copy that was not put back."""
    return ServiceUnavailable("The backup cannot be restored.", details=details)


def in_use() -> ServiceUnavailable:
    """Return the error for a database that is not replaced under its users."""
    return not_restored(
        "A process uses the database. Stop the gateway and its workers first: what "
        "they wrote meanwhile would be lost."
    )


def contents_of(connection: Connection) -> Contents:
    """Return what lies in the open database; it counts every row."""
    return Contents(
        schema.revision_of(connection),
        read_marks(connection),
        dict(count_rows(connection)),
    )


def count_rows(connection: Connection) -> Mapping[str, int]:
    """Return how many rows each table has, by its name; DBOS's begin with `dbos.`."""
    found = inspect(connection)
    is_file = connection.dialect.name == "sqlite"
    own = frozenset(metadata.tables) | {"alembic_version"}
    names = found.get_table_names()
    counts = {
        (name if name in own or not is_file else f"dbos.{name}"): _count(
            connection, name, None
        )
        for name in names
        if is_file or name in own
    }
    if not is_file and "dbos" in found.get_schema_names():
        for name in found.get_table_names(schema="dbos"):
            counts[f"dbos.{name}"] = _count(connection, name, "dbos")
    return dict(sorted(counts.items()))


def has_rows(connection: Connection) -> bool:
    """Tell whether a table that matters has any row."""
    there = set(inspect(connection).get_table_names())
    wanted = [
        each
        for name, each in metadata.tables.items()
        if name in there and name not in _NOT_DATA
    ]
    return any(
        connection.execute(select(1).select_from(each).limit(1)).first()
        for each in wanted
    )


def _count(connection: Connection, name: str, schema_name: str | None) -> int:
    query = select(func.count()).select_from(table(name, schema=schema_name))
    return int(connection.execute(query).scalar_one())


def new_private_file(path: Path) -> None:
    """Make an empty file of mode 0600.

    Raises:
        OSError: It is there already, or cannot be made.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))


def sync_file(path: Path) -> None:
    """Return when what was written to a file is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
