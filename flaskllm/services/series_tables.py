"""Usage over time as tables: what the HTTP face and the command line write as CSV."""

from collections.abc import Iterator

from flaskllm.core.money import dollars_of
from flaskllm.services.usage_series import Line, Series
from flaskllm.services.usage_shares import Shares
from flaskllm.services.usage_sums import COUNTS, Parts
from flaskllm.services.usage_tables import Row
from flaskllm.services.usage_timings import PERCENTILES, Spread, Timing, Timings

SERIES_HEADINGS = ("starts_at", "key", "name", *COUNTS, "cost")
TIMINGS_HEADINGS = (
    "starts_at",
    "key",
    "name",
    "count",
    *(f"p{each}_ms" for each in PERCENTILES),
)
SHARES_HEADINGS = (
    "alias",
    "deployment",
    "attempts",
    "answered",
    "tokens_input",
    "tokens_output",
    "cost",
    "cost_nanos",
    "part_of_answered",
    "part_of_tokens",
    "part_of_cost",
    "cheaper",
    "at_dearest_nanos",
    "saved_nanos",
)
OTHERS = "(others)"
"""What stands for the key of all groups that are not told one by one."""


def series_rows(found: Series) -> Iterator[Row]:
    """Yield a row for each bucket of all, then of each group; `cost` is dollars."""
    for line in (found.total, *found.groups):
        for bucket, parts in zip(found.buckets, line.buckets, strict=True):
            yield bucket.starts_at.isoformat(), *_sums_row(line, parts)


def timings_rows(found: Timings) -> Iterator[Row]:
    """Yield a row for each bucket of all, then of each group; durations are ms."""
    for timing in (found.total, *found.groups):
        for bucket, spread in zip(found.buckets, timing.buckets, strict=True):
            yield bucket.starts_at.isoformat(), *_spread_row(timing, spread)


def shares_rows(found: Shares) -> Iterator[Row]:
    """Yield a row for each deployment of each alias; `cost` is dollars, exact."""
    for each in found.shares:
        part, sums = found.part_of(each), each.sums
        yield (
            each.alias,
            each.deployment,
            sums.attempts,
            each.answered,
            sums.tokens_input,
            sums.tokens_output,
            dollars_of(sums.cost_nanos),
            sums.cost_nanos,
            part.answered,
            part.tokens,
            part.cost,
            each.is_cheaper,
            each.at_dearest_nanos,
            each.saved_nanos,
        )


def _sums_row(line: Line, parts: Parts) -> Row:
    cost_nanos = parts[COUNTS.index("cost_nanos")]
    key = OTHERS if line.key is None else line.key
    return key, line.name, *parts, dollars_of(cost_nanos)


def _spread_row(timing: Timing, spread: Spread) -> Row:
    durations = (spread.milliseconds[each] for each in PERCENTILES)
    return timing.key, timing.name, spread.count, *durations
