"""What time it is, where hosts that share a database need not agree on it."""

from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from flaskllm.core.clock import Clock


def moment(connection: Connection, clock: Clock) -> datetime:
    """Return the time by which rows are dated and expire, aware, in UTC.

    On PostgreSQL that is the time of its server. A SQLite file has one host only,
    whose clock it is.
    """
    if connection.dialect.name != "postgresql":
        return clock.now()
    now: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return now.astimezone(UTC)
