"""Idempotency keys: who holds one at present, and the answer that belongs to it.

A row is `running` while somebody makes the answer, and `finished` once it is there.
A running row whose lease is over belongs to nobody: its owner is dead, or so late
that it must not store any more.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    bindparam,
    or_,
    select,
    tuple_,
)

from flaskllm.storage.database import Database
from flaskllm.storage.repeats import once_more, once_more_anyway
from flaskllm.storage.tables import idempotency
from flaskllm.storage.upserts import insert_into

State = Literal["running", "finished"]

RUNNING: Final = "running"
FINISHED: Final = "finished"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the row of a principal's key is; `key_digest` has 32 bytes."""

    principal_id: str
    key_digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewClaim:
    """What a claim writes. `fingerprint` has 32 bytes; the times are aware.

    `owner` is unlike that of every other claim: what is done later is done only
    while the row still has it.
    """

    place: Place
    fingerprint: bytes = field(repr=False)
    owner: str
    request_id: str
    created_at: datetime
    lease_until: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Held:
    """Who holds a key: the state, of which request, under which place."""

    place: Place
    state: State
    fingerprint: bytes = field(repr=False)
    request_id: str


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The answer of a finished row. `headers` is JSON text; `body` lies sealed."""

    request_id: str
    status: int
    headers: str
    body: bytes = field(repr=False)


class IdempotencyRows:
    """The table of idempotency keys."""

    def __init__(self, database: Database) -> None:
        """Keep the database; nothing is opened."""
        self._database = database

    @once_more_anyway
    def claim(self, claim: NewClaim, earlier: Sequence[Place] = ()) -> Held | None:
        """Take the key, or tell who holds it; None means that it is the claim's now.

        What was committed before the machine lost its power holds afterwards. Of
        all who claim at once one gets it.

        Args:
            claim: What to write.
            earlier: Where the same key may lie besides, under a secret before.

        Raises:
            ServiceUnavailable: Nothing was written; a retry may help.
        """
        at = claim.created_at
        with self._database.transaction(durable=True) as connection:
            for place in earlier:
                held = _find(connection, place, at)
                if held is not None:
                    return held
            _take(connection, claim)
            # Either the row is ours now, or it is locked until the commit.
            row = _rows_at(connection, claim.place).one()
        return None if row["owner"] == claim.owner else _held(claim.place, row)

    def find_answer(self, place: Place, at: datetime) -> StoredAnswer | None:
        """Return the answer that is stored there, unless it has expired.

        Raises:
            ServiceUnavailable: It cannot be read, or not be unsealed.
        """
        columns = idempotency.c
        query = select(
            columns.request_id, columns.status, columns.headers, columns.body
        ).where(_is_at(place), columns.state == FINISHED, columns.expires_at > at)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else StoredAnswer(**row)

    @once_more
    def store(
        self, place: Place, owner: str, answer: StoredAnswer, expires_at: datetime
    ) -> bool:
        """Store the answer if this owner still holds the key; tell whether it did.

        Raises:
            ServiceUnavailable: Nothing was stored.
        """
        finish = (
            idempotency.update()
            .where(_is_running(place, owner))
            .values(
                state=FINISHED,
                status=answer.status,
                headers=answer.headers,
                body=answer.body,
                expires_at=expires_at,
            )
        )
        with self._database.transaction(durable=True) as connection:
            return connection.execute(finish).rowcount == 1

    def release(self, place: Place, owner: str) -> bool:
        """Free the key if this owner still holds it; tell whether it did.

        Raises:
            ServiceUnavailable: It stays until its lease is over.
        """
        free = idempotency.delete().where(_is_running(place, owner))
        with self._database.transaction() as connection:
            return connection.execute(free).rowcount == 1

    def renew(self, owned: Sequence[tuple[Place, str]], lease_until: datetime) -> None:
        """Lengthen the leases of the places that these owners still hold.

        Raises:
            ServiceUnavailable: None was lengthened; a retry may help.
        """
        columns = idempotency.c
        # Place by place: nothing but the key of a row is indexed.
        lengthen = (
            idempotency.update()
            .where(
                columns.principal_id == bindparam("of_principal"),
                columns.key_digest == bindparam("at_digest"),
                columns.owner == bindparam("by_owner"),
                columns.state == RUNNING,
            )
            .values(lease_until=lease_until)
        )
        names = ("of_principal", "at_digest", "by_owner")
        rows = [
            dict(zip(names, (place.principal_id, place.key_digest, owner), strict=True))
            for place, owner in owned
        ]
        with self._database.transaction() as connection:
            connection.execute(lengthen, rows)

    def forget_expired(self, at: datetime, most: int) -> int:
        """Remove at most so many rows that have expired, and return how many.

        Raises:
            ServiceUnavailable: None was removed.
        """
        columns = idempotency.c
        is_over = columns.expires_at <= at
        key = columns.principal_id, columns.key_digest
        which = tuple_(*key).in_(select(*key).where(is_over).limit(most))
        # Once more: a key may have been claimed again while its row was waited for.
        gone = idempotency.delete().where(which, is_over)
        with self._database.transaction() as connection:
            return connection.execute(gone).rowcount


def _take(connection: Connection, claim: NewClaim) -> None:
    """Write the claim where nobody holds the key: one statement, so one winner."""
    columns = idempotency.c
    values = asdict(claim)
    place = values.pop("place")
    values |= {"state": RUNNING, "status": None, "headers": None, "body": None}
    insert = insert_into(connection, idempotency).values(**place, **values)
    connection.execute(
        insert.on_conflict_do_update(
            index_elements=[columns.principal_id, columns.key_digest],
            set_=values,
            where=_is_free(claim.created_at),
        )
    )


def _find(connection: Connection, place: Place, at: datetime) -> Held | None:
    row = _rows_at(connection, place, ~_is_free(at)).one_or_none()
    return None if row is None else _held(place, row)


def _rows_at(connection: Connection, place: Place, *also: ColumnElement[bool]) -> Any:
    columns = idempotency.c
    query = select(
        columns.state, columns.owner, columns.fingerprint, columns.request_id
    ).where(_is_at(place), *also)
    return connection.execute(query).mappings()


def _held(place: Place, row: RowMapping) -> Held:
    return Held(place, row["state"], row["fingerprint"], row["request_id"])


def _is_free(at: datetime) -> ColumnElement[bool]:
    columns = idempotency.c
    is_abandoned = and_(columns.state == RUNNING, columns.lease_until <= at)
    return or_(columns.expires_at <= at, is_abandoned)


def _is_at(place: Place) -> ColumnElement[bool]:
    columns = idempotency.c
    return and_(
        columns.principal_id == place.principal_id,
        columns.key_digest == place.key_digest,
    )


def _is_running(place: Place, owner: str) -> ColumnElement[bool]:
    columns = idempotency.c
    return and_(_is_at(place), columns.owner == owner, columns.state == RUNNING)
