"""Durable work: documents, jobs, endpoints, deliveries, workers."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the tables of durable work."""
    _add_documents()
    _add_jobs()
    _add_endpoints()
    _add_deliveries()
    op.create_table(
        "workers",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("host", sa.String(120), nullable=False),
        sa.Column("process", sa.String(60), nullable=False),
        sa.Column("threads", sa.Integer, nullable=False),
        _moment("started_at", nullable=False),
        _moment("beat_at", nullable=False),
        sa.Column("beats", sa.BigInteger, nullable=False),
    )


def _add_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("principal_id", sa.String(40), nullable=False),
        _moment("created_at", nullable=False),
        _moment("expires_at", nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "job_steps",
        sa.Column("job_id", sa.String(40), primary_key=True),
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("outcome", sa.LargeBinary, nullable=False),
    )


def _add_jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("principal_id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(10), nullable=False),
        sa.Column("batch_id", sa.String(40)),
        sa.Column("number", sa.Integer),
        sa.Column("document_id", sa.String(40)),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("request_id", sa.String(128), nullable=False),
        sa.Column("event_digest", sa.LargeBinary(32)),
        _moment("repeats_until"),
        _moment("created_at", nullable=False),
        _moment("deadline_at"),
        _moment("started_at"),
        _moment("finished_at"),
        _moment("expires_at", nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        _moment("next_at"),
        sa.Column("runner", sa.String(40)),
        sa.Column("endpoint_id", sa.String(40)),
        sa.Column("callback_url", sa.LargeBinary),
        sa.Column("result", sa.LargeBinary),
        sa.Column("error", sa.LargeBinary),
        sa.Column("error_code", sa.String(40)),
        sa.Column("cost_nanos", sa.BigInteger),
    )
    op.create_index("ix_jobs_expires_at", "jobs", ["expires_at"])
    op.create_index("jobs_by_principal", "jobs", ["principal_id", "created_at", "id"])
    op.create_index(
        "jobs_by_state", "jobs", ["state", "principal_id", "created_at", "id"]
    )
    op.create_index("jobs_by_batch", "jobs", ["batch_id", "number"])
    op.create_index("jobs_once", "jobs", ["principal_id", "event_digest"], unique=True)


def _add_endpoints() -> None:
    op.create_table(
        "endpoints",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("principal_id", sa.String(40), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("target", sa.LargeBinary),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("previous_secret", sa.LargeBinary),
        _moment("previous_until"),
        sa.Column("events", sa.String(400), nullable=False),
        sa.Column("rendering", sa.String(10), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column(
            "disabled_reason",
            sa.String(200),
            nullable=False,
            server_default=sa.text("''"),
        ),
        _moment("failing_since"),
        _moment("created_at", nullable=False),
    )
    op.create_index("ix_endpoints_principal_id", "endpoints", ["principal_id"])


def _add_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("principal_id", sa.String(40), nullable=False),
        sa.Column("job_id", sa.String(40)),
        sa.Column("endpoint_id", sa.String(40), nullable=False),
        sa.Column("event", sa.String(40), nullable=False),
        sa.Column("target", sa.LargeBinary),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        _moment("next_at"),
        _moment("created_at", nullable=False),
        _moment("finished_at"),
        _moment("expires_at", nullable=False),
    )
    op.create_index("ix_deliveries_job_id", "deliveries", ["job_id"])
    op.create_index("ix_deliveries_expires_at", "deliveries", ["expires_at"])
    op.create_index(
        "deliveries_by_endpoint", "deliveries", ["endpoint_id", "created_at", "id"]
    )
    op.create_table(
        "delivery_attempts",
        sa.Column("delivery_id", sa.String(40), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        _moment("at", nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("reason", sa.String(60), nullable=False),
        sa.Column("latency_ms", sa.Integer, nullable=False),
    )


def _moment(name: str, **options: Any) -> sa.Column[Any]:
    return sa.Column(name, sa.DateTime(timezone=True), **options)
