"""The end of an engine some of whose connections may be in use."""

from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry


def retire(engine: Engine) -> None:
    """Dispose of an engine; what is in use is closed when it is given back.

    SQLAlchemy leaves that to the collector of garbage: until then the file, or the
    server's connection, stays open.
    """
    event.listen(engine, "checkin", _close)
    engine.dispose()


def _close(connection: object | None, entry: ConnectionPoolEntry) -> None:
    if connection is not None:  # it is, unless it broke
        entry.close()
