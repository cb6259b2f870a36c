"""`/api/v1/usage`: what was used, and what it cost."""

from collections.abc import Sequence
from datetime import date
from typing import Annotated

from flask import Blueprint, Response
from pydantic import (
    BeforeValidator,
    Field,
    WithJsonSchema,
)

from flaskllm.api import context
from flaskllm.api.guard import guarded
from flaskllm.api.openapi import documented
from flaskllm.api.replies import csv_reply, data_reply
from flaskllm.api.v1.paging import NO_NUL, PageFields, cut
from flaskllm.api.v1.queries import QueryFields, read_query
from flaskllm.api.v1.usage_data import (
    RequestsReply,
    SummaryMeta,
    SummaryReply,
    request_data,
    sums_data,
)
from flaskllm.api.validation import refusal
from flaskllm.core.auth import Scope
from flaskllm.core.errors import NotFound
from flaskllm.services.usage_reports import (
    BY,
    RequestReport,
    Summary,
    Wanted,
)
from flaskllm.services.usage_tables import (
    REQUEST_HEADINGS,
    SUMMARY_HEADINGS,
    request_rows,
    summary_rows,
)

CSV = "text/csv"

blueprint = Blueprint("usage", __name__)

CSV_REPLY = {CSV: {"schema": {"type": "string"}}}


def _day(value: object) -> object:
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise refusal("not a date", "a date such as 2026-01-31") from None


Day = Annotated[
    date,
    BeforeValidator(_day),
    # Far from the ends of the calendar, where no day has a next one.
    WithJsonSchema({"type": "string", "format": "date", "pattern": "^20[0-9]{2}-"}),
]
Text = Annotated[str, Field(min_length=1, max_length=400, pattern=NO_NUL)]


class UsageFields(QueryFields):
    """Which usage."""

    since: Day | None = Field(
        None,
        description="The first day, in the reporting time zone; the month's if absent.",
    )
    until: Day | None = Field(
        None, description="The last day, which is included; today if absent."
    )
    token: Text | None = Field(None, description="The id of an API token.")
    model: Text | None = Field(None, description="The upstream's name of the model.")
    alias: Text | None = Field(None, description="The alias that was asked for.")
    deployment: Text | None = Field(None, description="The deployment.")
    source: Text | None = Field(None, description="Such as webhook:email or chat.")
    tag: Text | None = Field(None, description="A tag of the API token.")


class RequestsFields(UsageFields, PageFields):
    """Which requests."""

    outcome: Text | None = Field(None, description="OK, or the code of an error.")


@blueprint.get("/usage/summary")
@guarded(Scope.READ)
@documented(
    summary="Sum up usage and cost: all, and by model, alias, deployment, API token, "
    "source and tag.",
    query=UsageFields,
    replies={200: SummaryReply},
    errors=(NotFound,),
)
def summary() -> Response:
    """Return the sums of what this caller may see."""
    found = _summary()
    by = {f"by_{name}": [sums_data(each) for each in found.by[name]] for name in BY}
    by["by_token"] = [
        each | {"name": found.names.get(str(each["key"]), "")}
        for each in by["by_token"]
    ]
    span = found.span
    meta = SummaryMeta(since=span.first, until=span.last, time_zone=found.time_zone)
    data = {"total": sums_data(found.total), **by}
    return data_reply(data, meta.model_dump(mode="json"))


@blueprint.get("/usage/summary.csv")
@guarded(Scope.READ)
@documented(
    summary="Sum up usage and cost as a table.",
    query=UsageFields,
    replies={200: CSV_REPLY},
    errors=(NotFound,),
)
def summary_table() -> Response:
    """Return the same sums as CSV, with a column that says what they are by."""
    return csv_reply(SUMMARY_HEADINGS, summary_rows(_summary()))


@blueprint.get("/usage/requests")
@guarded(Scope.READ)
@documented(
    summary="List requests with their attempts and what each was charged for.",
    query=RequestsFields,
    replies={200: RequestsReply},
    errors=(NotFound,),
)
def requests() -> Response:
    """Return a page of what this caller may see."""
    found, following = _requests()
    return data_reply(
        [request_data(each).model_dump(mode="json") for each in found],
        {"next": following},
    )


@blueprint.get("/usage/requests.csv")
@guarded(Scope.READ)
@documented(
    summary="List requests as a table, one row for each attempt.",
    query=RequestsFields,
    replies={200: CSV_REPLY},
    errors=(NotFound,),
)
def requests_table() -> Response:
    """Return a page as CSV; the header `X-Next` says where the next one begins."""
    found, following = _requests()
    reply = csv_reply(REQUEST_HEADINGS, request_rows(found))
    if following:
        reply.headers["X-Next"] = following
    return reply


def _summary() -> Summary:
    fields = read_query(UsageFields)
    reports = context.services().usage_reports
    return reports.summary(wanted(fields), BY, context.principal())


def _requests() -> tuple[Sequence[RequestReport], str | None]:
    """Return a page, and where the next one begins."""
    fields = read_query(RequestsFields)
    reports, caller = context.services().usage_reports, context.principal()
    found = reports.requests(wanted(fields), fields.most + 1, fields.place, caller)
    return cut(found, fields.most, lambda each: each.place)


def wanted(fields: UsageFields) -> Wanted:
    """Return what fields ask for."""
    return Wanted(
        span=context.services().usage_reports.span(fields.since, fields.until),
        principal_id=fields.token,
        model=fields.model,
        alias=fields.alias,
        deployment=fields.deployment,
        source=fields.source,
        tag=fields.tag,
        outcome=fields.outcome if isinstance(fields, RequestsFields) else None,
    )
