"""Rows that are old enough to go: found and removed, a bounded number at a time."""

from datetime import date, datetime

from sqlalchemy import Column, Connection, Table, exists, literal_column, select

from flaskllm.storage.database import Database
from flaskllm.storage.tables import (
    audit,
    budget_notices,
    ledger,
    reservations,
    spending,
    usage,
    workers,
)

# As the index says it: a bound value would not be known to be the same.
_IS_FIRST = ledger.c.entry == literal_column("'reserve'")


class OldRows:
    """What is removed because of its age alone."""

    def __init__(self, database: Database) -> None:
        """Keep the database; nothing is opened."""
        self._database = database

    def remove_usage(self, before: datetime, most: int) -> int:
        """Remove at most so many attempts that began before; return how many.

        Raises:
            ServiceUnavailable: None was removed; a retry may help.
        """
        return self._remove_by_time(usage, usage.c.created_at, before, most)

    def remove_audit(self, before: datetime, most: int) -> int:
        """Remove at most so many audit rows from before, else as `remove_usage`."""
        return self._remove_by_time(audit, audit.c.at, before, most)

    def remove_entries(self, before: datetime, most: int) -> int:
        """Remove all entries of at most so many attempts that were reserved before.

        Those under way stay, whenever they began. How many attempts it were is
        returned.

        Raises:
            ServiceUnavailable: None was removed; a retry may help.
        """
        columns = ledger.c
        is_open = exists().where(reservations.c.attempt_id == columns.attempt_id)
        query = (
            select(columns.attempt_id)
            .where(_IS_FIRST, columns.at < before, ~is_open)
            .order_by(columns.at)
            .limit(most)
        )
        with self._database.transaction() as connection:
            ids = connection.execute(query).scalars().all()
            if ids:
                connection.execute(ledger.delete().where(columns.attempt_id.in_(ids)))
        return len(ids)

    def remove_spending(self, before: date, most: int) -> int:
        """Remove at most so many sums of days before, where nothing is reserved.

        What was told of budgets in periods that began before goes as well. How many
        sums it were is returned.

        Raises:
            ServiceUnavailable: None was removed; a retry may help.
        """
        first, columns = before.isoformat(), spending.c
        query = (
            select(columns.subject, columns.day)
            .where(columns.day < first, columns.reserved_nanos == 0)
            .order_by(columns.subject, columns.day)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        told = budget_notices.c.period_start < first
        with self._database.transaction() as connection:
            rows = connection.execute(query).all()
            for subject, day in rows:
                which = (columns.subject == subject, columns.day == day)
                connection.execute(spending.delete().where(*which))
            connection.execute(budget_notices.delete().where(told))
        return len(rows)

    def remove_workers(self, before: datetime, most: int) -> int:
        """Forget at most so many workers that were not heard of since; return how many.

        What they had is taken over as before: nobody asks for their rows.

        Raises:
            ServiceUnavailable: None was removed; a retry may help.
        """
        return self._remove_by_time(workers, workers.c.beat_at, before, most)

    def _remove_by_time(
        self, table: Table, at: Column[datetime], before: datetime, most: int
    ) -> int:
        with self._database.transaction() as connection:
            return _remove_oldest(connection, table, at, before, most)


def _remove_oldest(
    connection: Connection,
    table: Table,
    at: Column[datetime],
    before: datetime,
    most: int,
) -> int:
    oldest = select(table.c.id).where(at < before).order_by(at).limit(most)
    # Once more: a row may have been written anew while it was waited for.
    gone = table.delete().where(table.c.id.in_(oldest), at < before)
    return connection.execute(gone).rowcount
