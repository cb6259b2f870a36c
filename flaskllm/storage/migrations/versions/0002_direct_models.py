"""API tokens that may name `provider/model`."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the flag; no API token has it yet."""
    op.add_column(
        "api_tokens",
        sa.Column(
            "direct_models", sa.Boolean, nullable=False, server_default=sa.false()
        ),
    )
