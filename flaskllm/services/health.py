"""Whether this process can do its work."""

from dataclasses import dataclass

from flaskllm.core.errors import APIError
from flaskllm.storage.database import Database


@dataclass(frozen=True, slots=True)
class Health:
    """Asks the parts that no request can do without."""

    database: Database

    def ready(self) -> bool:
        """Tell whether the database answers and its schema is up to date."""
        try:
            self.database.check()
        except APIError:
            return False
        return True
