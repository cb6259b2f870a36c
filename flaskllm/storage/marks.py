"""Marks: named values by which a database tells whose it is."""

from collections.abc import Mapping
from typing import Protocol

from sqlalchemy import Connection, inspect, select

from flaskllm.storage.tables import marks
from flaskllm.storage.upserts import insert_into


class Ownership(Protocol):
    """Whether those who open a database are those who made it."""

    def check(self, connection: Connection) -> bool:
        """Tell whether it is known to be theirs; False where nothing tells yet.

        Raises:
            ServiceUnavailable: It is not theirs.
        """
        ...

    def check_marks(self, found: Mapping[str, bytes]) -> bool:
        """Tell the same of the marks of a database that is not open, as a backup's.

        Raises:
            ServiceUnavailable: It is not theirs.
        """
        ...

    def put(self, connection: Connection) -> None:
        """Make it theirs, in the open transaction, where nothing tells yet.

        Raises:
            ServiceUnavailable: It is not theirs.
        """
        ...


def read_mark(connection: Connection, name: str) -> bytes | None:
    """Return the mark; None where there is none, or no table of them yet."""
    if not inspect(connection).has_table(marks.name):
        return None
    query = select(marks.c.value).where(marks.c.name == name)
    value: bytes | None = connection.execute(query).scalar_one_or_none()
    return value


def read_marks(connection: Connection) -> Mapping[str, bytes]:
    """Return all marks by their names; none where there is no table of them yet."""
    if not inspect(connection).has_table(marks.name):
        return {}
    rows = connection.execute(select(marks.c.name, marks.c.value))
    return {name: bytes(value) for name, value in rows}


def put_mark_once(connection: Connection, name: str, value: bytes) -> None:
    """Store the mark unless there is one of this name."""
    insert = insert_into(connection, marks).values(name=name, value=value)
    connection.execute(insert.on_conflict_do_nothing(index_elements=["name"]))


def replace_mark(connection: Connection, name: str, value: bytes) -> None:
    """Store the mark, in the place of one of this name."""
    insert = insert_into(connection, marks).values(name=name, value=value)
    connection.execute(
        insert.on_conflict_do_update(index_elements=["name"], set_={"value": value})
    )
