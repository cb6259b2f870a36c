"""How the tests of the database write rows, read them, and ask for a pragma."""

from sqlalchemy import select, text

from flaskllm.storage.tables import usage
from flaskllm.storage.usage import UsageRow

INSERT = text(
    "INSERT INTO api_tokens (id, kind, name, digest, scopes, created_at) "
    "VALUES (:id, 'api', 'n', '0', 'chat', '2030-01-01 00:00:00.000000')"
)
COUNT = text("SELECT count(*) FROM api_tokens")


def count(database):
    """Return how many rows are stored."""
    with database.reading() as connection:
        return connection.execute(COUNT).scalar_one()


def pragma(database, name):
    """Return what a connection of the database says of this pragma."""
    with database.reading() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


def usage_of(database, request_id):
    """Return the usage rows of one request, in the order of its attempts."""
    query = select(usage).where(usage.c.request_id == request_id)
    with database.reading() as connection:
        rows = connection.execute(query.order_by(usage.c.attempt)).mappings()
        return tuple(UsageRow(**row) for row in rows)
