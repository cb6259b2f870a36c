"""Why a deployment was asked, and what operators decided over its health."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the decision to usage rows, and the table of overrides."""
    decision = sa.Column(
        "decision", sa.String(300), nullable=False, server_default=sa.text("''")
    )
    op.add_column("usage", decision)
    op.create_table(
        "overrides",
        sa.Column("deployment", sa.String(400), primary_key=True),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("set_by", sa.String(32), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
    )
