"""The time that all processes of one database see alike."""

from sqlalchemy import Connection, text

from flaskllm.core.clock import Clock

_OF_POSTGRES = text("SELECT extract(epoch FROM clock_timestamp())")


def store_time(connection: Connection, clock: Clock) -> float:
    """Return seconds since 1970: a server's own, at this moment of the transaction.

    Who shares a file shares a machine, so there it is the machine's clock.
    """
    if connection.dialect.name == "postgresql":
        return float(connection.execute(_OF_POSTGRES).scalar_one())
    return clock.now().timestamp()
