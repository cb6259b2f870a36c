"""The log of deliveries: what was sent, when, and what came of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from flaskllm.core.paging import Place
from flaskllm.storage.database import Database
from flaskllm.storage.job_rows import DeliveryAttempt, DeliveryState
from flaskllm.storage.tables import deliveries, delivery_attempts, jobs


@dataclass(frozen=True, slots=True)
class LoggedDelivery:
    """A delivery without its body, and all its attempts in order."""

    id: str
    endpoint_id: str
    job_id: str | None
    event: str
    state: DeliveryState
    created_at: datetime
    next_at: datetime | None
    finished_at: datetime | None
    target: bytes | None = field(repr=False)
    attempts: tuple[DeliveryAttempt, ...] = ()


_LOGGED = (
    deliveries.c.id,
    deliveries.c.endpoint_id,
    deliveries.c.job_id,
    deliveries.c.event,
    deliveries.c.state,
    deliveries.c.created_at,
    deliveries.c.next_at,
    deliveries.c.finished_at,
    deliveries.c.target,
)


class DeliveryLog:
    """Reads the tables of deliveries. Nobody finds what is another principal's."""

    def __init__(self, database: Database) -> None:
        """Keep the database; nothing is opened."""
        self._database = database

    def of_job(
        self, job_id: str, principal_id: str
    ) -> tuple[LoggedDelivery, ...] | None:
        """Return what was sent of a job, oldest first; None for no such own job."""
        own = (jobs.c.id == job_id, jobs.c.principal_id == principal_id)
        with self._database.reading() as connection:
            if connection.execute(select(jobs.c.id).where(*own)).first() is None:
                return None
            return _logged(connection, (deliveries.c.job_id == job_id,), None)

    def of_endpoint(
        self,
        endpoint_id: str,
        principal_id: str,
        most: int,
        after: Place | None = None,
    ) -> tuple[LoggedDelivery, ...]:
        """Return at most so many behind this place, the latest first."""
        c = deliveries.c
        wanted = [c.endpoint_id == endpoint_id, c.principal_id == principal_id]
        if after is not None:
            older = and_(c.created_at == after.at, c.id < after.row_id)
            wanted.append(or_(c.created_at < after.at, older))
        with self._database.reading() as connection:
            return _logged(connection, wanted, most)

    def find(self, delivery_id: str, principal_id: str) -> LoggedDelivery | None:
        """Return one delivery of this principal."""
        c = deliveries.c
        wanted = (c.id == delivery_id, c.principal_id == principal_id)
        with self._database.reading() as connection:
            return next(iter(_logged(connection, wanted, 1)), None)


def _logged(
    connection: Connection, wanted: Iterable[ColumnElement[bool]], most: int | None
) -> tuple[LoggedDelivery, ...]:
    """Return at most so many, the latest first; all of them, the oldest first."""
    c = deliveries.c
    query = select(*_LOGGED).where(*wanted)
    if most is None:
        query = query.order_by(c.created_at, c.id)
    else:
        query = query.order_by(c.created_at.desc(), c.id.desc()).limit(most)
    found = [LoggedDelivery(*row) for row in connection.execute(query)]
    attempts = _attempts(connection, [each.id for each in found])
    return tuple(
        replace(each, attempts=tuple(attempts.get(each.id, ()))) for each in found
    )


def _attempts(
    connection: Connection, ids: Sequence[str]
) -> dict[str, list[DeliveryAttempt]]:
    query = (
        select(delivery_attempts)
        .where(delivery_attempts.c.delivery_id.in_(ids))
        .order_by(delivery_attempts.c.delivery_id, delivery_attempts.c.number)
    )
    by_delivery: dict[str, list[DeliveryAttempt]] = {}
    for row in connection.execute(query).mappings():
        attempt = DeliveryAttempt(**row)
        by_delivery.setdefault(attempt.delivery_id, []).append(attempt)
    return by_delivery
