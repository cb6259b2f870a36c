"""What processes found of deployments, told to each other through the database."""

from typing import Any

from sqlalchemy import Connection, bindparam, delete, select

from flaskllm.core.clock import Clock
from flaskllm.core.findings import FORGOTTEN_SECONDS, KINDS, Finding, News
from flaskllm.storage.changes import Changes, count_change
from flaskllm.storage.database import Database
from flaskllm.storage.server_time import store_time
from flaskllm.storage.tables import changes, routing_findings
from flaskllm.storage.upserts import insert_into

COUNTER = "routing"

_NEWS = (
    select(routing_findings)
    .where(
        routing_findings.c.version > bindparam("seen"),
        routing_findings.c.told_at >= bindparam("since"),
    )
    .order_by(
        routing_findings.c.version,
        routing_findings.c.subject,
        routing_findings.c.kind,
    )
)


class SqlFindings:
    """The table `routing_findings`."""

    def __init__(
        self, database: Database, clock: Clock, patience_seconds: float
    ) -> None:
        """Keep the collaborators; nothing is opened. See `SqlUpstreamCounts`."""
        self._database = database
        self._clock = clock
        self._patience_seconds = patience_seconds
        self._changes = Changes(database, COUNTER)

    def tell(self, findings: tuple[Finding, ...]) -> None:
        """Store each in the place of the one before of its subject and kind.

        Raises:
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        patience = self._patience_seconds
        with self._database.transaction(patience_seconds=patience) as connection:
            # Its row is ours until the commit, so versions are seen in their order.
            count_change(connection, COUNTER)
            number = select(changes.c.value).where(changes.c.name == COUNTER)
            version = connection.execute(number).scalar_one()
            now_ms = int(store_time(connection, self._clock) * 1000)
            for finding in findings:
                _put(connection, _row(finding, version, now_ms))
            old = routing_findings.c.told_at < now_ms - int(FORGOTTEN_SECONDS * 1000)
            connection.execute(delete(routing_findings).where(old))

    def read(self, seen: int) -> News:
        """Return what was told since this version; 0 is all that still matters.

        Where the present version is below it, the database is another one than
        before, and all of it is news.

        Raises:
            ServiceUnavailable: The database cannot be read; a retry may help.
        """
        version = self._changes.read()
        if version == seen:
            return News(version)
        with self._database.reading() as connection:
            now_ms = store_time(connection, self._clock) * 1000
            since_ms = int(now_ms - FORGOTTEN_SECONDS * 1000)
            after = seen if version > seen else 0
            found = connection.execute(_NEWS, {"seen": after, "since": since_ms}).all()
        return News(
            max((version, *(row.version for row in found))),
            tuple(_finding(row, now_ms) for row in found if row.kind in KINDS),
        )


def _row(finding: Finding, version: int, now_ms: int) -> dict[str, Any]:
    left_seconds = finding.left_seconds
    ends_at = 0 if left_seconds is None else now_ms + int(left_seconds * 1000)
    return {
        "subject": finding.subject,
        "kind": finding.kind,
        "version": version,
        "told_at": now_ms,
        "ends_at": ends_at,
        "code": finding.code,
        "times": finding.times,
        "told_by": finding.told_by,
    }


def _put(connection: Connection, row: dict[str, Any]) -> None:
    insert = insert_into(connection, routing_findings).values(row)
    connection.execute(
        insert.on_conflict_do_update(index_elements=["subject", "kind"], set_=row)
    )


def _finding(row: Any, now_ms: float) -> Finding:
    left_seconds = None
    if row.ends_at:
        left_seconds = max(0.0, (row.ends_at - now_ms) / 1000)
    return Finding(
        row.subject, row.kind, left_seconds, row.code, row.times, row.told_by
    )
