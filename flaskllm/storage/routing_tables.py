"""The tables of what processes tell each other of deployments."""

from sqlalchemy import BigInteger, Column, Integer, String, Table, Text

from flaskllm.storage.metadata import metadata

# One row for each deployment that has limits: `body` is JSON, see
# `core.upstream_counts`. The key is a keyed digest: what it is made of holds
# credentials. From `ends_at`, in seconds since 1970, nothing of it counts any more.
upstream_counts = Table(
    "upstream_counts",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("body", Text, nullable=False),
    Column("ends_at", BigInteger, nullable=False, index=True),
)

# What was found last of a deployment, or of a provider as a whole, by its kind. Times
# are milliseconds since 1970 by the clock of the database; `ends_at` 0 is that it is
# over. `version` grows with each news, over all rows.
routing_findings = Table(
    "routing_findings",
    metadata,
    Column("subject", String(64), primary_key=True),
    Column("kind", String(12), primary_key=True),
    Column("version", BigInteger, nullable=False, index=True),
    Column("told_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False),
    Column("code", String(40), nullable=False),
    Column("times", Integer, nullable=False),
    Column("told_by", String(100), nullable=False),
)
