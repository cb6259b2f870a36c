"""The tables, as SQLAlchemy Core knows them. Rows leave `storage` as dataclasses."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    false,
    text,
    true,
)

from flaskllm.storage.cache_tables import cache
from flaskllm.storage.columns import Sealed, UtcDateTime
from flaskllm.storage.inbound_tables import inbound_endpoints
from flaskllm.storage.job_tables import (
    deliveries,
    delivery_attempts,
    documents,
    endpoints,
    job_steps,
    jobs,
    workers,
)
from flaskllm.storage.metadata import metadata
from flaskllm.storage.rollup_tables import (
    latency_quarters,
    latency_spans,
    usage_keys,
    usage_quarters,
    usage_spans,
    usage_zones,
)
from flaskllm.storage.routing_tables import routing_findings, upstream_counts
from flaskllm.storage.thread_tables import digest_threads

__all__ = [
    "api_tokens",
    "audit",
    "budget_notices",
    "budgets",
    "cache",
    "changes",
    "counters",
    "deliveries",
    "delivery_attempts",
    "digest_threads",
    "documents",
    "endpoints",
    "idempotency",
    "inbound_endpoints",
    "job_steps",
    "jobs",
    "latency_quarters",
    "latency_spans",
    "leases",
    "ledger",
    "marks",
    "metadata",
    "overrides",
    "reservations",
    "responses",
    "routing_findings",
    "spending",
    "upstream_counts",
    "usage",
    "usage_keys",
    "usage_quarters",
    "usage_spans",
    "usage_zones",
    "workers",
]

api_tokens = Table(
    "api_tokens",
    metadata,
    Column("id", String(12), primary_key=True),
    Column("kind", String(12), nullable=False),
    Column("name", String(100), nullable=False),
    Column("digest", LargeBinary(32), nullable=False),
    Column("scopes", String(200), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
    Column("last_used_at", UtcDateTime),
    Column("direct_models", Boolean, nullable=False, server_default=false()),
    # While both hold, the secret before the last roll is good too.
    Column("previous_digest", LargeBinary(32)),
    Column("previous_until", UtcDateTime),
    # JSON lists; none at all means every alias, every address.
    Column("aliases", Text),
    Column("networks", Text),
    Column("requests_per_minute", Integer),
    Column("tokens_per_minute", Integer),
    Column("concurrent_requests", Integer),
    Column("owner", String(100), nullable=False, server_default=text("''")),
    Column("tags", String(1000), nullable=False, server_default=text("''")),
    Column("created_by", String(40), nullable=False, server_default=text("''")),
)

# What changed since a process last looked: a number that only grows.
changes = Table(
    "changes",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("principal_id", String(60), nullable=False),
    Column("action", String(40), nullable=False),
    Column("object_id", String(400), nullable=False),
    # JSON: the fields that changed, never a secret.
    Column("details", Text, nullable=False),
    Column("peer", String(64), nullable=False),
    Column("request_id", String(128), nullable=False),
)

usage = Table(
    "usage",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("request_id", String(128), nullable=False, index=True),
    Column("principal_id", String(32), nullable=False),
    Column("alias", String(200), nullable=False),
    Column("deployment", String(200), nullable=False),
    Column("provider", String(200), nullable=False),
    Column("model", String(200), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("outcome", String(40), nullable=False),
    Column("latency_ms", Integer, nullable=False),
    Column("input_uncached", Integer, nullable=False),
    Column("input_cache_read", Integer, nullable=False),
    Column("input_cache_write", Integer, nullable=False),
    Column("output_text", Integer, nullable=False),
    Column("output_reasoning", Integer, nullable=False),
    Column("usage_source", String(10), nullable=False),
    # An empty text, said in SQL: as Python's it is taken for no default.
    Column("decision", String(300), nullable=False, server_default=text("''")),
    Column("created_at", UtcDateTime, nullable=False),
    Column("source", String(40), nullable=False, server_default=text("''")),
    Column("tags", String(1000), nullable=False, server_default=text("''")),
    # None = not known, never free. `price` is JSON: the terms by which it was told.
    Column("cost_nanos", BigInteger),
    Column("is_estimated", Boolean, nullable=False, server_default=false()),
    Column("price", Text, nullable=False, server_default=text("''")),
    Column("saved_nanos", BigInteger, nullable=False, server_default=text("0")),
    # Whether its request is counted with it: the first attempt of each.
    Column("opens_request", Boolean, nullable=False, server_default=true()),
    Column("first_token_ms", Integer),
    Index("usage_by_time", "created_at", "id"),
    Index("usage_by_principal", "principal_id", "created_at", "id"),
    Index("usage_by_request", "principal_id", "request_id", "created_at", "id"),
)

# Append-only: `reserve` once for each attempt, then `settle` or `release` once; and
# `correct` where the true usage came after it had been settled at an estimate.
ledger = Table(
    "ledger",
    metadata,
    Column("attempt_id", String(40), primary_key=True),
    Column("entry", String(10), primary_key=True),
    Column("principal_id", String(40), nullable=False),
    Column("request_id", String(128), nullable=False),
    Column("nanos", BigInteger),
    Column("is_estimated", Boolean, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    # Of each attempt its first entry: by it old ones are found, to be removed.
    Index(
        "ledger_by_time",
        "at",
        sqlite_where=text("entry = 'reserve'"),
        postgresql_where=text("entry = 'reserve'"),
    ),
)

# Attempts that are under way. `subjects`, separated by blanks, are whom the money
# counts for: `principal:ID` and each `tag:NAME`. `described` is JSON.
reservations = Table(
    "reservations",
    metadata,
    Column("attempt_id", String(40), primary_key=True),
    Column("principal_id", String(40), nullable=False, index=True),
    Column("request_id", String(128), nullable=False),
    Column("subjects", Text, nullable=False),
    Column("day", String(10), nullable=False),
    Column("reserved_nanos", BigInteger, nullable=False),
    Column("expected_nanos", BigInteger),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("described", Text, nullable=False),
)

# The sums of the ledger for each subject and day of the reporting time zone.
spending = Table(
    "spending",
    metadata,
    Column("subject", String(60), primary_key=True),
    Column("day", String(10), primary_key=True),
    Column("reserved_nanos", BigInteger, nullable=False),
    Column("settled_nanos", BigInteger, nullable=False),
)

budgets = Table(
    "budgets",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("subject", String(60), nullable=False),
    Column("period", String(5), nullable=False),
    Column("kind", String(4), nullable=False),
    Column("limit_nanos", BigInteger, nullable=False),
    Column("on_exhausted", String(200)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("created_by", String(60), nullable=False),
    Index("budgets_once", "subject", "period", "kind", unique=True),
)

# A budget that was passed is told once in each of its periods.
budget_notices = Table(
    "budget_notices",
    metadata,
    Column("budget_id", String(40), primary_key=True),
    Column("period_start", String(10), primary_key=True),
    Column("at", UtcDateTime, nullable=False),
)

# Sliding windows: hits of the present window and of the one before; times are whole
# seconds since 1970.
counters = Table(
    "counters",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("started_at", BigInteger, nullable=False),
    Column("present", BigInteger, nullable=False),
    Column("previous", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("principal_id", String(40), primary_key=True),
    Column("key_digest", LargeBinary(32), primary_key=True),
    Column("fingerprint", LargeBinary(32), nullable=False),
    Column("state", String(8), nullable=False),
    Column("owner", String(40), nullable=False),
    Column("lease_until", UtcDateTime, nullable=False),
    Column("request_id", String(128), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("status", Integer),
    Column("headers", Text),
    Column("body", Sealed("idempotency.body")),
)

# Who does a duty now, and when it was done last.
leases = Table(
    "leases",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("holder", String(64), nullable=False),
    Column("until", UtcDateTime, nullable=False),
    Column("done_at", UtcDateTime),
)

# What tells whether the master secret is the one that this database was made with.
marks = Table(
    "marks",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

overrides = Table(
    "overrides",
    metadata,
    # `provider/model` of a listed model: both at their longest, and the slash.
    Column("deployment", String(400), primary_key=True),
    Column("state", String(10), nullable=False),
    Column("expires_at", UtcDateTime),
    Column("set_by", String(32), nullable=False),
    Column("set_at", UtcDateTime, nullable=False),
)

responses = Table(
    "responses",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("principal_id", String(32), nullable=False),
    Column("previous_id", String(40)),
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
    Column("body", Sealed("responses.body"), nullable=False),
    Column("input_items", Sealed("responses.input_items"), nullable=False),
)
