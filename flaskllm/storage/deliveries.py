"""Deliveries: messages to endpoints, each attempt a workflow of its own."""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, select

from flaskllm.core.clock import Clock
from flaskllm.storage import endpoints
from flaskllm.storage.database import Database
from flaskllm.storage.delivery_changes import New, Sending, Settled, Situation
from flaskllm.storage.job_rows import DeliveryAttempt, DeliveryRow
from flaskllm.storage.moments import moment
from flaskllm.storage.tables import deliveries, delivery_attempts
from flaskllm.storage.workflows import Workflows


class DeliveryRows:
    """The tables of deliveries and their attempts."""

    def __init__(self, database: Database, workflows: Workflows, clock: Clock) -> None:
        """Keep the collaborators; nothing is opened."""
        self._database = database
        self._workflows = workflows
        self._clock = clock

    def add(self, plan: Callable[[datetime], New]) -> New:
        """Store what is planned for this moment and start it, all or nothing.

        Raises:
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        self._workflows.prepare()
        with self._database.transaction(durable=True) as connection:
            return self._put(connection, plan)

    def add_alone(
        self, endpoint_id: str, event: str, plan: Callable[[datetime], New]
    ) -> New | None:
        """Store and start what is planned, all or nothing, as `add` does.

        None is returned, and nothing was stored, where a delivery of this event to
        this endpoint is pending; of two that ask at once one finds the other's.

        Raises:
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        self._workflows.prepare()
        with self._database.transaction(durable=True) as connection:
            endpoints.locked(connection, endpoint_id)
            if _is_pending(connection, endpoint_id, event):
                return None
            return self._put(connection, plan)

    def sending(self, delivery_id: str) -> Sending | None:
        """Return a delivery and its endpoint; None where there is none any more."""
        with self._database.reading() as connection:
            delivery = _one(connection, deliveries.c.id == delivery_id)
            if delivery is None:
                return None
            endpoint = endpoints.of_id(connection, delivery.endpoint_id)
            return Sending(delivery, endpoint, moment(connection, self._clock))

    def cancel(self, delivery_id: str, at: datetime) -> bool:
        """Cancel a delivery unless it has ended; tell whether it was.

        Raises:
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        waits = (deliveries.c.id == delivery_id, deliveries.c.state == "pending")
        values = {"state": "cancelled", "next_at": None, "finished_at": at}
        with self._database.transaction() as connection:
            changed = connection.execute(
                deliveries.update().where(*waits).values(values)
            )
            return changed.rowcount > 0

    def settle(
        self,
        delivery: DeliveryRow,
        attempt: DeliveryAttempt,
        decide: Callable[[Situation], Settled],
    ) -> Settled | None:
        """Write an attempt and what `decide` makes of it, all or nothing.

        None is returned, and nothing was written, when somebody else has settled
        this attempt, or the delivery has ended or is gone.

        Raises:
            ServiceUnavailable: Nothing was written; a retry may help.
        """
        self._workflows.prepare()
        with self._database.transaction() as connection:
            # First the endpoint, see `endpoints.locked`.
            endpoint = endpoints.locked(connection, delivery.endpoint_id)
            counted = _count_attempt(connection, attempt)
            if counted is None:
                return None
            connection.execute(delivery_attempts.insert().values(asdict(attempt)))
            settled = decide(
                Situation(
                    Sending(counted, endpoint, attempt.at),
                    _first_at(connection, attempt),
                    endpoints.listeners_of(connection, counted.principal_id),
                )
            )
            _write(connection, settled.delivery)
            if settled.change is not None and endpoint is not None:
                endpoints.apply(connection, endpoint, settled.change, attempt.at)
            insert(connection, settled.told)
            self._workflows.start(connection, *settled.starts)
        return settled

    def again(
        self,
        delivery_id: str,
        principal_id: str,
        decide: Callable[[Sending], Settled],
    ) -> Settled | None:
        """Write what `decide` makes of an own delivery; None where there is none.

        Raises:
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        self._workflows.prepare()
        own = and_(
            deliveries.c.id == delivery_id, deliveries.c.principal_id == principal_id
        )
        with self._database.transaction(durable=True) as connection:
            found = _one(connection, own)
            if found is None:
                return None
            endpoint = endpoints.locked(connection, found.endpoint_id)
            delivery = _one(connection, own, is_locked=True)
            if delivery is None:
                return None
            now = moment(connection, self._clock)
            settled = decide(Sending(delivery, endpoint, now))
            _write(connection, settled.delivery)
            self._workflows.start(connection, *settled.starts)
        return settled

    def remove_expired(self, most: int) -> int:
        """Remove at most so many that have expired; return how many.

        Their attempts and their workflows go with them.

        Raises:
            ServiceUnavailable: Some may be without workflows; a retry removes them.
        """
        with self._database.reading() as connection:
            is_over = deliveries.c.expires_at <= moment(connection, self._clock)
            query = select(deliveries.c.id).where(is_over).limit(most)
            ids = tuple(connection.execute(query).scalars())
        if not ids:
            return 0
        self._workflows.prepare()
        # Before the rows, which are what tells that they are to be removed.
        self._workflows.delete(ids)
        of_these = delivery_attempts.c.delivery_id.in_(ids)
        with self._database.transaction() as connection:
            connection.execute(delivery_attempts.delete().where(of_these))
            connection.execute(deliveries.delete().where(deliveries.c.id.in_(ids)))
        return len(ids)

    def _put(self, connection: Connection, plan: Callable[[datetime], New]) -> New:
        planned = plan(moment(connection, self._clock))
        insert(connection, planned.deliveries)
        self._workflows.start(connection, *planned.starts)
        return planned


def _is_pending(connection: Connection, endpoint_id: str, event: str) -> bool:
    waiting = (
        deliveries.c.endpoint_id == endpoint_id,
        deliveries.c.event == event,
        deliveries.c.state == "pending",
    )
    query = select(deliveries.c.id).where(*waiting).limit(1)
    return connection.execute(query).first() is not None


def insert(connection: Connection, rows: Iterable[DeliveryRow]) -> None:
    """Store new deliveries in the open transaction."""
    values = [asdict(row) for row in rows]
    if values:
        connection.execute(deliveries.insert(), values)


def _count_attempt(
    connection: Connection, attempt: DeliveryAttempt
) -> DeliveryRow | None:
    """Count an attempt that is the next one, and return the row then, locked."""
    named = deliveries.c.id == attempt.delivery_id
    is_next = (
        named,
        deliveries.c.state == "pending",
        deliveries.c.attempts == attempt.number - 1,
    )
    counted = connection.execute(
        deliveries.update().where(*is_next).values(attempts=attempt.number)
    )
    return _one(connection, named) if counted.rowcount else None


def _first_at(connection: Connection, attempt: DeliveryAttempt) -> datetime:
    query = select(delivery_attempts.c.at).where(
        delivery_attempts.c.delivery_id == attempt.delivery_id,
        delivery_attempts.c.number == 1,
    )
    at: datetime = connection.execute(query).scalar_one()
    return at


def _write(connection: Connection, row: DeliveryRow) -> None:
    values = {
        "state": row.state,
        "next_at": row.next_at,
        "finished_at": row.finished_at,
    }
    connection.execute(
        deliveries.update().where(deliveries.c.id == row.id).values(values)
    )


def _one(
    connection: Connection, wanted: ColumnElement[bool], *, is_locked: bool = False
) -> DeliveryRow | None:
    query = select(deliveries).where(wanted)
    if is_locked:
        query = query.with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else DeliveryRow(**row)
