"""Connections that are given back to an engine that was disposed of meanwhile."""

from weakref import ref

from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

_POOL = "pool"


def closing_late_returns(engine: Engine) -> Engine:
    """Return the engine, which closes what was in use while it was disposed of.

    SQLAlchemy leaves that to the collector of garbage: until then the file, or the
    server's connection, stays open.
    """

    def note(_: object, entry: ConnectionPoolEntry) -> None:
        entry.info[_POOL] = ref(engine.pool)

    def close(connection: object, entry: ConnectionPoolEntry) -> None:
        if connection is not None and entry.info[_POOL]() is not engine.pool:
            entry.close()

    event.listen(engine, "connect", note)
    event.listen(engine, "checkin", close)
    return engine
