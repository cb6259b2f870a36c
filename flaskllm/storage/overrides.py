"""What operators decided over deployments, for all processes of one database."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import or_, select

from flaskllm.storage.database import Database
from flaskllm.storage.tables import overrides

OverrideState = Literal["open", "closed"]
"""`open` keeps requests away from a deployment, `closed` lets them all through."""


@dataclass(frozen=True, slots=True)
class Override:
    """One decision. Both times are aware; `expires_at` None lasts until removed.

    `set_by` is the id of the principal who decided.
    """

    deployment: str
    state: OverrideState
    expires_at: datetime | None
    set_by: str
    set_at: datetime


class OverrideRows:
    """The table of overrides: one at most for each deployment."""

    def __init__(self, database: Database) -> None:
        """Keep the database; nothing is opened."""
        self._database = database

    def put(self, override: Override) -> None:
        """Store it in the place of the one before, and remove what has expired.

        Raises:
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        replaced = overrides.c.deployment == override.deployment
        expired = overrides.c.expires_at <= override.set_at
        with self._database.transaction() as connection:
            connection.execute(overrides.delete().where(or_(replaced, expired)))
            connection.execute(overrides.insert().values(asdict(override)))

    def remove(self, deployment: str) -> bool:
        """Remove the deployment's row, and tell whether there was one.

        Raises:
            ServiceUnavailable: Nothing was removed; a retry may help.
        """
        statement = overrides.delete().where(overrides.c.deployment == deployment)
        with self._database.transaction() as connection:
            return connection.execute(statement).rowcount > 0

    def list(self) -> tuple[Override, ...]:
        """Return all rows by the deployment's name; some may have expired.

        Raises:
            ServiceUnavailable: The database cannot be read; a retry may help.
        """
        query = select(overrides).order_by(overrides.c.deployment)
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings()
            return tuple(Override(**row) for row in rows)
