"""Leases: who does a duty now, and when it was done last."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select

from flaskllm.storage.database import Database
from flaskllm.storage.tables import leases
from flaskllm.storage.upserts import insert_into

# No host's clock is so far ahead and right, and no lease is so long: what lies there
# was written by a clock that was wrong, and would keep everybody out until then.
_WRONG_FROM = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Lease:
    """How a duty stands. Both times are aware; `done_at` None = never.

    It is free from `until` on, whatever became of the holder. A time that lies more
    than a day ahead counts as none.
    """

    name: str
    holder: str
    until: datetime
    done_at: datetime | None

    def lets(self, at: datetime, due_since: datetime) -> bool:
        """Tell whether it can be taken for what was last done by `due_since`."""
        wrong_from = at + _WRONG_FROM
        done_at = self.done_at
        is_due = done_at is None or done_at <= due_since or done_at > wrong_from
        return is_due and (self.until <= at or self.until > wrong_from)


class Leases:
    """The table of leases: one row for each duty, made at its first turn."""

    def __init__(self, database: Database) -> None:
        """Keep the database; nothing is opened."""
        self._database = database

    def list(self) -> Mapping[str, Lease]:
        """Return all leases by their names.

        Raises:
            ServiceUnavailable: The database cannot be read.
        """
        with self._database.reading() as connection:
            rows = connection.execute(select(leases)).mappings()
            return {row["name"]: Lease(**row) for row in rows}

    def take(self, wanted: Lease, at: datetime, due_since: datetime) -> bool:
        """Take a lease, and tell whether that worked: of several only one does.

        It works where the lease is free by `at` and the duty was last done by
        `due_since`, or never. Nothing changes otherwise.

        Raises:
            ServiceUnavailable: Nothing was taken; a retry may help.
        """
        with self._database.transaction() as connection:
            return _take(connection, wanted, at, due_since)

    def finish(self, taken: Lease, at: datetime) -> None:
        """Give it back as done by `at`; nothing where somebody else has it by now.

        Raises:
            ServiceUnavailable: It stays taken until it ends by itself.
        """
        self._give_back(taken, {"until": at, "done_at": at})

    def release(self, taken: Lease, at: datetime) -> None:
        """Give it back undone, else as `finish`."""
        self._give_back(taken, {"until": at})

    def _give_back(self, taken: Lease, values: Mapping[str, datetime]) -> None:
        own = (leases.c.name == taken.name) & (leases.c.holder == taken.holder)
        with self._database.transaction() as connection:
            connection.execute(leases.update().where(own).values(values))


def _take(
    connection: Connection, wanted: Lease, at: datetime, due_since: datetime
) -> bool:
    # One statement, so that of two at once the second sees what the first did.
    insert = insert_into(connection, leases).values(
        name=wanted.name, holder=wanted.holder, until=wanted.until, done_at=None
    )
    columns, wrong_from = leases.c, at + _WRONG_FROM
    is_due = or_(
        columns.done_at.is_(None),
        columns.done_at <= due_since,
        columns.done_at > wrong_from,
    )
    is_free = or_(columns.until <= at, columns.until > wrong_from)
    statement = insert.on_conflict_do_update(
        index_elements=["name"],
        set_={"holder": wanted.holder, "until": wanted.until},
        where=is_free & is_due,
    )
    return connection.execute(statement.returning(columns.name)).first() is not None
