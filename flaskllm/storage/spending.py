"""What is reserved and what is settled: the sums of the ledger, by subject and day."""

from collections.abc import Iterable
from datetime import date
from functools import cache

from sqlalchemy import Connection

from flaskllm.storage.tables import spending
from flaskllm.storage.upserts import Insert, insert_for


class Sums:
    """What one transaction adds to the sums, gathered before it is written."""

    def __init__(self) -> None:
        """Start with nothing."""
        self._added: dict[tuple[str, str], list[int]] = {}

    def add(
        self,
        subjects: Iterable[str],
        day: date,
        *,
        reserved_nanos: int = 0,
        settled_nanos: int = 0,
    ) -> None:
        """Add for each subject on this day; negative numbers take away."""
        if not (reserved_nanos or settled_nanos):
            return
        for subject in subjects:
            added = self._added.setdefault((subject, day.isoformat()), [0, 0])
            added[0] += reserved_nanos
            added[1] += settled_nanos

    def spent(self, subject: str, first: date, after: date) -> int:
        """Return what was added for a subject from the first day to before another."""
        start, end = first.isoformat(), after.isoformat()
        return sum(
            sum(added)
            for (each, day), added in self._added.items()
            if each == subject and start <= day < end
        )

    def write(self, connection: Connection) -> None:
        """Add it to the table; its rows are locked in the order of their keys."""
        values = [
            {"subject": subject, "day": day, "reserved_nanos": held, "settled_nanos": s}
            for (subject, day), (held, s) in sorted(self._added.items())
            if held or s
        ]
        if not values:
            return
        connection.execute(_adding(connection.dialect.name), values)


@cache
def _adding(dialect: str) -> Insert:
    """Return the insert that adds to a row which is there already."""
    insert = insert_for(dialect, spending)
    there, added = spending.c, insert.excluded
    summed = {
        "reserved_nanos": there.reserved_nanos + added.reserved_nanos,
        "settled_nanos": there.settled_nanos + added.settled_nanos,
    }
    keys = [there.subject, there.day]
    return insert.on_conflict_do_update(index_elements=keys, set_=summed)
