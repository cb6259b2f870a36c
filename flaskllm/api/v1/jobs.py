"""`/api/v1/jobs`: one's own jobs, what they have come to, and who was told of it."""

from typing import Literal

from flask import Blueprint, Response
from pydantic import Field

from flaskllm.api import context
from flaskllm.api.guard import guarded
from flaskllm.api.openapi import documented
from flaskllm.api.replies import data_reply
from flaskllm.api.v1.delivery_data import (
    DeliveriesReply,
    DeliveryReply,
    delivery_data,
)
from flaskllm.api.v1.job_data import (
    AnswerReply,
    ItemsReply,
    JobReply,
    JobsReply,
    answer_reply,
    item_data,
    job_data,
    state_reply,
)
from flaskllm.api.v1.paging import PageFields, PageSize, cut
from flaskllm.api.v1.queries import QueryFields, read_query
from flaskllm.api.v1.webhook_data import DIGEST_ERRORS
from flaskllm.core import errors
from flaskllm.core.auth import Scope
from flaskllm.services.closed_sets import JobState
from flaskllm.services.jobs.reports import JobReport

blueprint = Blueprint("jobs", __name__)

_USUAL_ITEMS = 50


class JobsFields(PageFields):
    """Which jobs."""

    state: JobState | None = Field(
        None, description="Only those in this state; `dead` are the dead letters."
    )


class JobFields(QueryFields):
    """What to show of a job."""

    view: Literal["answer", "job"] | None = Field(
        None,
        description="`job` tells how it stands, always with 200; else its answer.",
    )


class ItemsFields(QueryFields):
    """Which items of a batch."""

    limit: PageSize | None = Field(
        None, description=f"The most of a page; {_USUAL_ITEMS} if absent."
    )
    after: str | None = Field(
        None,
        pattern=r"^[0-9]{1,9}$",
        description="`next` of the page before, to go on behind it.",
    )


@blueprint.get("/jobs")
@guarded(Scope.WEBHOOK)
@documented(
    summary="List your jobs, the newest first.",
    query=JobsFields,
    replies={200: JobsReply},
)
def list_page() -> Response:
    """Return a page of the caller's jobs."""
    fields = read_query(JobsFields)
    found = context.services().jobs.page(
        context.principal(), fields.state, fields.most + 1, fields.place
    )
    shown, following = cut(found, fields.most, JobReport.place)
    rows = [job_data(each).model_dump(mode="json") for each in shown]
    return data_reply(rows, {"next": following})


@blueprint.get("/jobs/<job_id>")
@guarded(Scope.WEBHOOK)
@documented(
    summary="Ask for the answer of a job, or how it stands.",
    query=JobFields,
    replies={200: AnswerReply, 202: JobReply},
    errors=(errors.NotFound, errors.JobCancelled, *DIGEST_ERRORS),
)
def show(job_id: str) -> Response:
    """Return 202 while a job works, then what the webhook would have answered."""
    fields = read_query(JobFields)
    job = context.services().jobs.find(job_id, context.principal())
    return state_reply(job) if fields.view == "job" else answer_reply(job)


@blueprint.get("/jobs/<job_id>/items")
@guarded(Scope.WEBHOOK)
@documented(
    summary="List the items of a batch with their answers.",
    query=ItemsFields,
    replies={200: ItemsReply},
    errors=(errors.NotFound,),
)
def list_items(job_id: str) -> Response:
    """Return a page of a batch's items."""
    fields = read_query(ItemsFields)
    most, after = fields.limit or _USUAL_ITEMS, int(fields.after or -1)
    found = context.services().jobs.items(
        job_id, context.principal(), most + 1, after_number=after
    )
    following = str(found[most - 1].number) if len(found) > most else None
    rows = [item_data(each).model_dump(mode="json") for each in found[:most]]
    return data_reply(rows, {"next": following})


@blueprint.post("/jobs/<job_id>/cancel")
@guarded(Scope.WEBHOOK)
@documented(
    summary="Cancel a job that has not ended.",
    replies={200: JobReply},
    errors=(errors.NotFound, errors.Conflict),
)
def cancel(job_id: str) -> Response:
    """Cancel a job, and of a batch what is open."""
    job = context.services().jobs.cancel(job_id, context.principal())
    return state_reply(job)


@blueprint.post("/jobs/<job_id>/replay")
@guarded(Scope.WEBHOOK)
@documented(
    summary="Do a job that has ended anew, as a new job.",
    replies={202: JobReply},
    errors=(errors.NotFound, errors.Conflict, errors.JobsDisabled),
)
def replay(job_id: str) -> Response:
    """Accept a new job from the document of an old one."""
    accepted = context.services().jobs.replay(
        job_id, context.principal(), context.request_id()
    )
    return state_reply(accepted.job, 202, accepted.warnings)


@blueprint.get("/jobs/<job_id>/deliveries")
@guarded(Scope.WEBHOOK)
@documented(
    summary="List who was told of a job, and each attempt to tell them.",
    replies={200: DeliveriesReply},
    errors=(errors.NotFound,),
)
def list_deliveries(job_id: str) -> Response:
    """Return the deliveries of a job, the oldest first."""
    found = context.services().deliveries.of_job(job_id, context.principal().id)
    rows = [delivery_data(each).model_dump(mode="json") for each in found]
    return data_reply(rows, {"next": None})


@blueprint.post("/deliveries/<delivery_id>/replay")
@guarded(Scope.WEBHOOK)
@documented(
    summary="Send a delivery that has ended once more.",
    replies={202: DeliveryReply},
    errors=(errors.NotFound, errors.Conflict, errors.JobsDisabled),
)
def replay_delivery(delivery_id: str) -> Response:
    """Plan another attempt of a delivery, under its own id."""
    found = context.services().deliveries.replay(delivery_id, context.principal().id)
    shown = delivery_data(found).model_dump(mode="json")
    return data_reply(shown, {"request_id": context.request_id()}, 202)
