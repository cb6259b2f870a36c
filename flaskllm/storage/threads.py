"""Mail threads: what is known of each, for its own principal, until it expires."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, and_, or_, select, tuple_

from flaskllm.core.clock import Clock
from flaskllm.storage.database import Database
from flaskllm.storage.moments import moment
from flaskllm.storage.tables import api_tokens, digest_threads
from flaskllm.storage.upserts import insert_into

_columns = digest_threads.c


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """What is known of one thread: JSON, sealed in the table.

    Attributes:
        key_digest: 32 bytes that tell the thread from all others of its principal.
        version: Of `body`; 1 at first.
    """

    principal_id: str
    key_digest: bytes
    version: int
    body: bytes = field(repr=False)


class ThreadRows:
    """The table of threads. Nobody finds what another principal has."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Keep the collaborators; nothing is opened."""
        self._database = database
        self._clock = clock

    def find(self, principal_id: str, key_digests: Sequence[bytes]) -> ThreadRow | None:
        """Return the thread that has the first of these keys that one has.

        Raises:
            ServiceUnavailable: It cannot be read.
        """
        with self._database.reading() as connection:
            now = moment(connection, self._clock)
            found = (_find(connection, principal_id, each, now) for each in key_digests)
            return next((row for row in found if row is not None), None)

    def put(self, row: ThreadRow, known: ThreadRow | None, keep_for: timedelta) -> bool:
        """Store what is known now, unless somebody else has meanwhile; tell which.

        Args:
            row: What to store; its version is made here.
            known: What `find` returned before; its key may be an older one.
            keep_for: How long from now.

        Raises:
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        with self._database.transaction() as connection:
            now = moment(connection, self._clock)
            expires_at = now + keep_for
            if known is not None and known.key_digest == row.key_digest:
                return _replace(connection, row, known, expires_at)
            if known is not None and not _remove(connection, _is_version(known)):
                return False
            _remove(connection, and_(_is_thread(row), _columns.expires_at <= now))
            version = 1 if known is None else known.version + 1
            return _insert(connection, row, version, now, expires_at)

    def remove_expired(self, most: int) -> int:
        """Remove at most so many that have expired; return how many.

        Those of principals whose API tokens were revoked have, too.

        Raises:
            ServiceUnavailable: None was removed; a retry may help.
        """
        revoked = select(api_tokens.c.id).where(api_tokens.c.revoked_at.is_not(None))
        key = tuple_(_columns.principal_id, _columns.key_digest)
        with self._database.transaction() as connection:
            now = moment(connection, self._clock)
            is_over = or_(
                _columns.expires_at <= now, _columns.principal_id.in_(revoked)
            )
            chosen = select(_columns.principal_id, _columns.key_digest).where(is_over)
            return _remove(connection, key.in_(chosen.limit(most)))


def _find(
    connection: Connection, principal_id: str, key_digest: bytes, now: datetime
) -> ThreadRow | None:
    query = select(
        _columns.principal_id, _columns.key_digest, _columns.version, _columns.body
    ).where(
        _columns.principal_id == principal_id,
        _columns.key_digest == key_digest,
        _columns.expires_at > now,
    )
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        return None
    # psycopg may give a memoryview.
    return ThreadRow(**{**row, "key_digest": bytes(row["key_digest"])})


def _replace(
    connection: Connection, row: ThreadRow, known: ThreadRow, expires_at: datetime
) -> bool:
    values = {
        "version": known.version + 1,
        "expires_at": expires_at,
        "body": row.body,
    }
    change = digest_threads.update().where(_is_version(known)).values(values)
    return connection.execute(change).rowcount == 1


def _insert(
    connection: Connection,
    row: ThreadRow,
    version: int,
    now: datetime,
    expires_at: datetime,
) -> bool:
    values = {
        "principal_id": row.principal_id,
        "key_digest": row.key_digest,
        "version": version,
        "created_at": now,
        "expires_at": expires_at,
        "body": row.body,
    }
    insert = insert_into(connection, digest_threads).values(values)
    # How many rows an insert has made, not every driver tells.
    made = insert.on_conflict_do_nothing().returning(_columns.version)
    return connection.execute(made).one_or_none() is not None


def _remove(connection: Connection, which: ColumnElement[bool]) -> int:
    return connection.execute(digest_threads.delete().where(which)).rowcount


def _is_thread(row: ThreadRow) -> ColumnElement[bool]:
    return and_(
        _columns.principal_id == row.principal_id,
        _columns.key_digest == row.key_digest,
    )


def _is_version(known: ThreadRow) -> ColumnElement[bool]:
    return and_(_is_thread(known), _columns.version == known.version)
