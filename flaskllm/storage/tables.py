"""The tables, as SQLAlchemy Core knows them. Rows leave `storage` as dataclasses."""

from datetime import UTC, datetime

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Dialect,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
    text,
)


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware going in, aware and in UTC coming out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Turn an aware time to UTC; a naive one is our own fault.

        Raises:
            ValueError: The time has no offset.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without an offset cannot be stored")
        return value.astimezone(UTC)

    def process_result_value(
        self, value: datetime | None, dialect: Dialect
    ) -> datetime | None:
        """Give back the offset that SQLite does not keep."""
        return None if value is None else value.replace(tzinfo=UTC)


metadata = MetaData()

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
    Column("body", Text, nullable=False),
    Column("input_items", Text, nullable=False),
)
