"""Cached answers, and who is asking for them now."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table, and what answers of the cache saved."""
    op.create_table(
        "cache",
        sa.Column("key", sa.String(250), primary_key=True),
        sa.Column("owner", sa.String(40), nullable=False, index=True),
        sa.Column("holder", sa.String(40)),
        sa.Column("size", sa.Integer, nullable=False),
        sa.Column("stored_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
        sa.Column("value", sa.LargeBinary),
    )
    op.create_index("ix_cache_stored_at", "cache", ["stored_at", "size"])
    saved = sa.Column(
        "saved_nanos", sa.BigInteger, nullable=False, server_default=sa.text("0")
    )
    op.add_column("usage", saved)
