"""What all processes ask of deployments, counted in the database.

One row for each deployment, which its transaction holds from the look at it to the
commit: a lock of the row on PostgreSQL, the write lock on SQLite.
"""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, Select, bindparam, delete, func, select, update

from flaskllm.core.clock import Clock
from flaskllm.core.upstream_counts import (
    Counts,
    Order,
    Refused,
    Settled,
    Wanted,
    dump,
    load,
    settle,
)
from flaskllm.storage.database import Database
from flaskllm.storage.server_time import store_time
from flaskllm.storage.tables import upstream_counts
from flaskllm.storage.upserts import insert_into

_FIND = (
    select(upstream_counts.c.key, upstream_counts.c.body)
    .where(upstream_counts.c.key.in_(bindparam("keys", expanding=True)))
    .order_by(upstream_counts.c.key)
)
_LOCK = _FIND.with_for_update()
# A count may be lost with the power. Who holds its row must not wait for the disk.
_LOCK_ON_POSTGRES = _LOCK.add_columns(
    func.set_config("synchronous_commit", "off", True)
)
_STORE = update(upstream_counts).where(upstream_counts.c.key == bindparam("of"))


class SqlUpstreamCounts:
    """The table `upstream_counts`."""

    def __init__(
        self, database: Database, clock: Clock, patience_seconds: float
    ) -> None:
        """Keep the collaborators; nothing is opened.

        Args:
            database: Where the table is.
            clock: The machine's; a server tells its own time.
            patience_seconds: How long to wait for the locks of others.
        """
        self._database = database
        self._clock = clock
        self._patience_seconds = patience_seconds

    def settle(self, orders: Sequence[Order]) -> tuple[Settled, ...]:
        """Do what these orders say, one after the other, and return what came of each.

        All of it is one transaction.

        Raises:
            ServiceUnavailable: The database does not work, or not in time; nothing
                was counted, unless the connection broke during the commit.
        """
        keys = sorted({each.key for each in orders})
        wanted = {each.key for each in orders if isinstance(each.what, Wanted)}
        patience = self._patience_seconds
        with self._database.transaction(patience_seconds=patience) as connection:
            found = _locked(connection, keys)
            while new := wanted - found.keys():
                # Whoever sweeps may take one away before it is locked.
                self._make(connection, sorted(new))
                found = _locked(connection, keys)
            # Only now: who waited for a row must not count in a second that was.
            now = store_time(connection, self._clock)
            return self._settled(connection, orders, found, now)

    def _settled(
        self,
        connection: Connection,
        orders: Sequence[Order],
        found: Mapping[str, str],
        now: float,
    ) -> tuple[Settled, ...]:
        present = {key: load(body) for key, body in found.items()}
        changed: dict[str, Counts] = {}
        settled = []
        for order in orders:
            result = settle(present.get(order.key, Counts()), order.what, now)
            settled.append(result)
            # What was refused changes nothing; who is told no should cost little.
            if order.key in present and not isinstance(result.answer, Refused):
                present[order.key] = changed[order.key] = result.counts
        if changed:
            rows = [
                {"of": key, "body": dump(counts), "ends_at": counts.ends_at}
                for key, counts in changed.items()
            ]
            connection.execute(_STORE, rows)
        return tuple(settled)

    def _make(self, connection: Connection, keys: Iterable[str]) -> None:
        """Make rows, which must be there to be locked, and remove what is over."""
        now = store_time(connection, self._clock)
        over = upstream_counts.c.ends_at <= int(now)
        locked = select(upstream_counts.c.key).where(over).order_by("key")
        gone = locked.with_for_update(skip_locked=True)
        connection.execute(
            delete(upstream_counts).where(upstream_counts.c.key.in_(gone), over)
        )
        nothing = {"body": dump(Counts()), "ends_at": int(now) + 1}
        new = insert_into(connection, upstream_counts).values(
            [{"key": key, **nothing} for key in keys]
        )
        connection.execute(new.on_conflict_do_nothing())


def _locked(connection: Connection, keys: Sequence[str]) -> dict[str, str]:
    """Return the bodies of those that are there; their rows are ours."""
    find: Select[tuple[str, str]] = _LOCK
    if connection.dialect.name == "postgresql":
        find = _LOCK_ON_POSTGRES
    return {row.key: row.body for row in connection.execute(find, {"keys": keys})}
