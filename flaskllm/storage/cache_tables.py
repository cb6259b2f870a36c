"""The table of the cache: answers, marks, and who asks at present."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, String, Table

from flaskllm.storage.metadata import metadata

# `value` lies sealed, bound to its key; a claim has a `holder` instead. `owner` is a
# principal's id, or `-`. Times are milliseconds since 1970. Only answers have a `size`:
# what may be removed when it is too much. What is long comes last: who looks at
# the rest need not read past it.
cache = Table(
    "cache",
    metadata,
    Column("key", String(250), primary_key=True),
    Column("owner", String(40), nullable=False, index=True),
    Column("holder", String(40)),
    Column("size", Integer, nullable=False),
    Column("stored_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
    Column("value", LargeBinary),
    Index("ix_cache_stored_at", "stored_at", "size"),
)
