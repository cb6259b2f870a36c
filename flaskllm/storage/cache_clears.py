"""When the cache was cleared: on record, and for processes to notice."""

from collections.abc import Mapping
from datetime import datetime

from flaskllm.core.auth import Actor
from flaskllm.storage.audit import record
from flaskllm.storage.changes import CACHE, count_change
from flaskllm.storage.database import Database

ACTION = "cache.clear"


class CacheClears:
    """Writes down who clears what."""

    def __init__(self, database: Database) -> None:
        """Keep the database; nothing is opened."""
        self._database = database

    def add(
        self, actor: Actor, object_id: str, at: datetime, details: Mapping[str, str]
    ) -> None:
        """Put it on record, and let processes with a memory of their own notice.

        Raises:
            ServiceUnavailable: Nothing was written; a retry may help.
        """
        with self._database.transaction() as connection:
            record(connection, actor, ACTION, object_id, at, details)
            count_change(connection, CACHE)

    def announce(self) -> None:
        """Let processes with a memory of their own notice; put nothing on record.

        Raises:
            ServiceUnavailable: Nothing was written; a retry may help.
        """
        with self._database.transaction() as connection:
            count_change(connection, CACHE)
