"""Usage rows: one for each attempt, only ever added."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from flaskllm.storage.database import Database
from flaskllm.storage.tables import usage


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What one attempt used.

    `model` is the upstream's name; `attempt` counts from 1 within the request;
    `outcome` is `OK` or an error's code; `created_at` is aware. The five counts
    of tokens add up; `usage_source` tells who counted. `decision` says in at most
    300 characters why it was this deployment's turn.
    """

    id: str
    request_id: str
    principal_id: str
    alias: str
    deployment: str
    provider: str
    model: str
    attempt: int
    outcome: str
    latency_ms: int
    input_uncached: int
    input_cache_read: int
    input_cache_write: int
    output_text: int
    output_reasoning: int
    usage_source: str
    created_at: datetime
    decision: str = ""


_COLUMNS = tuple(field.name for field in fields(UsageRow))


class UsageRows:
    """The table of usage."""

    def __init__(self, database: Database) -> None:
        """Keep the database; nothing is opened."""
        self._database = database

    def add(self, rows: Sequence[UsageRow]) -> None:
        """Store all of these rows, or none.

        Raises:
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        with self._database.transaction() as connection:
            connection.execute(usage.insert(), list(map(_values, rows)))


def _values(row: UsageRow) -> dict[str, Any]:
    # As `asdict`, which would copy each of them at many times the cost.
    return {name: getattr(row, name) for name in _COLUMNS}
