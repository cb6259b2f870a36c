"""What one principal has made, table by table, and how it is removed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Connection, Table, delete, exists, select, tuple_

from flaskllm.core.subjects import principal_subject
from flaskllm.storage.database import Database
from flaskllm.storage.job_rows import OPEN
from flaskllm.storage.tables import (
    deliveries,
    delivery_attempts,
    digest_threads,
    documents,
    endpoints,
    idempotency,
    inbound_endpoints,
    job_steps,
    jobs,
    ledger,
    reservations,
    responses,
    spending,
    usage,
)
from flaskllm.storage.workflows import Workflows

CONTENT: Final[tuple[Table, ...]] = (
    jobs,
    deliveries,
    documents,
    responses,
    idempotency,
    digest_threads,
    endpoints,
    inbound_endpoints,
)
"""What is removed, in this order; each has a `principal_id`."""

GOES_ALONG: Final[Mapping[Table, Column[str]]] = {
    jobs: job_steps.c.job_id,
    deliveries: delivery_attempts.c.delivery_id,
}
"""Whose rows take others along: those that name them in this column, and workflows."""

REMOVED_BY_OTHERS: Final = frozenset({"cache"})
"""What is removed by whoever keeps it: its rows may lie in another store."""

ACCOUNTS: Final[tuple[Table, ...]] = (usage, ledger, spending)
"""Numbers without content: they go only where that is asked for."""

WHY_IT_STAYS: Final[Mapping[str, str]] = {
    "api_tokens": "a principal's id must never be another's; it holds no content",
    "audit": "who changed what is evidence; it goes by its age",
    "reservations": "attempts under way; they end within minutes",
    "budgets": "what the operator set",
    "budget_notices": "that a budget was passed; it goes with its days",
    "changes": "a counter of the house",
    "counters": "windows of limits; they end within minutes",
    "leases": "who does a duty",
    "marks": "whose the database is",
    "overrides": "what the operator set",
    "upstream_counts": "windows of upstreams' limits; they end within minutes",
    "routing_findings": "how deployments do",
    "workers": "processes",
    "usage_keys": "what sums have in common; it names a principal by the id alone",
    "usage_quarters": "sums, of which the house's totals are made",
    "usage_spans": "sums, of which the house's totals are made",
    "latency_quarters": "counts of durations",
    "latency_spans": "counts of durations",
    "usage_zones": "up to where sums are made",
}
"""What is nobody's content, by name, and why it stays."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one transaction removed. `last` is None once nothing is left behind it."""

    count: int
    last: tuple[Any, ...] | None


class PrincipalData:
    """Finds and removes what one principal has made."""

    def __init__(self, database: Database, workflows: Workflows) -> None:
        """Keep the collaborators; nothing is opened."""
        self._database = database
        self._workflows = workflows

    def open_jobs(self, principal_id: str, most: int) -> tuple[str, ...]:
        """Return ids of at most so many jobs that have not ended, batches first.

        Raises:
            ServiceUnavailable: They cannot be read.
        """
        columns = jobs.c
        query = (
            select(columns.id)
            .where(columns.principal_id == principal_id, columns.state.in_(OPEN))
            .order_by(columns.kind != "batch", columns.id)
            .limit(most)
        )
        with self._database.reading() as connection:
            return tuple(connection.execute(query).scalars())

    def remove(
        self,
        table: Table,
        principal_id: str,
        after: tuple[Any, ...] | None,
        most: int,
    ) -> Step:
        """Remove at most so many rows of a table of `CONTENT`, in one transaction.

        What belongs to them goes along; workflows go first, as rows that are there
        are found again and workflows would not be.

        Args:
            table: Which.
            principal_id: Whose rows.
            after: `last` of the step before, to go on behind it.
            most: How many rows.

        Raises:
            ServiceUnavailable: None was removed; a retry may help.
        """
        key = tuple(table.primary_key.columns)
        query = select(*key).where(table.c.principal_id == principal_id)
        if after is not None:
            query = query.where(tuple_(*key) > tuple_(*after))
        with self._database.reading() as connection:
            rows = [
                tuple(each)
                for each in connection.execute(query.order_by(*key).limit(most))
            ]
        if not rows:
            return Step(0, None)
        if table in GOES_ALONG:
            self._workflows.prepare()
            self._workflows.delete([row[0] for row in rows])
        with self._database.transaction() as connection:
            _remove(connection, table, rows)
        return Step(len(rows), rows[-1] if len(rows) == most else None)

    def has_open_attempts(self, principal_id: str) -> bool:
        """Tell whether money is reserved for an attempt of this principal.

        Raises:
            ServiceUnavailable: It cannot be read.
        """
        held = reservations.c.principal_id == principal_id
        with self._database.reading() as connection:
            query = select(reservations.c.attempt_id).where(held).limit(1)
            return connection.execute(query).first() is not None

    def remove_usage(self, principal_id: str, most: int) -> int:
        """Remove at most so many of its attempts; return how many.

        Raises:
            ServiceUnavailable: None was removed; a retry may help.
        """
        columns = usage.c
        own = columns.principal_id == principal_id
        chosen = select(columns.id).where(own).order_by(columns.created_at).limit(most)
        with self._database.transaction() as connection:
            gone = usage.delete().where(columns.id.in_(chosen))
            return connection.execute(gone).rowcount

    def remove_entries(
        self, principal_id: str, after: str | None, most: int
    ) -> tuple[int, str | None]:
        """Remove the entries of at most so many of its attempts that have ended.

        Return how many, and behind which attempt to go on; None for the end.

        Raises:
            ServiceUnavailable: None was removed; a retry may help.
        """
        columns = ledger.c
        is_open = exists().where(reservations.c.attempt_id == columns.attempt_id)
        query = (
            select(columns.attempt_id)
            .where(columns.principal_id == principal_id, ~is_open)
            .where(columns.attempt_id > (after or ""))
            .distinct()
            .order_by(columns.attempt_id)
            .limit(most)
        )
        # All of the ledger may be read for it, and nobody who writes shall wait for
        # that. What has ended does not begin again.
        with self._database.reading() as connection:
            ids = connection.execute(query).scalars().all()
        if not ids:
            return 0, None
        with self._database.transaction() as connection:
            connection.execute(ledger.delete().where(columns.attempt_id.in_(ids)))
        return len(ids), ids[-1] if len(ids) == most else None

    def remove_spending(self, principal_id: str) -> int:
        """Remove its sums of days on which nothing is reserved; return how many.

        Those of its tags stay: they are others' too.

        Raises:
            ServiceUnavailable: None was removed; a retry may help.
        """
        columns = spending.c
        own = columns.subject == principal_subject(principal_id)
        with self._database.transaction() as connection:
            gone = spending.delete().where(own, columns.reserved_nanos == 0)
            return connection.execute(gone).rowcount


def _remove(
    connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]
) -> None:
    if table in GOES_ALONG:
        parent_id, ids = GOES_ALONG[table], [row[0] for row in rows]
        connection.execute(delete(parent_id.table).where(parent_id.in_(ids)))
    key = tuple_(*table.primary_key.columns)
    connection.execute(table.delete().where(key.in_(rows)))
