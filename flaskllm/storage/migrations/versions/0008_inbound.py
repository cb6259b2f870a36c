"""What comes in: inbound endpoints, and the state of jobs that name a remedy."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the endpoints of senders, and room for `needs_fetch`."""
    op.create_table(
        "inbound_endpoints",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("principal_id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("sender", sa.String(20), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("terms", sa.LargeBinary, nullable=False),
    )
    # SQLite writes the whole table anew for it, in the same transaction.
    with op.batch_alter_table("jobs") as jobs:
        jobs.alter_column(
            "state",
            type_=sa.String(20),
            existing_type=sa.String(10),
            existing_nullable=False,
        )
