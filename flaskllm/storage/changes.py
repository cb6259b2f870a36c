"""Counters of changes: by them a process notices what others have changed."""

from sqlalchemy import Connection, select

from flaskllm.storage.database import Database
from flaskllm.storage.tables import changes
from flaskllm.storage.upserts import insert_into

PRINCIPALS = "principals"
CACHE = "cache"


def count_change(connection: Connection, name: str = PRINCIPALS) -> None:
    """Add one to the counter, in the transaction of the change itself.

    Its row stays locked until the commit, so whoever reads the new number also sees
    what was changed.
    """
    insert = insert_into(connection, changes).values(name=name, value=1)
    more = {"value": changes.c.value + 1}
    connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_=more))


class Changes:
    """One of the counters, for those who only read it."""

    def __init__(self, database: Database, name: str = PRINCIPALS) -> None:
        """Keep the database; nothing is opened."""
        self._database = database
        self._query = select(changes.c.value).where(changes.c.name == name)

    def announce(self) -> None:
        """Do nothing: who reads the database sees the change itself."""

    def read(self) -> int:
        """Return how many changes were committed so far; 0 before the first.

        Raises:
            ServiceUnavailable: The database cannot be read; a retry may help.
        """
        with self._database.reading() as connection:
            return connection.execute(self._query).scalar() or 0
