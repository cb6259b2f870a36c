"""The cache in the database: a back end of cachelib, for all that share it.

Values lie sealed, each bound to its key. The time is the host's, on which all agree.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from itertools import count
from typing import Any, TypeAlias

from cachelib import BaseCache
from sqlalchemy import ColumnElement, Connection, Row, and_, func, select

from flaskllm.core.clock import Clock
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage.columns import Sealer
from flaskllm.storage.database import Database
from flaskllm.storage.tables import cache
from flaskllm.storage.upserts import insert_into

_MOST_AT_ONCE = 500
# Between two looks whether there is too much, by each process.
_STORES_BETWEEN_LOOKS = 64
_MARKS = "-/mark/"

_columns = cache.c
_Row: TypeAlias = Row[*tuple[Any, ...]]
_IS_ANSWER = _columns.size > 0
_COUNT = select(func.count(), func.coalesce(func.sum(_columns.size), 0))
# By the index alone: no answer is read for it.
TAKEN = _COUNT.where(_IS_ANSWER)


class SqlCache(BaseCache):
    """Keeps texts in the table `cache`, the oldest of which go when it is full.

    Each method raises ServiceUnavailable where the database does not work.
    """

    is_shared = True

    def __init__(
        self,
        database: Database,
        sealer: Sealer,
        clock: Clock,
        most_entries: int,
        most_bytes: int,
    ) -> None:
        """Keep the collaborators, and how many answers are kept, of how many bytes."""
        super().__init__()
        self._database = database
        self._sealer = sealer
        self._clock = clock
        self._most_entries = most_entries
        self._most_bytes = most_bytes
        self._stores = count(1)

    def get(self, key: str) -> str | None:
        """Return the text of this key; None where there is none."""
        return self.get_dict(key)[key]

    def get_dict(self, *keys: str) -> dict[str, str | None]:
        """Return the texts of these keys; None where there is none."""
        query = select(_columns.key, _columns.value).where(
            _columns.key.in_(keys),
            _columns.value.is_not(None),
            _columns.expires_at > self._now_ms(),
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        # What another master secret sealed is not there.
        found = {row.key: self._open(row) for row in rows}
        return {key: found.get(key) for key in keys}

    def set(
        self, key: str, value: str, timeout: int | timedelta | None = None
    ) -> bool | None:
        """Keep a text for so many seconds."""
        sealed = self._seal(key, value)
        if len(sealed) > self._most_bytes:
            return False
        with self._database.transaction() as connection:
            self._put(connection, key, self._values(key, sealed, timeout))
            if next(self._stores) % _STORES_BETWEEN_LOOKS == 0:
                self._drop_excess(connection)
        return True

    def add(self, key: str, value: str, timeout: int | timedelta | None = None) -> bool:
        """Keep it unless there is one; tell whether it was kept."""
        values = self._values(key, self._seal(key, value), timeout)
        with self._database.transaction() as connection:
            return self._put(connection, key, values, only_if_free=True)

    def has(self, key: str) -> bool:
        """Tell whether there is a text."""
        return self.get(key) is not None

    def delete(self, key: str) -> bool:
        """Forget one; tell whether it was there."""
        with self._database.transaction() as connection:
            gone = connection.execute(cache.delete().where(_columns.key == key))
        return gone.rowcount > 0

    def clear(self) -> bool:
        """Forget everything."""
        with self._database.transaction() as connection:
            connection.execute(cache.delete())
        return True

    def forget(self, owner: str) -> int:
        """Forget all of one owner, 500 at a time; return how many."""
        return self._remove_all(_columns.owner == owner)

    def trim(self) -> int:
        """Forget what has expired, and the oldest of what is too much."""
        total = self._remove_all(_columns.expires_at <= self._now_ms())
        last = _MOST_AT_ONCE
        while last == _MOST_AT_ONCE:
            with self._database.transaction() as connection:
                last = self._drop_excess(connection)
            total += last
        return total

    def claim(self, key: str, holder: str, seconds: float) -> str:
        """Take a place for so long unless somebody has it; return who has it then."""
        values = {**self._lasting(seconds), "holder": holder}
        with self._database.transaction() as connection:
            if self._put(connection, key, values, only_if_free=True):
                return holder
            # The attempt has locked the row: nobody leaves meanwhile.
            held = select(_columns.holder).where(_columns.key == key)
            return str(connection.execute(held).scalar_one())

    def held_by(self, key: str) -> str | None:
        """Return who has the place now."""
        query = select(_columns.holder).where(
            _columns.key == key, _columns.expires_at > self._now_ms()
        )
        with self._database.reading() as connection:
            holder: str | None = connection.execute(query).scalar_one_or_none()
        return holder

    def renew(self, places: Mapping[str, str], seconds: float) -> None:
        """Lengthen the claims of these holders, by their keys, as far as they hold."""
        now_ms = self._now_ms()
        until = now_ms + round(seconds * 1000)
        with self._database.transaction() as connection:
            for key in sorted(places):
                is_own = _is_held(key, places[key]) & (_columns.expires_at > now_ms)
                lengthen = cache.update().where(is_own).values(expires_at=until)
                connection.execute(lengthen)

    def release(self, key: str, holder: str) -> None:
        """Free the place if this holder still has it."""
        with self._database.transaction() as connection:
            connection.execute(cache.delete().where(_is_held(key, holder)))

    def _put(
        self,
        connection: Connection,
        key: str,
        values: Mapping[str, object],
        *,
        only_if_free: bool = False,
    ) -> bool:
        """Write one row; of several at once that want it free, one does."""
        owner = key.partition("/")[0]
        insert = insert_into(connection, cache).values(key=key, owner=owner, **values)
        is_free = _columns.expires_at <= values["stored_at"]
        statement = insert.on_conflict_do_update(
            index_elements=["key"],
            set_=dict(values),
            where=is_free if only_if_free else None,
        )
        put = connection.execute(statement.returning(_columns.key))
        return put.first() is not None

    def _values(
        self, key: str, sealed: bytes, timeout: int | timedelta | None
    ) -> Mapping[str, object]:
        size = 0 if key.startswith(_MARKS) else len(sealed)
        lasting = self._lasting(self._normalize_timeout(timeout))
        return {**lasting, "value": sealed, "size": size}

    def _lasting(self, seconds: float) -> Mapping[str, object]:
        """Return all columns but the key's, of a row with nothing in it."""
        now_ms = self._now_ms()
        expires_at = now_ms + round(seconds * 1000)
        times = {"stored_at": now_ms, "expires_at": expires_at}
        return {"holder": None, "value": None, "size": 0, **times}

    def _remove_all(self, which: ColumnElement[bool]) -> int:
        total = last = self._remove_some(which)
        while last == _MOST_AT_ONCE:
            last = self._remove_some(which)
            total += last
        return total

    def _remove_some(self, which: ColumnElement[bool]) -> int:
        some = select(_columns.key).where(which).limit(_MOST_AT_ONCE)
        # Once more: a row may have been written again while it was waited for.
        gone = cache.delete().where(_columns.key.in_(some), which)
        with self._database.transaction() as connection:
            return connection.execute(gone).rowcount

    def _drop_excess(self, connection: Connection) -> int:
        """Remove the oldest answers, but not more at once than a statement names."""
        rows, size = connection.execute(TAKEN).one()
        rows_over, bytes_over = rows - self._most_entries, size - self._most_bytes
        if rows_over <= 0 and bytes_over <= 0:
            return 0
        oldest = (
            select(_columns.key, _columns.size)
            .where(_IS_ANSWER)
            .order_by(_columns.stored_at, _columns.key)
            .limit(_MOST_AT_ONCE)
        )
        chosen = _first_over(connection.execute(oldest).all(), rows_over, bytes_over)
        gone = cache.delete().where(_columns.key.in_(chosen))
        return connection.execute(gone).rowcount

    def _seal(self, key: str, value: str) -> bytes:
        return self._sealer.seal(value.encode("utf-8"), f"cache:{key}")

    def _open(self, row: _Row) -> str | None:
        try:
            sealed = bytes(row.value)
            return self._sealer.open(sealed, f"cache:{row.key}").decode("utf-8")
        except ServiceUnavailable:
            return None

    def _now_ms(self) -> int:
        return round(self._clock.now().timestamp() * 1000)


def _is_held(key: str, holder: str) -> ColumnElement[bool]:
    return and_(_columns.key == key, _columns.holder == holder)


def _first_over(rows: Sequence[_Row], rows_over: int, bytes_over: int) -> list[str]:
    """Return the keys of the first rows without which there is not too much."""
    chosen: list[str] = []
    for row in rows:
        if len(chosen) >= rows_over and bytes_over <= 0:
            break
        chosen.append(row.key)
        bytes_over -= row.size
    return chosen
