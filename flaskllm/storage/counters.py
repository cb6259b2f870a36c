"""Limits counted in the database: for all the processes, and hosts, that share it.

A storage of `limits` with one row for each key, of two numbers, see
`core.sliding`. Each count is one transaction that holds the row from the look at
it to the commit: a lock of the row on PostgreSQL, the write lock on SQLite. The
time is that of the host that counts.
"""

from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, select, update

from flaskllm.core.clock import Clock
from flaskllm.core.sliding import Window, start_of
from flaskllm.core.windows import Windows
from flaskllm.storage.database import Database
from flaskllm.storage.sliding_windows import SlidingWindows
from flaskllm.storage.tables import counters
from flaskllm.storage.upserts import insert_into

_MOST_FORGOTTEN_AT_ONCE = 500

_FIND = select(
    counters.c.started_at,
    counters.c.present,
    counters.c.previous,
    counters.c.expires_at,
).where(counters.c.key == bindparam("of"))
_LOCK = _FIND.with_for_update()
# A count may be lost with the power. Who holds its row must not wait for the disk.
_LOCK_ON_POSTGRES = _LOCK.add_columns(
    func.set_config("synchronous_commit", "off", True)
)
_STORE = update(counters).where(counters.c.key == bindparam("of"))


class SqlCounters(SlidingWindows):
    """Sliding windows in the table `counters`."""

    def __init__(self, database: Database, clock: Clock, mirror: Windows) -> None:
        """Keep the collaborators; nothing is opened."""
        super().__init__(clock, mirror)
        self._database = database

    def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        """Count `amount` if `limit` in a window of `expiry` seconds has room for it.

        Raises:
            ServiceUnavailable: The database does not work, and nothing was counted.
        """
        if amount > limit:
            return False
        with self._database.transaction() as connection:
            window, now = self._locked(connection, key, expiry)
            has_room = window.has_room(amount, limit, now, expiry)
            if has_room:
                window = window.plus(amount)
                _store(connection, key, expiry, window)
        self._mirror.put(key, expiry, window)
        return has_room

    def correct(self, key: str, expiry: int, amount: int, counted_at: float) -> None:
        """Count `amount` more, whatever the limit; less where it is negative.

        What is less is taken from the window in which `counted_at` lies.

        Raises:
            ServiceUnavailable: The database does not work, and nothing was counted.
        """
        with self._database.transaction() as connection:
            window, _ = self._locked(connection, key, expiry)
            if amount < 0:
                window = window.less(-amount, counted_at, expiry)
            else:
                window = window.plus(amount)
            _store(connection, key, expiry, window)
        self._mirror.put(key, expiry, window)

    def get(self, key: str) -> int:
        """Return the count of the window that runs."""
        with self._database.reading() as connection:
            row = connection.execute(_FIND, {"of": key}).one_or_none()
        if row is None or self._now() >= _end_of(row.started_at, row.expires_at):
            return 0
        return int(row.present)

    def get_expiry(self, key: str) -> float:
        """Return when the window that runs is over, now if there is none."""
        now = self._now()
        with self._database.reading() as connection:
            row = connection.execute(_FIND, {"of": key}).one_or_none()
        return max(now, _end_of(row.started_at, row.expires_at)) if row else now

    def reset(self) -> int:
        """Forget everything, and return how many keys there were."""
        with self._database.transaction() as connection:
            return connection.execute(delete(counters)).rowcount

    def forget_expired(self) -> int:
        """Remove the windows that do not count any more, and return how many.

        It takes them 500 at a time: each batch keeps others waiting for a moment only.

        Raises:
            ServiceUnavailable: Some may be left; a retry may help.
        """
        total = count = self._forget_some()
        while count == _MOST_FORGOTTEN_AT_ONCE:
            count = self._forget_some()
            total += count
        return total

    def _forget_some(self) -> int:
        is_over = counters.c.expires_at <= int(self._now())
        with self._database.transaction() as connection:
            some = select(counters.c.key).where(is_over).limit(_MOST_FORGOTTEN_AT_ONCE)
            # Once more: a key may have been counted again while its row was waited for.
            gone = delete(counters).where(counters.c.key.in_(some), is_over)
            return connection.execute(gone).rowcount

    def _locked(
        self, connection: Connection, key: str, seconds: int
    ) -> tuple[Window, float]:
        """Return the window as it is now, and when that is; its row is ours."""
        on_postgres = connection.dialect.name == "postgresql"
        find = _LOCK_ON_POSTGRES if on_postgres else _LOCK
        window = _find(connection, key, find)
        while window is None:
            # It must be there to be locked. Whoever sweeps may take it away again.
            nothing = _columns(seconds, Window(start_of(self._now(), seconds)))
            new = insert_into(connection, counters).values(key=key, **nothing)
            connection.execute(new.on_conflict_do_nothing())
            window = _find(connection, key, find)
        # Only now: who waits for the row must not count in a window that was.
        now = self._now()
        return window.moved_to(now, seconds), now

    def _find(self, key: str) -> Window | None:
        with self._database.reading() as connection:
            return _find(connection, key)

    def _check(self) -> None:
        self._database.check()

    def _forget(self, key: str) -> None:
        with self._database.transaction() as connection:
            connection.execute(delete(counters).where(counters.c.key == key))


def _find(connection: Connection, key: str, find: Select[Any] = _FIND) -> Window | None:
    row = connection.execute(find, {"of": key}).one_or_none()
    return None if row is None else Window(row.started_at, row.present, row.previous)


def _store(connection: Connection, key: str, seconds: int, window: Window) -> None:
    connection.execute(_STORE, {"of": key, **_columns(seconds, window)})


def _columns(seconds: int, window: Window) -> dict[str, int]:
    return {
        "started_at": window.started_at,
        "present": window.present,
        "previous": window.previous,
        "expires_at": window.started_at + 2 * seconds,
    }


def _end_of(started_at: int, expires_at: int) -> float:
    # It is kept for twice its length: as the one that runs, then as the one before.
    return (started_at + expires_at) / 2
