"""How much is kept, and until when: for whoever looks after the disk."""

from collections.abc import Mapping
from dataclasses import dataclass

from flaskllm.storage.database import Database
from flaskllm.storage.measures import Size, TableSize, measure

__all__ = ["Size", "Sizes", "TableSize", "Told"]


@dataclass(frozen=True, slots=True)
class Told:
    """How large all of it is, and what keeps which table how long.

    `kept` are texts such as `400 days (retention.usage_days)`, by tables.
    """

    size: Size
    kept: Mapping[str, str]


class Sizes:
    """The use case of `flaskllm db stats`."""

    def __init__(self, database: Database, kept: Mapping[str, str]) -> None:
        """Keep the database, and what the settings say; nothing is opened."""
        self._database = database
        self._kept = kept

    def tell(self) -> Told:
        """Return how large the database is.

        Raises:
            ServiceUnavailable: It cannot be read.
        """
        return Told(measure(self._database), self._kept)
