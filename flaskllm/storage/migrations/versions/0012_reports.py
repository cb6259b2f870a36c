"""Roll-ups of usage by the quarter of an hour, by the hour and by the day."""

import json
from hashlib import blake2b

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_SUMMED = (
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
_TEXTS = ("principal_id", "alias", "deployment", "model", "source", "tags", "price")
_VIEWS = ("own", "everybody", "by_source", "by_tags")
_AT_ONCE = 1000
# The most milliseconds of each bin, as `core.histograms` had them.
_GROWTH = (1 + 0.05) / (1 - 0.05)
_BOUNDS = (0, *(int(_GROWTH**power) for power in range(170)))

_SLOTS = {
    # Without the fraction of a second, which it would round up.
    "sqlite": "CAST(strftime('%s', substr(u.created_at, 1, 19)) AS INTEGER) / 900",
    "postgresql": "CAST(floor(extract(epoch FROM u.created_at) / 900) AS integer)",
}
# An id that came again and again is one request, as it has been until now.
_NOT_FIRST = """
UPDATE usage SET opens_request = false WHERE EXISTS (
  SELECT 1 FROM usage AS e
  WHERE e.principal_id = usage.principal_id AND e.request_id = usage.request_id
  AND (e.created_at, e.id) < (usage.created_at, usage.id))
"""
_SAME = " AND ".join(f"k.{name} = u.{name}" for name in _TEXTS)
# As large numbers before they are added: PostgreSQL refuses what overflows.
_INPUT = "(CAST(u.input_uncached AS bigint) + u.input_cache_read + u.input_cache_write)"
_OUTPUT = "(CAST(u.output_text AS bigint) + u.output_reasoning)"
_SUMS = f"""
INSERT INTO usage_quarters
SELECT {{slot}} AS slot, k.id,
  SUM(CASE WHEN u.opens_request THEN 1 ELSE 0 END), COUNT(*),
  SUM(CASE WHEN u.outcome <> 'OK' THEN 1 ELSE 0 END),
  SUM({_INPUT}), SUM({_OUTPUT}), SUM(COALESCE(u.cost_nanos, 0)),
  SUM(CASE WHEN u.cost_nanos IS NULL AND {_INPUT} + {_OUTPUT} > 0 THEN 1 ELSE 0 END),
  SUM(CASE WHEN u.is_estimated THEN 1 ELSE 0 END),
  SUM(CASE WHEN u.usage_source = 'cached' THEN 1 ELSE 0 END), SUM(u.saved_nanos)
FROM usage AS u JOIN usage_keys AS k ON {_SAME}
GROUP BY 1, 2
"""
_DURATIONS = f"""
INSERT INTO latency_quarters
SELECT {{slot}} AS slot, k.id, 0,
  (SELECT b.bin FROM rollup_bins AS b WHERE b.most >= u.latency_ms
   ORDER BY b.most LIMIT 1), COUNT(*)
FROM usage AS u JOIN usage_keys AS k ON {_SAME}
WHERE u.outcome = 'OK' AND u.usage_source <> 'cached'
GROUP BY 1, 2, 4
"""


def upgrade() -> None:
    """Add the tables, and fill those by the quarter from the rows that are there."""
    op.add_column(
        "usage",
        sa.Column(
            "opens_request", sa.Boolean, nullable=False, server_default=sa.true()
        ),
    )
    op.add_column("usage", sa.Column("first_token_ms", sa.Integer))
    _add_tables()
    connection = op.get_bind()
    if connection.execute(sa.text("SELECT 1 FROM usage LIMIT 1")).first():
        _fill(connection)


def _add_tables() -> None:
    op.create_table(
        "usage_keys",
        _number("id", sa.BigInteger),
        sa.Column("level", sa.SmallInteger, nullable=False),
        sa.Column("principal_id", sa.String(40), nullable=False),
        sa.Column("alias", sa.String(200), nullable=False),
        sa.Column("deployment", sa.String(200), nullable=False),
        sa.Column("model", sa.String(200), nullable=False),
        sa.Column("source", sa.String(40), nullable=False),
        sa.Column("tags", sa.String(1000), nullable=False),
        sa.Column("price", sa.Text, nullable=False),
        *(sa.Column(name, sa.BigInteger) for name in _VIEWS),
    )
    op.create_index("usage_keys_by_principal", "usage_keys", ["principal_id"])
    _create("usage_quarters", *_quarter(), *_sums())
    _create("latency_quarters", *_quarter(), *_counts())
    op.create_table(
        "usage_zones",
        _number("id"),
        sa.Column("name", sa.String(100), nullable=False, unique=True),
        sa.Column("built_until", sa.Integer, nullable=False),
    )
    _create("usage_spans", *_span(), *_sums())
    _create(
        "latency_spans",
        _number("zone"),
        _number("grain", sa.SmallInteger),
        _number("measure", sa.SmallInteger),
        _number("key", sa.BigInteger),
        _number("slot"),
        _number("bin", sa.SmallInteger),
        sa.Column("count", sa.BigInteger, nullable=False),
    )


def _create(name: str, *columns: sa.Column[int]) -> None:
    op.create_table(name, *columns, sqlite_with_rowid=False)


def _quarter() -> list[sa.Column[int]]:
    return [_number("slot"), _number("key", sa.BigInteger)]


def _span() -> list[sa.Column[int]]:
    return [
        _number("zone"),
        _number("grain", sa.SmallInteger),
        _number("key", sa.BigInteger),
        _number("slot"),
    ]


def _number(
    name: str, kind: type[sa.types.TypeEngine[int]] = sa.Integer
) -> sa.Column[int]:
    return sa.Column(name, kind, primary_key=True, autoincrement=False)


def _sums() -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=False) for name in _SUMMED]


def _counts() -> list[sa.Column[int]]:
    return [
        _number("measure", sa.SmallInteger),
        _number("bin", sa.SmallInteger),
        sa.Column("count", sa.BigInteger, nullable=False),
    ]


def _fill(connection: sa.Connection) -> None:
    connection.execute(sa.text(_NOT_FIRST))
    _fill_keys(connection)
    _add_bins(connection)
    op.create_index("usage_keys_by_texts", "usage_keys", list(_TEXTS[:-1]))
    slot = _SLOTS[connection.dialect.name]
    connection.execute(sa.text(_SUMS.format(slot=slot)))
    connection.execute(sa.text(_DURATIONS.format(slot=slot)))
    op.drop_index("usage_keys_by_texts", "usage_keys")
    connection.execute(sa.text("DROP TABLE rollup_bins"))


def _fill_keys(connection: sa.Connection) -> None:
    texts = ", ".join(_TEXTS)
    found = connection.execute(sa.text(f"SELECT DISTINCT {texts} FROM usage"))
    names = ("id", "level", *_TEXTS)
    values = [dict(zip(names, (_id_of(each), 0, *each), strict=True)) for each in found]
    marks = ", ".join(f":{name}" for name in names)
    insert = sa.text(f"INSERT INTO usage_keys ({', '.join(names)}) VALUES ({marks})")
    for start in range(0, len(values), _AT_ONCE):
        connection.execute(insert, values[start : start + _AT_ONCE])


def _id_of(texts: sa.Row[tuple[str, ...]]) -> int:
    """Return the id of a key of level 0, as `rollup_rows` makes it for ever."""
    text = json.dumps([*texts, 0], separators=(",", ":"))
    digest = blake2b(text.encode("ascii"), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def _add_bins(connection: sa.Connection) -> None:
    connection.execute(
        sa.text(
            "CREATE TEMPORARY TABLE rollup_bins "
            "(most INTEGER PRIMARY KEY, bin INTEGER NOT NULL)"
        )
    )
    bins = {most: _BOUNDS.index(most) for most in _BOUNDS}
    # What is longer than the last bound counts as so long.
    bins[2**31 - 1] = len(_BOUNDS) - 1
    connection.execute(
        sa.text("INSERT INTO rollup_bins VALUES (:most, :bin)"),
        [{"most": most, "bin": number} for most, number in bins.items()],
    )
