"""What operators decided over deployments, for all processes of one database."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import or_, select

from flaskllm.core.auth import Actor
from flaskllm.storage import audit
from flaskllm.storage.database import Database
from flaskllm.storage.tables import overrides
from flaskllm.storage.upserts import insert_into

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

    def put(self, override: Override, actor: Actor) -> None:
        """Store it in the place of the one before, and remove what has expired.

        Its audit row is `override.set`.

        Raises:
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        replaced = overrides.c.deployment == override.deployment
        expired = overrides.c.expires_at <= override.set_at
        with self._database.transaction() as connection:
            connection.execute(overrides.delete().where(or_(replaced, expired)))
            # Somebody else may put one at the same moment: the later one stands.
            values = asdict(override)
            insert = insert_into(connection, overrides).values(values)
            connection.execute(
                insert.on_conflict_do_update(index_elements=["deployment"], set_=values)
            )
            audit.record(
                connection,
                actor,
                "override.set",
                override.deployment,
                override.set_at,
                _described(override),
            )

    def remove(self, deployment: str, actor: Actor, at: datetime) -> bool:
        """Remove the deployment's row, and tell whether there was one.

        Only then there is an audit row, `override.remove`.

        Raises:
            ServiceUnavailable: Nothing was removed; a retry may help.
        """
        statement = overrides.delete().where(overrides.c.deployment == deployment)
        with self._database.transaction() as connection:
            is_removed = connection.execute(statement).rowcount > 0
            if is_removed:
                audit.record(connection, actor, "override.remove", deployment, at)
        return is_removed

    def list(self) -> tuple[Override, ...]:
        """Return all rows by the deployment's name; some may have expired.

        Raises:
            ServiceUnavailable: The database cannot be read; a retry may help.
        """
        query = select(overrides).order_by(overrides.c.deployment)
        with self._database.reading() as connection:
            rows = connection.execute(query).mappings()
            return tuple(Override(**row) for row in rows)


def _described(override: Override) -> dict[str, str | None]:
    expires_at = override.expires_at
    return {
        "state": override.state,
        "expires_at": None if expires_at is None else expires_at.isoformat(),
    }
