"""Usage rows: one for each attempt, written with what closes it."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, select

from flaskllm.storage.rows import Rows
from flaskllm.storage.tables import usage

ABANDONED = "ABANDONED"
"""The outcome of an attempt of which nobody told how it ended."""

CACHED = "cached"
"""The source of usage where no model was asked: there is none."""


@dataclass(frozen=True, slots=True)
class Described:
    """What is known of an attempt before it is made.

    `number` counts from 1 within the request; `model` is the upstream's name.
    `decision` says in at most 300 characters why it was this deployment's turn;
    `source` through which door the request came; `tags`, separated by blanks, are
    the principal's at that time; `price` is JSON of the terms, empty where they are
    not known. `opens_request` tells that it is the first attempt of its request.
    """

    alias: str
    deployment: str
    provider: str
    model: str
    attempt: int
    decision: str = ""
    source: str = ""
    tags: str = ""
    price: str = ""
    opens_request: bool = False

    def to_json(self) -> str:
        """Return it as it lies in a reservation."""
        return json.dumps(_values(self, _DESCRIBED))

    @classmethod
    def from_json(cls, text: str) -> "Described":
        """Return what `to_json` told, that of an older version too."""
        told = json.loads(text)
        # It is not told by those who reserved before there were reports over time.
        return cls(**{"opens_request": told["attempt"] == 1, **told})


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What one attempt used and cost; the first fields are those of `Described`.

    `id` is the attempt's. `outcome` is `OK`, an error's code or `ABANDONED`;
    `created_at` is when it began, aware. The five counts of tokens add up;
    `usage_source` tells who counted. `cost_nanos` is None where the price is not
    known; `is_estimated` tells that the cost, or what it was told from, is a guess.
    `saved_nanos` is what an answer of the cache would have cost.
    `first_token_ms` is None where nothing was streamed, or no token came.
    """

    id: str
    request_id: str
    principal_id: str
    alias: str
    deployment: str
    provider: str
    model: str
    attempt: int
    outcome: str
    latency_ms: int
    input_uncached: int
    input_cache_read: int
    input_cache_write: int
    output_text: int
    output_reasoning: int
    usage_source: str
    created_at: datetime
    decision: str = ""
    source: str = ""
    tags: str = ""
    cost_nanos: int | None = None
    is_estimated: bool = False
    price: str = ""
    saved_nanos: int = 0
    opens_request: bool = False
    first_token_ms: int | None = None


_DESCRIBED = tuple(field.name for field in fields(Described))
_COLUMNS = tuple(field.name for field in fields(UsageRow))
_ROWS = Rows(usage, _COLUMNS, ignores_known=True)
_all_values = attrgetter(*_COLUMNS)


def described_fields(described: Described) -> dict[str, Any]:
    """Return the fields that a usage row shares with its description."""
    return _values(described, _DESCRIBED)


def add_usage(connection: Connection, rows: Iterable[UsageRow]) -> None:
    """Add rows; one that is there already is left as it is."""
    _ROWS.insert(connection, [_all_values(row) for row in rows])


def known_usage(connection: Connection, attempt_ids: Collection[str]) -> set[str]:
    """Return those of these attempts that have a row already."""
    if not attempt_ids:
        return set()
    query = select(usage.c.id).where(usage.c.id.in_(attempt_ids))
    return set(connection.execute(query).scalars())


def take_abandoned(connection: Connection, attempt_id: str) -> UsageRow | None:
    """Remove the row of an attempt that had been given up, and return it.

    None where it has another row, or none.
    """
    abandoned = usage.c.id == attempt_id, usage.c.outcome == ABANDONED
    taking = (
        usage.delete()
        .where(*abandoned)
        .returning(*(usage.c[name] for name in _COLUMNS))
    )
    row = connection.execute(taking).mappings().one_or_none()
    return None if row is None else UsageRow(**row)


def _values(row: Described | UsageRow, names: tuple[str, ...]) -> dict[str, Any]:
    # As `asdict`, which would copy each of them at many times the cost.
    return {name: getattr(row, name) for name in names}
