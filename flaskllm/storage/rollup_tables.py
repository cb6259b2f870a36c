"""The tables of roll-ups: usage by the quarter of an hour, and what is made of it.

A `slot` is the first of the quarters of an hour since 1970 that a row is about. What
is written with each attempt is by the quarter, which belongs to no time zone; hours
and days of a time zone are made of that once they are over.
"""

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    SmallInteger,
    String,
    Table,
    Text,
)

from flaskllm.storage.metadata import metadata

SUMMED = (
    "requests",
    "attempts",
    "failed",
    "tokens_input",
    "tokens_output",
    "cost_nanos",
    "unpriced",
    "estimated",
    "cache_hits",
    "saved_nanos",
)
"""What roll-ups add up, see `rollup_rows.parts_of`."""


VIEWS = ("own", "everybody", "by_source", "by_tags")
"""What keys of the levels 1, 2, 3 and 4 are to those that tell everything."""


def _sums() -> list[Column[int]]:
    return [Column(name, BigInteger, nullable=False) for name in SUMMED]


# What attempts have in common that are added up together; `id` is made of the level and
# the texts. Those of level 0 tell everything. Others tell less, see `rollup_rows`: what
# is not told is empty. `own` and the like are their ids, none until they are made.
usage_keys = Table(
    "usage_keys",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("level", SmallInteger, nullable=False),
    Column("principal_id", String(40), nullable=False),
    Column("alias", String(200), nullable=False),
    Column("deployment", String(200), nullable=False),
    Column("model", String(200), nullable=False),
    Column("source", String(40), nullable=False),
    Column("tags", String(1000), nullable=False),
    Column("price", Text, nullable=False),
    *(Column(name, BigInteger) for name in VIEWS),
    Index("usage_keys_by_principal", "principal_id"),
)

usage_quarters = Table(
    "usage_quarters",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    *_sums(),
    sqlite_with_rowid=False,
)

# How many answers took how long: `measure` is 0 for the whole answer, 1 for its first
# token; `bin` is that of `core.histograms`.
latency_quarters = Table(
    "latency_quarters",
    metadata,
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("measure", SmallInteger, primary_key=True, autoincrement=False),
    Column("bin", SmallInteger, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

# Up to where the hours and days of a time zone are made: all slots before it.
usage_zones = Table(
    "usage_zones",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String(100), nullable=False, unique=True),
    Column("built_until", Integer, nullable=False),
)

# The same sums by hours (`grain` 1) and days (2) of a time zone, for all keys.
usage_spans = Table(
    "usage_spans",
    metadata,
    Column("zone", Integer, primary_key=True, autoincrement=False),
    Column("grain", SmallInteger, primary_key=True, autoincrement=False),
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    *_sums(),
    sqlite_with_rowid=False,
)

# The same durations, for keys of the levels 1 and 2 only.
latency_spans = Table(
    "latency_spans",
    metadata,
    Column("zone", Integer, primary_key=True, autoincrement=False),
    Column("grain", SmallInteger, primary_key=True, autoincrement=False),
    Column("measure", SmallInteger, primary_key=True, autoincrement=False),
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("bin", SmallInteger, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
