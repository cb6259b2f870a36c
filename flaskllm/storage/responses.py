"""Responses: answers that their callers may refer to, until they expire."""

from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import Connection, select

from flaskllm.storage.database import Database
from flaskllm.storage.tables import responses


@dataclass(frozen=True, slots=True)
class ResponseRow:
    """One response. Both times are aware; `body` and `input_items` are JSON.

    They lie sealed in the table. `body` is the response as it was told;
    `input_items` are those of its own request. `previous_id` leads to the turn
    before, or is None.
    """

    id: str
    principal_id: str
    previous_id: str | None
    created_at: datetime
    expires_at: datetime
    body: bytes = field(repr=False)
    input_items: bytes = field(repr=False)


class ResponseRows:
    """The table of responses. Nobody finds what another principal made."""

    def __init__(self, database: Database) -> None:
        """Keep the database; nothing is opened."""
        self._database = database

    def add(self, row: ResponseRow) -> None:
        """Store one row.

        Raises:
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        with self._database.transaction() as connection:
            connection.execute(responses.insert().values(asdict(row)))

    def remove_expired(self, at: datetime, most: int) -> int:
        """Remove at most so many of those that have expired by then; return how many.

        Raises:
            ServiceUnavailable: None was removed; a retry may help.
        """
        expired = select(responses.c.id).where(responses.c.expires_at <= at).limit(most)
        with self._database.transaction() as connection:
            removed = connection.execute(
                responses.delete().where(responses.c.id.in_(expired))
            )
            return removed.rowcount

    def find(
        self, response_id: str, principal_id: str, at: datetime
    ) -> ResponseRow | None:
        """Return the response that this principal made, unless it has expired."""
        with self._database.reading() as connection:
            return _find(connection, response_id, principal_id, at)

    def chain(
        self,
        response_id: str,
        principal_id: str,
        at: datetime,
        *,
        most: int,
        most_bytes: int,
    ) -> tuple[ResponseRow, ...] | None:
        """Return the response and those before it, the oldest first.

        None when one of them is not there. Once they are `most`, or their JSON is
        longer than `most_bytes` in all, none is read any more: then the first one
        has a `previous_id`.
        """
        found: list[ResponseRow] = []
        wanted: str | None = response_id
        left_bytes = most_bytes
        with self._database.reading() as connection:
            while wanted is not None and len(found) < most and left_bytes >= 0:
                row = _find(connection, wanted, principal_id, at)
                if row is None:
                    return None
                found.append(row)
                left_bytes -= len(row.body) + len(row.input_items)
                wanted = row.previous_id
        return tuple(reversed(found))

    def remove(self, response_id: str, principal_id: str, at: datetime) -> bool:
        """Remove the response, and tell whether this principal had one of this id."""
        with self._database.transaction() as connection:
            if _find(connection, response_id, principal_id, at) is None:
                return False
            connection.execute(responses.delete().where(responses.c.id == response_id))
        return True


def _find(
    connection: Connection, response_id: str, principal_id: str, at: datetime
) -> ResponseRow | None:
    query = select(responses).where(
        responses.c.id == response_id,
        responses.c.principal_id == principal_id,
        responses.c.expires_at > at,
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else ResponseRow(**row)
