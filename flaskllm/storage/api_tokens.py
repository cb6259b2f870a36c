"""API-token records: all that is kept of an API token."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import RowMapping, or_, select

from flaskllm.core.auth import Scope
from flaskllm.storage.database import Database
from flaskllm.storage.tables import api_tokens

State = Literal["active", "expired", "revoked"]

TOUCH_INTERVAL = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ApiTokenRecord:
    """One API token. `digest` is its HMAC-SHA-256; all times are aware, in UTC.

    `expires_at` None = never; `revoked_at` and `last_used_at` None = not yet.
    """

    id: str
    kind: str
    name: str
    digest: bytes = field(repr=False)
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    direct_models: bool = False

    def state_at(self, now: datetime) -> State:
        """Return what has become of it by then; `now` is aware."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "active"

    def touch_is_due(self, at: datetime) -> bool:
        """Tell whether the last use on record is a minute old, or there is none."""
        return self.last_used_at is None or self.last_used_at <= at - TOUCH_INTERVAL


class ApiTokens:
    """The table of API tokens. Rows are never deleted: a principal's id stays."""

    def __init__(self, database: Database) -> None:
        """Keep the database; nothing is opened."""
        self._database = database

    def add(self, record: ApiTokenRecord) -> None:
        """Store a new record.

        Raises:
            ServiceUnavailable: Nothing was stored; a retry may help.
            InternalError: The id is taken.
        """
        with self._database.transaction() as connection:
            connection.execute(api_tokens.insert().values(_to_row(record)))

    def find(self, token_id: str) -> ApiTokenRecord | None:
        """Return the record with this id, revoked and expired ones too."""
        query = select(api_tokens).where(api_tokens.c.id == token_id)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else _from_row(row)

    def list(self) -> tuple[ApiTokenRecord, ...]:
        """Return all records, the oldest first."""
        query = select(api_tokens).order_by(api_tokens.c.created_at, api_tokens.c.id)
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings()
            return tuple(_from_row(row) for row in rows)

    def has_any(self) -> bool:
        """Tell whether a record was ever stored."""
        query = select(api_tokens.c.id).limit(1)
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def revoke(self, token_id: str, at: datetime) -> bool:
        """Revoke the API token and tell whether there is one with this id.

        One that was revoked before keeps its earlier time.
        """
        named = api_tokens.c.id == token_id
        change = (
            api_tokens.update()
            .where(named, api_tokens.c.revoked_at.is_(None))
            .values(revoked_at=at)
        )
        with self._database.transaction() as connection:
            connection.execute(change)
            known = connection.execute(select(api_tokens.c.id).where(named)).first()
        return known is not None

    def touch(self, token_id: str, at: datetime) -> None:
        """Note the use, at most once a minute for each API token."""
        last = api_tokens.c.last_used_at
        change = (
            api_tokens.update()
            .where(
                api_tokens.c.id == token_id,
                or_(last.is_(None), last <= at - TOUCH_INTERVAL),
            )
            .values(last_used_at=at)
        )
        with self._database.transaction() as connection:
            connection.execute(change)


def _to_row(record: ApiTokenRecord) -> dict[str, Any]:
    return {
        "id": record.id,
        "kind": record.kind,
        "name": record.name,
        "digest": record.digest,
        "scopes": " ".join(sorted(record.scopes)),
        "created_at": record.created_at,
        "expires_at": record.expires_at,
        "revoked_at": record.revoked_at,
        "last_used_at": record.last_used_at,
        "direct_models": record.direct_models,
    }


def _from_row(row: RowMapping) -> ApiTokenRecord:
    scopes = frozenset(Scope(scope) for scope in row["scopes"].split())
    return ApiTokenRecord(**{**row, "scopes": scopes})
