"""What Alembic runs: the revisions, inside the caller's open transaction."""

from alembic import context
from sqlalchemy import Connection

from flaskllm.storage.tables import metadata


def migrate(connection: Connection) -> None:
    """Apply the wanted revisions on a connection whose transaction is open.

    Either all of them hold afterwards or none: the caller commits.
    """
    context.configure(
        connection=connection,
        target_metadata=metadata,
        render_as_batch=True,
        transactional_ddl=True,
    )
    context.run_migrations()


migrate(context.config.attributes["connection"])
