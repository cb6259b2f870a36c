"""Endpoints: whom a principal has told of events, and how that is signed."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, select

from flaskllm.core.clock import Clock
from flaskllm.storage import audit
from flaskllm.storage.api_tokens import Noted
from flaskllm.storage.database import Database
from flaskllm.storage.job_rows import EndpointRow, EndpointState, Rendering
from flaskllm.storage.moments import moment
from flaskllm.storage.tables import deliveries, endpoints
from flaskllm.storage.upserts import insert_into

ENABLED: Final = "enabled"
DISABLED: Final = "disabled"


@dataclass(frozen=True, slots=True)
class Listener:
    """What decides whether an endpoint is told of an event; no secret is in it.

    `events` are names, separated by blanks.
    """

    id: str
    events: str
    rendering: Rendering
    state: EndpointState


@dataclass(frozen=True, slots=True)
class EndpointChange:
    """What becomes of an endpoint; `noted` None leaves no audit row."""

    row: EndpointRow
    noted: Noted | None = None


EndpointEdit = Callable[[EndpointRow, datetime], EndpointChange | None]
"""Returns what becomes of a row at this moment; None leaves it. What it raises is
raised."""


class EndpointRows:
    """The table of endpoints. Nobody finds what another principal made.

    A change and its audit row are one durable transaction.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        """Keep the collaborators; nothing is opened."""
        self._database = database
        self._clock = clock

    def add(self, row: EndpointRow, noted: Noted, most: int) -> bool:
        """Store a new row, unless its principal has `most` already; tell which.

        Raises:
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        with self._database.transaction(durable=True) as connection:
            if _count_locked(connection, row.principal_id) >= most:
                return False
            connection.execute(endpoints.insert().values(asdict(row)))
            _note(connection, row.id, noted)
        return True

    def ensure(self, row: EndpointRow, noted: Noted) -> EndpointRow:
        """Store a row unless there is one of its id; return the one that is there.

        Raises:
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        found = self.find(row.id, row.principal_id)
        if found is not None:
            return found
        with self._database.transaction(durable=True) as connection:
            if put_missing(connection, row):
                _note(connection, row.id, noted)
            return _one(connection, row.id, row.principal_id) or row

    def find(self, endpoint_id: str, principal_id: str) -> EndpointRow | None:
        """Return the endpoint that this principal made."""
        with self._database.reading() as connection:
            return _one(connection, endpoint_id, principal_id)

    def list(self, principal_id: str) -> tuple[EndpointRow, ...]:
        """Return the endpoints of this principal, the oldest first."""
        query = (
            select(endpoints)
            .where(endpoints.c.principal_id == principal_id)
            .order_by(endpoints.c.created_at, endpoints.c.id)
        )
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings()
            return tuple(EndpointRow(**row) for row in rows)

    def change(
        self, endpoint_id: str, principal_id: str, edit: EndpointEdit
    ) -> EndpointRow | None:
        """Replace a row by what `edit` makes of it; return what stands then.

        Deliveries that wait for one that was disabled by it are cancelled. None is
        returned when this principal has no such endpoint.

        Raises:
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        with self._database.transaction(durable=True) as connection:
            before = locked(connection, endpoint_id)
            if before is None or before.principal_id != principal_id:
                return None
            now = moment(connection, self._clock)
            change = edit(before, now)
            if change is None:
                return before
            apply(connection, before, change, now)
            return change.row

    def remove(self, endpoint_id: str, principal_id: str, noted: Noted) -> bool:
        """Remove a row and cancel what waits for it; tell whether there was one.

        Raises:
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        with self._database.transaction(durable=True) as connection:
            before = locked(connection, endpoint_id)
            if before is None or before.principal_id != principal_id:
                return False
            connection.execute(endpoints.delete().where(endpoints.c.id == endpoint_id))
            _cancel_waiting(connection, endpoint_id, noted.at)
            _note(connection, endpoint_id, noted)
        return True

    def note(self, endpoint_id: str, noted: Noted) -> None:
        """Write an audit row of an endpoint that is not changed.

        Raises:
            ServiceUnavailable: Nothing was written; a retry may help.
        """
        with self._database.transaction(durable=True) as connection:
            _note(connection, endpoint_id, noted)


def of_id(connection: Connection, endpoint_id: str) -> EndpointRow | None:
    """Return an endpoint, whosever it is."""
    query = select(endpoints).where(endpoints.c.id == endpoint_id)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else EndpointRow(**row)


def listeners_of(connection: Connection, principal_id: str) -> tuple[Listener, ...]:
    """Return what a principal's endpoints listen to, disabled ones too, oldest first.

    Nothing is locked and nothing that lies sealed is opened.
    """
    columns = endpoints.c
    query = (
        select(columns.id, columns.events, columns.rendering, columns.state)
        .where(columns.principal_id == principal_id)
        .order_by(columns.created_at, columns.id)
    )
    return tuple(Listener(*row) for row in connection.execute(query))


def put_missing(connection: Connection, row: EndpointRow) -> bool:
    """Insert a row unless there is one of its id; tell whether it was."""
    statement = (
        insert_into(connection, endpoints)
        .values(asdict(row))
        .on_conflict_do_nothing(index_elements=["id"])
    )
    # Of an insert PostgreSQL's driver tells it only when it is asked to.
    options = {"preserve_rowcount": True}
    return connection.execute(statement, execution_options=options).rowcount > 0


def locked(connection: Connection, endpoint_id: str) -> EndpointRow | None:
    """Return the row, which nobody else changes before the commit.

    Lock an endpoint before any of its deliveries: two transactions must not wait
    for each other.
    """
    query = select(endpoints).where(endpoints.c.id == endpoint_id).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else EndpointRow(**row)


def apply(
    connection: Connection, before: EndpointRow, change: EndpointChange, at: datetime
) -> None:
    """Write a change of a locked row, and its audit row.

    What waits for one that is disabled by it is cancelled.
    """
    old, new = asdict(before), asdict(change.row)
    values = {name: each for name, each in new.items() if each != old[name]}
    if values:
        named = endpoints.c.id == before.id
        connection.execute(endpoints.update().where(named).values(values))
    if before.state == ENABLED and change.row.state == DISABLED:
        _cancel_waiting(connection, before.id, at)
    if change.noted is not None:
        _note(connection, before.id, change.noted)


def _cancel_waiting(connection: Connection, endpoint_id: str, at: datetime) -> None:
    waiting = (deliveries.c.endpoint_id == endpoint_id, deliveries.c.state == "pending")
    # Whoever sends one of them at this moment finds it cancelled afterwards.
    connection.execute(
        deliveries.update()
        .where(*waiting)
        .values(state="cancelled", next_at=None, finished_at=at)
    )


def _count_locked(connection: Connection, principal_id: str) -> int:
    own = endpoints.c.principal_id == principal_id
    # Those who add at the same time take turns at the rows that are there; what the
    # one before has added is seen by the second query only.
    connection.execute(
        select(endpoints.c.id).where(own).order_by(endpoints.c.id).with_for_update()
    ).all()
    return connection.execute(
        select(func.count()).select_from(endpoints).where(own)
    ).scalar_one()


def _one(
    connection: Connection, endpoint_id: str, principal_id: str
) -> EndpointRow | None:
    query = select(endpoints).where(
        endpoints.c.id == endpoint_id, endpoints.c.principal_id == principal_id
    )
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else EndpointRow(**row)


def _note(connection: Connection, endpoint_id: str, noted: Noted) -> None:
    audit.record(
        connection, noted.actor, noted.action, endpoint_id, noted.at, noted.details
    )
