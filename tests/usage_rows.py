"""Rows of the usage table, as attempts would leave them."""

import json
from datetime import UTC, datetime, timedelta
from itertools import count

from flaskllm.storage.rollups import Rollups
from flaskllm.storage.usage import UsageRow
from flaskllm.storage.usage import add_usage as add_rows

START = datetime(2026, 11, 10, 12, 0, tzinfo=UTC)
PRICE = {"input": 1_000_000_000, "output": 5_000_000_000}

_numbers = count(1)


def usage_row(**told):
    """Return the columns of one attempt; what is not told is usual.

    100 tokens in and 10 out cost 150,000 nano-dollars.
    """
    number = next(_numbers)
    return {
        "id": f"att_{number:08}",
        "request_id": f"req_{number:08}",
        "principal_id": "alice",
        "alias": "fast",
        "deployment": "mini",
        "provider": "openai",
        "model": "gpt-4o-mini",
        "attempt": 1,
        "outcome": "OK",
        "latency_ms": 250,
        "input_uncached": 100,
        "input_cache_read": 0,
        "input_cache_write": 0,
        "output_text": 10,
        "output_reasoning": 0,
        "usage_source": "provider",
        "decision": "fast: mini",
        "created_at": START + timedelta(seconds=number),
        "source": "chat",
        "tags": "",
        "cost_nanos": 150_000,
        "is_estimated": False,
        "price": json.dumps(PRICE),
        "opens_request": told.get("attempt", 1) == 1,
        "first_token_ms": None,
        "saved_nanos": 0,
    } | told


def add_usage(database, *rows):
    """Put rows of `usage_row` into the table, and what they add into the roll-ups."""
    rollups, made = Rollups(), [UsageRow(**row) for row in rows]
    for row in made:
        rollups.add(row)
    with database.transaction() as connection:
        add_rows(connection, made)
        rollups.write(connection, max(row.created_at for row in made))
