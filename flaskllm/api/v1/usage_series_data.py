"""What `/api/v1/usage/timeseries` and `/latency` answer.

Over time each figure is a list with an entry for each bucket, in their order.
"""

from datetime import date, datetime

from pydantic import BaseModel, Field

from flaskllm.api.v1.usage_data import SumsData, sums_data
from flaskllm.core.histograms import RELATIVE_ERROR
from flaskllm.core.slots import Bucket, BucketSize
from flaskllm.services.usage_series import Line, Series
from flaskllm.services.usage_sums import COUNTS
from flaskllm.services.usage_timings import (
    PERCENTILES,
    Measure,
    Spread,
    Timing,
    Timings,
)


class LineData(BaseModel):
    """The sums of one group: of all days, and of each bucket."""

    key: str | None = Field(
        description="What the group has in common; empty for all, null for all groups "
        "beyond the fifty dearest."
    )
    name: str = Field(description="Of an API token; empty where it has none.")
    total: SumsData
    requests: list[int]
    attempts: list[int]
    failed: list[int]
    tokens_input: list[int]
    tokens_output: list[int]
    cost_nanos: list[int]
    unpriced: list[int]
    estimated: list[int]
    cache_hits: list[int]
    saved_nanos: list[int]


class SeriesData(BaseModel):
    """Sums over time."""

    buckets: list[datetime] = Field(description="When each begins.")
    total: LineData
    groups: list[LineData] = Field(description="The dearest first.")


class SeriesMeta(BaseModel):
    """Of which days, and how they are cut."""

    since: date
    until: date
    time_zone: str
    bucket: BucketSize


class SeriesReply(BaseModel):
    """What was used over time."""

    data: SeriesData
    meta: SeriesMeta


class SpreadData(BaseModel):
    """How long answers took, in milliseconds; null where none was measured."""

    count: int = Field(description="Attempts that were answered and measured.")
    p50_ms: float | None
    p90_ms: float | None
    p95_ms: float | None
    p99_ms: float | None


class TimingData(BaseModel):
    """The durations of one group: of all days, and of each bucket."""

    key: str = Field(description="What the group has in common; empty for all.")
    name: str = Field(description="Of an API token; empty where it has none.")
    total: SpreadData
    count: list[int]
    p50_ms: list[float | None]
    p90_ms: list[float | None]
    p95_ms: list[float | None]
    p99_ms: list[float | None]


class TimingsData(BaseModel):
    """Durations over time."""

    buckets: list[datetime] = Field(description="When each begins.")
    total: TimingData
    groups: list[TimingData] = Field(
        description="Those with most answers first, fifty at most."
    )


class TimingsMeta(SeriesMeta):
    """Of which days, what was measured, and how exactly."""

    measure: Measure
    relative_error: float = Field(
        description="So far at most, as a share, is a percentile from the measured "
        "duration that it stands for."
    )


class TimingsReply(BaseModel):
    """How long answers took."""

    data: TimingsData
    meta: TimingsMeta


def series_data(found: Series) -> dict[str, object]:
    """Return sums over time."""
    return {
        "buckets": _starts(found.buckets),
        "total": _line(found.total),
        "groups": [_line(each) for each in found.groups],
    }


def series_meta(found: Series | Timings) -> dict[str, object]:
    """Return of which days they are."""
    return {
        "since": found.span.first.isoformat(),
        "until": found.span.last.isoformat(),
        "time_zone": found.time_zone,
        "bucket": found.size,
    }


def timings_data(found: Timings) -> dict[str, object]:
    """Return durations over time."""
    return {
        "buckets": _starts(found.buckets),
        "total": _timing(found.total),
        "groups": [_timing(each) for each in found.groups],
    }


def timings_meta(found: Timings) -> dict[str, object]:
    """Return of which days they are, and how exact."""
    measured = {"measure": found.measure, "relative_error": RELATIVE_ERROR}
    return series_meta(found) | measured


def _starts(buckets: tuple[Bucket, ...]) -> list[str]:
    return [each.starts_at.isoformat() for each in buckets]


def _line(line: Line) -> dict[str, object]:
    lists = {
        name: [parts[place] for parts in line.buckets]
        for place, name in enumerate(COUNTS)
    }
    total = sums_data(line.total)
    return {"key": line.key, "name": line.name, "total": total, **lists}


def _timing(timing: Timing) -> dict[str, object]:
    spreads = [_spread(each) for each in timing.buckets]
    total = _spread(timing.total)
    lists = {name: [each[name] for each in spreads] for name in total}
    return {"key": timing.key, "name": timing.name, "total": total, **lists}


def _spread(spread: Spread) -> dict[str, float | None]:
    told: dict[str, float | None] = {"count": spread.count}
    for each in PERCENTILES:
        milliseconds = spread.milliseconds[each]
        known = None if milliseconds is None else round(milliseconds, 1)
        told[f"p{each}_ms"] = known
    return told
