"""By what old entries of the ledger are found."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the index. Of each attempt only the first entry is in it."""
    is_first = sa.text("entry = 'reserve'")
    op.create_index(
        "ledger_by_time",
        "ledger",
        ["at"],
        sqlite_where=is_first,
        postgresql_where=is_first,
    )
