"""What `/api/v1/usage` answers, as the description of the API has it."""

from datetime import date, datetime

from pydantic import BaseModel, Field

from flaskllm.api.v1.paging import PageMeta
from flaskllm.core.money import NANOS_PER_DOLLAR, dollars
from flaskllm.llm.prices import PriceLine
from flaskllm.llm.types import UsageSource
from flaskllm.services.usage_reports import AttemptReport, RequestReport
from flaskllm.services.usage_sums import Sums


class SumsData(BaseModel):
    """The sums of a group."""

    key: str = Field(description="What the group has in common; empty for all.")
    requests: int
    attempts: int
    failed: int = Field(description="Attempts that were not answered.")
    tokens_input: int
    tokens_output: int
    cost: float = Field(description="US dollars, of what has a price.")
    cost_nanos: int = Field(description="The same in billionths, exact.")
    unpriced: int = Field(description="Attempts that used tokens and have no price.")
    estimated: int = Field(description="Attempts whose cost is an estimate.")
    cache_hits: int = Field(description="Answers that no upstream was asked for.")
    cache_hit_ratio: float = Field(description="Their part of all answers, 0 to 1.")
    saved: float = Field(description="What they would have cost, in US dollars.")
    saved_nanos: int = Field(description="The same in billionths, exact.")


class TokenSumsData(SumsData):
    """The sums of one API token; `key` is its id."""

    name: str = Field(description="Its name; empty where it has none.")


class SummaryData(BaseModel):
    """All sums."""

    total: SumsData
    by_model: list[SumsData]
    by_alias: list[SumsData]
    by_deployment: list[SumsData]
    by_token: list[TokenSumsData]
    by_source: list[SumsData]
    by_tag: list[SumsData]


class SummaryMeta(BaseModel):
    """Of which days."""

    since: date
    until: date
    time_zone: str


class SummaryReply(BaseModel):
    """What was used, and what it cost."""

    data: SummaryData
    meta: SummaryMeta


class LineData(BaseModel):
    """Tokens of one kind, and their price."""

    kind: str
    tokens: int
    price: float = Field(description="US dollars for a million tokens.")


class AttemptData(BaseModel):
    """One call to one deployment."""

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
    tokens_input: int
    tokens_output: int
    usage_source: UsageSource
    cost: float | None = Field(description="US dollars; null when not known.")
    cost_nanos: int | None
    estimated: bool
    saved: float = Field(description="What an answer of the cache would have cost.")
    lines: list[LineData] = Field(description="What it was charged for.")


class RequestData(BaseModel):
    """One request with all its attempts, the first first."""

    request_id: str
    token: str = Field(description="The id of the API token.")
    source: str
    tags: list[str]
    tokens_input: int
    tokens_output: int
    cost: float | None = Field(description="US dollars; null when not known.")
    attempts: list[AttemptData]


class RequestsReply(BaseModel):
    """A page of requests, the newest first."""

    data: list[RequestData]
    meta: PageMeta


def sums_data(sums: Sums) -> dict[str, object]:
    """Return the sums of a group."""
    return {
        "key": sums.key,
        "requests": sums.requests,
        "attempts": sums.attempts,
        "failed": sums.failed,
        "tokens_input": sums.tokens_input,
        "tokens_output": sums.tokens_output,
        "cost": sums.cost_nanos / NANOS_PER_DOLLAR,
        "cost_nanos": sums.cost_nanos,
        "unpriced": sums.unpriced,
        "estimated": sums.estimated,
        "cache_hits": sums.cache_hits,
        "cache_hit_ratio": round(sums.cache_hits / max(1, sums.answers), 4),
        "saved": sums.saved_nanos / NANOS_PER_DOLLAR,
        "saved_nanos": sums.saved_nanos,
    }


def request_data(found: RequestReport) -> RequestData:
    """Return one request."""
    used = found.usage
    return RequestData(
        request_id=found.request_id,
        token=found.principal_id,
        source=found.source,
        tags=list(found.tags),
        tokens_input=used.tokens_input,
        tokens_output=used.tokens_output,
        cost=dollars(found.cost_nanos),
        attempts=[_attempt_data(each) for each in found.attempts],
    )


def _attempt_data(found: AttemptReport) -> AttemptData:
    return AttemptData(
        id=found.id,
        attempt=found.attempt,
        alias=found.alias,
        deployment=found.deployment,
        provider=found.provider,
        model=found.model,
        outcome=found.outcome,
        decision=found.decision,
        created_at=found.created_at,
        latency_ms=found.latency_ms,
        tokens_input=found.usage.tokens_input,
        tokens_output=found.usage.tokens_output,
        usage_source=found.usage.source,
        cost=dollars(found.cost_nanos),
        cost_nanos=found.cost_nanos,
        estimated=found.is_estimated,
        saved=found.saved_nanos / NANOS_PER_DOLLAR,
        lines=[_line_data(line) for line in found.lines],
    )


def _line_data(line: PriceLine) -> LineData:
    return LineData(
        kind=line.kind, tokens=line.tokens, price=line.price / NANOS_PER_DOLLAR
    )
