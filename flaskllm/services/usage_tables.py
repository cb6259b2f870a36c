"""Usage reports as tables: what the HTTP face and the command line write as CSV."""

from collections.abc import Iterable, Iterator

from flaskllm.core.money import dollars_of
from flaskllm.services.usage_reports import RequestReport, Summary
from flaskllm.services.usage_sums import Sums

SUMMARY_HEADINGS = (
    "by",
    "key",
    "name",
    "requests",
    "attempts",
    "failed",
    "tokens_input",
    "tokens_output",
    "cost",
    "cost_nanos",
    "unpriced",
    "estimated",
    "cache_hits",
    "saved_nanos",
)
REQUEST_HEADINGS = (
    "request_id",
    "token",
    "source",
    "tags",
    "created_at",
    "attempt",
    "alias",
    "deployment",
    "provider",
    "model",
    "outcome",
    "latency_ms",
    "tokens_input",
    "tokens_output",
    "input_uncached",
    "input_cache_read",
    "input_cache_write",
    "output_text",
    "output_reasoning",
    "usage_source",
    "cost",
    "cost_nanos",
    "is_estimated",
    "saved_nanos",
)

Row = tuple[object, ...]


def summary_rows(summary: Summary) -> Iterator[Row]:
    """Yield the row of all, then those of each group; `cost` is dollars, exact."""
    yield _sums_row("total", summary.total, "")
    for by, groups in summary.by.items():
        for sums in groups:
            name = summary.names.get(sums.key, "") if by == "token" else ""
            yield _sums_row(by, sums, name)


def request_rows(requests: Iterable[RequestReport]) -> Iterator[Row]:
    """Yield one row for each attempt; a cost that is not known stays empty."""
    for request in requests:
        for each in request.attempts:
            used, cost = each.usage, each.cost_nanos
            yield (
                request.request_id,
                request.principal_id,
                request.source,
                " ".join(request.tags),
                each.created_at.isoformat(),
                each.attempt,
                each.alias,
                each.deployment,
                each.provider,
                each.model,
                each.outcome,
                each.latency_ms,
                used.tokens_input,
                used.tokens_output,
                used.input_uncached,
                used.input_cache_read,
                used.input_cache_write,
                used.output_text,
                used.output_reasoning,
                used.source,
                None if cost is None else dollars_of(cost),
                cost,
                each.is_estimated,
                each.saved_nanos,
            )


def _sums_row(by: str, sums: Sums, name: str) -> Row:
    return (
        by,
        sums.key,
        name,
        sums.requests,
        sums.attempts,
        sums.failed,
        sums.tokens_input,
        sums.tokens_output,
        dollars_of(sums.cost_nanos),
        sums.cost_nanos,
        sums.unpriced,
        sums.estimated,
        sums.cache_hits,
        sums.saved_nanos,
    )
