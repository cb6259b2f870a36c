"""Requests as reports show them: each attempt, and what it was charged for."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flaskllm.core.paging import Place
from flaskllm.llm.prices import PriceLine, price_from, price_lines
from flaskllm.llm.types import Usage
from flaskllm.storage.usage_reports import RequestRows


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """One attempt, and what it was charged for. `latency_ms` counts milliseconds."""

    id: str
    attempt: int
    alias: str
    deployment: str
    provider: str
    model: str
    outcome: str
    decision: str
    created_at: datetime
    latency_ms: int
    usage: Usage
    cost_nanos: int | None
    is_estimated: bool
    lines: tuple[PriceLine, ...]
    saved_nanos: int = 0


@dataclass(frozen=True, slots=True)
class RequestReport:
    """One request with its attempts, the first first.

    `cost_nanos` is None where the price of one that used tokens is not known.
    """

    request_id: str
    principal_id: str
    source: str
    tags: tuple[str, ...]
    place: Place
    attempts: tuple[AttemptReport, ...]

    @property
    def usage(self) -> Usage:
        """Return the tokens of all attempts."""
        return sum((each.usage for each in self.attempts), start=Usage())

    @property
    def cost_nanos(self) -> int | None:
        """Return what all attempts cost."""
        return cost_of(self.attempts)


def request_report(found: RequestRows) -> RequestReport:
    """Return the report of one request from its rows."""
    first = found.rows[0]
    return RequestReport(
        request_id=first["request_id"],
        principal_id=first["principal_id"],
        source=first["source"],
        tags=tuple(first["tags"].split()),
        place=found.place,
        attempts=tuple(map(_attempt, found.rows)),
    )


def _attempt(row: Mapping[str, Any]) -> AttemptReport:
    used = Usage(
        row["input_uncached"],
        row["input_cache_read"],
        row["input_cache_write"],
        row["output_text"],
        row["output_reasoning"],
        row["usage_source"],
    )
    price = price_from(json.loads(row["price"])) if row["price"] else None
    return AttemptReport(
        id=row["id"],
        attempt=row["attempt"],
        alias=row["alias"],
        deployment=row["deployment"],
        provider=row["provider"],
        model=row["model"],
        outcome=row["outcome"],
        decision=row["decision"],
        created_at=row["created_at"],
        latency_ms=row["latency_ms"],
        usage=used,
        cost_nanos=row["cost_nanos"],
        is_estimated=row["is_estimated"],
        lines=price_lines(price, used) if price else (),
        saved_nanos=row["saved_nanos"],
    )


def cost_of(attempts: Iterable[AttemptReport]) -> int | None:
    """Return what these cost; None where the price of one is not known."""
    costs = [
        each.cost_nanos
        for each in attempts
        if each.cost_nanos is not None
        or each.usage.tokens_input
        or each.usage.tokens_output
    ]
    known = [cost for cost in costs if cost is not None]
    return sum(known) if len(known) == len(costs) else None
