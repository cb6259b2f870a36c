"""Audit rows: who changed what, when, from where. Only ever added."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from flaskllm.core.auth import Actor
from flaskllm.core.ids import new_id
from flaskllm.core.paging import Place
from flaskllm.storage.database import Database
from flaskllm.storage.tables import audit


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One change. `details` is JSON of the fields that changed, never a secret."""

    id: str
    at: datetime
    principal_id: str
    action: str
    object_id: str
    details: str
    peer: str
    request_id: str


@dataclass(frozen=True, slots=True)
class WantedRows:
    """Which rows; an empty text wants them all. `action` is how they begin."""

    action: str = ""
    object_id: str = ""
    principal_id: str = ""


def record(
    connection: Connection,
    actor: Actor,
    action: str,
    object_id: str,
    at: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add a row in the transaction of the change itself: both hold, or neither.

    `action` is such as `token.create`; `details` is plain JSON without a secret.
    """
    row = AuditRow(
        id=new_id("aud"),
        at=at,
        principal_id=actor.principal_id,
        action=action,
        object_id=object_id[:400],
        details=json.dumps(details or {}),
        peer=actor.peer[:64],
        request_id=actor.request_id,
    )
    connection.execute(audit.insert().values(asdict(row)))


class AuditRows:
    """The table of audit rows."""

    def __init__(self, database: Database) -> None:
        """Keep the database; nothing is opened."""
        self._database = database

    def add(
        self,
        actor: Actor,
        action: str,
        object_id: str,
        at: datetime,
        details: Mapping[str, Any] | None = None,
    ) -> None:
        """Add a row that belongs to no other change, see `record`.

        Raises:
            ServiceUnavailable: It could not be written; a retry may help.
        """
        with self._database.transaction() as connection:
            record(connection, actor, action, object_id, at, details)

    def page(
        self, most: int, wanted: WantedRows | None = None, after: Place | None = None
    ) -> tuple[AuditRow, ...]:
        """Return at most so many rows behind this place, the latest first."""
        query = select(audit).order_by(audit.c.at.desc(), audit.c.id.desc())
        query = query.where(*_conditions(wanted or WantedRows()))
        if after is not None:
            older = and_(audit.c.at == after.at, audit.c.id < after.row_id)
            query = query.where(or_(audit.c.at < after.at, older))
        with self._database.reading() as connection:
            rows = connection.execute(query.limit(most)).mappings()
            return tuple(AuditRow(**row) for row in rows)


def _conditions(wanted: WantedRows) -> Iterator[ColumnElement[bool]]:
    if wanted.action:
        # Escaped: an underscore stands for itself.
        yield audit.c.action.startswith(wanted.action, autoescape=True)
    if wanted.object_id:
        yield audit.c.object_id == wanted.object_id
    if wanted.principal_id:
        yield audit.c.principal_id == wanted.principal_id
