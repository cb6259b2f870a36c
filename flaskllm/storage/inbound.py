"""Inbound endpoints that the admin API has made: who delivers, and for whom."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime

from sqlalchemy import Connection, func, select

from flaskllm.core.clock import Clock
from flaskllm.storage import audit
from flaskllm.storage.api_tokens import Noted
from flaskllm.storage.database import Database
from flaskllm.storage.moments import moment
from flaskllm.storage.tables import inbound_endpoints


@dataclass(frozen=True, slots=True)
class InboundRow:
    """An inbound endpoint. The time is aware.

    Attributes:
        principal_id: For whom the jobs are made, and who pays.
        state: `enabled` or `disabled`.
        terms: All else that was said of it, as JSON; secrets too. It lies sealed.
    """

    id: str
    principal_id: str
    name: str
    sender: str
    state: str
    created_at: datetime
    terms: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class InboundChange:
    """What becomes of a row."""

    row: InboundRow
    noted: Noted


InboundEdit = Callable[[InboundRow, datetime], InboundChange | None]
"""Returns what becomes of a row at this moment; None leaves it. What it raises is
raised."""


class InboundRows:
    """The table of inbound endpoints. A change and its audit row are one."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Keep the collaborators; nothing is opened."""
        self._database = database
        self._clock = clock

    def add(self, row: InboundRow, noted: Noted, most: int) -> bool:
        """Store a new row, unless there are `most` already; tell which.

        Raises:
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        count = select(func.count()).select_from(inbound_endpoints)
        with self._database.transaction(durable=True) as connection:
            # Of several at once one too many may come in; it is no limit of safety.
            if connection.execute(count).scalar_one() >= most:
                return False
            connection.execute(inbound_endpoints.insert().values(asdict(row)))
            _note(connection, row.id, noted)
        return True

    def find(self, endpoint_id: str) -> InboundRow | None:
        """Return a row; None where there is none.

        Raises:
            ServiceUnavailable: It cannot be read, or not be unsealed.
        """
        query = select(inbound_endpoints).where(inbound_endpoints.c.id == endpoint_id)
        with self._database.reading() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else InboundRow(**row)

    def list(self) -> tuple[InboundRow, ...]:
        """Return all rows, the oldest first.

        Raises:
            ServiceUnavailable: As `find`.
        """
        columns = inbound_endpoints.c
        query = select(inbound_endpoints).order_by(columns.created_at, columns.id)
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings().all()
        return tuple(InboundRow(**row) for row in rows)

    def change(self, endpoint_id: str, edit: InboundEdit) -> InboundRow | None:
        """Replace a row by what `edit` makes of it; return what stands then.

        None is returned where there is none.

        Raises:
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        table = inbound_endpoints
        with self._database.transaction(durable=True) as connection:
            before = _locked(connection, endpoint_id)
            if before is None:
                return None
            change = edit(before, moment(connection, self._clock))
            if change is None:
                return before
            named = table.update().where(table.c.id == endpoint_id)
            connection.execute(named.values(asdict(change.row)))
            _note(connection, endpoint_id, change.noted)
            return change.row

    def remove(self, endpoint_id: str, noted: Noted) -> bool:
        """Remove a row; tell whether there was one.

        Raises:
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        named = inbound_endpoints.c.id == endpoint_id
        with self._database.transaction(durable=True) as connection:
            removed = connection.execute(inbound_endpoints.delete().where(named))
            if not removed.rowcount:
                return False
            _note(connection, endpoint_id, noted)
        return True


def _locked(connection: Connection, endpoint_id: str) -> InboundRow | None:
    query = select(inbound_endpoints).where(inbound_endpoints.c.id == endpoint_id)
    row = connection.execute(query.with_for_update()).mappings().one_or_none()
    return None if row is None else InboundRow(**row)


def _note(connection: Connection, endpoint_id: str, noted: Noted) -> None:
    audit.record(
        connection, noted.actor, noted.action, endpoint_id, noted.at, noted.details
    )
