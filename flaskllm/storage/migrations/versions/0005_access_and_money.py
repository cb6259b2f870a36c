"""Access and money: grants, audit, ledger, budgets, counters, idempotency, leases."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_EMPTY = sa.text("''")


def upgrade() -> None:
    """Widen API tokens and usage, and add what access and money are kept in."""
    _widen()
    _add_access()
    _add_ledger()
    _add_budgets()
    _add_idempotency()
    _add_duties()


def _widen() -> None:
    wider: dict[str, tuple[sa.Column[Any], ...]] = {
        "api_tokens": (
            sa.Column("previous_digest", sa.LargeBinary(32)),
            sa.Column("previous_until", _moment()),
            sa.Column("aliases", sa.Text),
            sa.Column("networks", sa.Text),
            sa.Column("requests_per_minute", sa.Integer),
            sa.Column("tokens_per_minute", sa.Integer),
            sa.Column("concurrent_requests", sa.Integer),
            sa.Column("owner", sa.String(100), nullable=False, server_default=_EMPTY),
            sa.Column("tags", sa.String(1000), nullable=False, server_default=_EMPTY),
            sa.Column(
                "created_by", sa.String(40), nullable=False, server_default=_EMPTY
            ),
        ),
        "usage": (
            sa.Column("source", sa.String(40), nullable=False, server_default=_EMPTY),
            sa.Column("tags", sa.String(1000), nullable=False, server_default=_EMPTY),
            sa.Column("cost_nanos", sa.BigInteger),
            sa.Column(
                "is_estimated", sa.Boolean, nullable=False, server_default=sa.false()
            ),
            sa.Column("price", sa.Text, nullable=False, server_default=_EMPTY),
        ),
    }
    for table, columns in wider.items():
        for column in columns:
            op.add_column(table, column)
    op.create_index("usage_by_time", "usage", ["created_at", "id"])
    op.create_index("usage_by_principal", "usage", ["principal_id", "created_at", "id"])
    op.create_index(
        "usage_by_request", "usage", ["principal_id", "request_id", "created_at", "id"]
    )


def _add_access() -> None:
    op.create_table(
        "changes",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("at", _moment(), nullable=False, index=True),
        sa.Column("principal_id", sa.String(60), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("object_id", sa.String(400), nullable=False),
        sa.Column("details", sa.Text, nullable=False),
        sa.Column("peer", sa.String(64), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
    )


def _add_ledger() -> None:
    op.create_table(
        "ledger",
        sa.Column("attempt_id", sa.String(40), primary_key=True),
        sa.Column("entry", sa.String(10), primary_key=True),
        sa.Column("principal_id", sa.String(40), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("nanos", sa.BigInteger),
        sa.Column("is_estimated", sa.Boolean, nullable=False),
        sa.Column("at", _moment(), nullable=False),
    )
    op.create_table(
        "reservations",
        sa.Column("attempt_id", sa.String(40), primary_key=True),
        sa.Column("principal_id", sa.String(40), nullable=False, index=True),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("subjects", sa.Text, nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("reserved_nanos", sa.BigInteger, nullable=False),
        sa.Column("expected_nanos", sa.BigInteger),
        sa.Column("created_at", _moment(), nullable=False),
        sa.Column("expires_at", _moment(), nullable=False, index=True),
        sa.Column("described", sa.Text, nullable=False),
    )
    op.create_table(
        "spending",
        sa.Column("subject", sa.String(60), primary_key=True),
        sa.Column("day", sa.String(10), primary_key=True),
        sa.Column("reserved_nanos", sa.BigInteger, nullable=False),
        sa.Column("settled_nanos", sa.BigInteger, nullable=False),
    )


def _add_budgets() -> None:
    op.create_table(
        "budgets",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("subject", sa.String(60), nullable=False),
        sa.Column("period", sa.String(5), nullable=False),
        sa.Column("kind", sa.String(4), nullable=False),
        sa.Column("limit_nanos", sa.BigInteger, nullable=False),
        sa.Column("on_exhausted", sa.String(200)),
        sa.Column("created_at", _moment(), nullable=False),
        sa.Column("created_by", sa.String(60), nullable=False),
        sa.Index("budgets_once", "subject", "period", "kind", unique=True),
    )
    op.create_table(
        "budget_notices",
        sa.Column("budget_id", sa.String(40), primary_key=True),
        sa.Column("period_start", sa.String(10), primary_key=True),
        sa.Column("at", _moment(), nullable=False),
    )
    op.create_table(
        "counters",
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("present", sa.BigInteger, nullable=False),
        sa.Column("previous", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger, nullable=False, index=True),
    )


def _add_idempotency() -> None:
    op.create_table(
        "idempotency",
        sa.Column("principal_id", sa.String(40), primary_key=True),
        sa.Column("key_digest", sa.LargeBinary(32), primary_key=True),
        sa.Column("fingerprint", sa.LargeBinary(32), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("owner", sa.String(40), nullable=False),
        sa.Column("lease_until", _moment(), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("created_at", _moment(), nullable=False),
        sa.Column("expires_at", _moment(), nullable=False, index=True),
        sa.Column("status", sa.Integer),
        sa.Column("headers", sa.Text),
        sa.Column("body", sa.LargeBinary),
    )


def _add_duties() -> None:
    op.create_table(
        "leases",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.Column("until", _moment(), nullable=False),
        sa.Column("done_at", _moment()),
    )
    op.create_table(
        "marks",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )


def _moment() -> sa.DateTime:
    return sa.DateTime(timezone=True)
