"""`/api/v1/usage` over time, how long answers took, and who answered them."""

from flask import Blueprint, Response
from pydantic import Field

from flaskllm.api import context
from flaskllm.api.guard import guarded
from flaskllm.api.openapi import documented
from flaskllm.api.replies import csv_reply, data_reply
from flaskllm.api.v1.queries import read_query
from flaskllm.api.v1.usage import CSV_REPLY, UsageFields, wanted
from flaskllm.api.v1.usage_series_data import (
    SeriesReply,
    TimingsReply,
    series_data,
    series_meta,
    timings_data,
    timings_meta,
)
from flaskllm.api.v1.usage_shares_data import SharesMeta, SharesReply, shares_data
from flaskllm.core.auth import Scope
from flaskllm.core.errors import NotFound
from flaskllm.core.slots import BucketSize
from flaskllm.services.series_tables import (
    SERIES_HEADINGS,
    SHARES_HEADINGS,
    TIMINGS_HEADINGS,
    series_rows,
    shares_rows,
    timings_rows,
)
from flaskllm.services.usage_reports import By
from flaskllm.services.usage_series import Series
from flaskllm.services.usage_shares import Shares
from flaskllm.services.usage_timings import Measure, TimedBy, Timings

blueprint = Blueprint("usage_series", __name__)


class SeriesFields(UsageFields):
    """Which usage, and how it is cut."""

    bucket: BucketSize | None = Field(None, description="`day` if absent.")
    by: By | None = Field(None, description="A line for each of these too.")


class TimingsFields(UsageFields):
    """Which durations, and how they are cut; neither `source` nor `tag`."""

    bucket: BucketSize | None = Field(None, description="`day` if absent.")
    by: TimedBy | None = Field(None, description="A line for each of these too.")
    measure: Measure | None = Field(
        None, description="`answer`, the whole of it, if absent; or its `first_token`."
    )


@blueprint.get("/usage/timeseries")
@guarded(Scope.READ)
@documented(
    summary="Sum up usage and cost by the hour, day, week or month.",
    query=SeriesFields,
    replies={200: SeriesReply},
    errors=(NotFound,),
)
def timeseries() -> Response:
    """Return the sums of each bucket of what this caller may see."""
    found = _series()
    return data_reply(series_data(found), series_meta(found))


@blueprint.get("/usage/timeseries.csv")
@guarded(Scope.READ)
@documented(
    summary="Sum up usage and cost over time as a table.",
    query=SeriesFields,
    replies={200: CSV_REPLY},
    errors=(NotFound,),
)
def timeseries_table() -> Response:
    """Return the same sums as CSV, a row for each bucket of each line."""
    return csv_reply(SERIES_HEADINGS, series_rows(_series()))


@blueprint.get("/usage/latency")
@guarded(Scope.READ)
@documented(
    summary="Tell how long answers took by the hour, day, week or month.",
    query=TimingsFields,
    replies={200: TimingsReply},
    errors=(NotFound,),
)
def latency() -> Response:
    """Return the percentiles of each bucket of what this caller may see."""
    found = _timings()
    return data_reply(timings_data(found), timings_meta(found))


@blueprint.get("/usage/latency.csv")
@guarded(Scope.READ)
@documented(
    summary="Tell how long answers took over time as a table.",
    query=TimingsFields,
    replies={200: CSV_REPLY},
    errors=(NotFound,),
)
def latency_table() -> Response:
    """Return the same percentiles as CSV, a row for each bucket of each line."""
    return csv_reply(TIMINGS_HEADINGS, timings_rows(_timings()))


@blueprint.get("/usage/shares")
@guarded(Scope.READ)
@documented(
    summary="Tell how traffic and money are shared among deployments, and what the "
    "cheaper ones saved.",
    query=UsageFields,
    replies={200: SharesReply},
    errors=(NotFound,),
)
def shares() -> Response:
    """Return the shares of what this caller may see."""
    found = _shares()
    span, zone = found.span, found.time_zone
    meta = SharesMeta(since=span.first, until=span.last, time_zone=zone)
    return data_reply(shares_data(found), meta.model_dump(mode="json"))


@blueprint.get("/usage/shares.csv")
@guarded(Scope.READ)
@documented(
    summary="Tell how usage is shared among deployments as a table.",
    query=UsageFields,
    replies={200: CSV_REPLY},
    errors=(NotFound,),
)
def shares_table() -> Response:
    """Return the same shares as CSV, a row for each deployment."""
    return csv_reply(SHARES_HEADINGS, shares_rows(_shares()))


def _series() -> Series:
    fields = read_query(SeriesFields)
    told, caller = context.services().usage_panels.series, context.principal()
    return told.sums(wanted(fields), fields.bucket or "day", fields.by, caller)


def _timings() -> Timings:
    fields = read_query(TimingsFields)
    told, caller = context.services().usage_panels.timings, context.principal()
    measure, size = fields.measure or "answer", fields.bucket or "day"
    return told.spreads(wanted(fields), measure, size, fields.by, caller)


def _shares() -> Shares:
    fields = read_query(UsageFields)
    return context.services().usage_panels.shares.of(
        wanted(fields), context.principal()
    )
