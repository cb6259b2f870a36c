"""The tables of durable work: what was accepted, its steps, and who is told of it."""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    text,
)

from flaskllm.storage.columns import Sealed, UtcDateTime
from flaskllm.storage.metadata import metadata

# What was accepted to be digested later: the order as JSON, sealed.
documents = Table(
    "documents",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("principal_id", String(40), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("body", Sealed("documents.body"), nullable=False),
)

# Durable work; the id is that of its first workflow too. Of a batch each item is a
# job of its own, which names the batch and its place in it.
jobs = Table(
    "jobs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("principal_id", String(40), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("batch_id", String(40)),
    Column("number", Integer),
    Column("document_id", String(40)),
    Column("state", String(20), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("source", String(40), nullable=False),
    Column("request_id", String(128), nullable=False),
    # Who sends the same event again before `repeats_until` gets this job.
    Column("event_digest", LargeBinary(32)),
    Column("repeats_until", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("deadline_at", UtcDateTime),
    Column("started_at", UtcDateTime),
    Column("finished_at", UtcDateTime),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    # How often a worker has begun it, and the one who may end it: whoever had it
    # before may not.
    Column("attempt", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("next_at", UtcDateTime),
    Column("runner", String(40)),
    # Where its end is told: an endpoint, or an address that came with the request.
    Column("endpoint_id", String(40)),
    Column("callback_url", Sealed("jobs.callback_url")),
    # JSON: the answer, or the error.
    Column("result", Sealed("jobs.result")),
    Column("error", Sealed("jobs.error")),
    Column("error_code", String(40)),
    Column("cost_nanos", BigInteger),
    Index("jobs_by_principal", "principal_id", "created_at", "id"),
    Index("jobs_by_state", "state", "principal_id", "created_at", "id"),
    Index("jobs_by_batch", "batch_id", "number"),
    Index("jobs_once", "principal_id", "event_digest", unique=True),
)

# What a job has paid for already: JSON, sealed. It is not paid again.
job_steps = Table(
    "job_steps",
    metadata,
    Column("job_id", String(40), primary_key=True),
    Column("name", String(40), primary_key=True),
    Column("outcome", Sealed("job_steps.outcome"), nullable=False),
)

# Whom a principal has told of its events, and how they are signed. One without a URL
# signs what goes to addresses that came with requests.
endpoints = Table(
    "endpoints",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("principal_id", String(40), nullable=False, index=True),
    Column("name", String(100), nullable=False),
    Column("target", Sealed("endpoints.target")),
    Column("secret", Sealed("endpoints.secret"), nullable=False),
    Column("previous_secret", Sealed("endpoints.previous_secret")),
    Column("previous_until", UtcDateTime),
    Column("events", String(400), nullable=False),
    Column("rendering", String(10), nullable=False),
    Column("state", String(10), nullable=False),
    Column("disabled_reason", String(200), nullable=False, server_default=text("''")),
    Column("failing_since", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
)

# A message and what became of it; the id is its `webhook-id` at every attempt.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("principal_id", String(40), nullable=False),
    Column("job_id", String(40), index=True),
    Column("endpoint_id", String(40), nullable=False),
    Column("event", String(40), nullable=False),
    # None where the endpoint has its own.
    Column("target", Sealed("deliveries.target")),
    Column("body", Sealed("deliveries.body"), nullable=False),
    Column("state", String(10), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_at", UtcDateTime),
    Column("created_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Index("deliveries_by_endpoint", "endpoint_id", "created_at", "id"),
)

delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    Column("delivery_id", String(40), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("status", Integer),
    # Why it failed: a word of ours, never the receiver's text.
    Column("reason", String(60), nullable=False),
    Column("latency_ms", Integer, nullable=False),
)

# Who works on jobs. `beats` grows as long as the process lives.
workers = Table(
    "workers",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("host", String(120), nullable=False),
    Column("process", String(60), nullable=False),
    Column("threads", Integer, nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("beat_at", UtcDateTime, nullable=False),
    Column("beats", BigInteger, nullable=False),
)
