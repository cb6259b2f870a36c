"""Jobs as they are shown: how they stand, and their answers."""

from datetime import datetime
from math import ceil
from typing import Any

from flask import Response
from pydantic import BaseModel, Field, RootModel

from flaskllm.api import context
from flaskllm.api.replies import data_reply, json_reply
from flaskllm.api.v1.paging import PageMeta
from flaskllm.api.v1.webhook_data import WebhookReply
from flaskllm.core.error_codes import status_of
from flaskllm.core.errors import JobCancelled
from flaskllm.core.money import dollars
from flaskllm.services.closed_sets import JobKind, JobState
from flaskllm.services.jobs.reports import JobReport

# How old a job is, in seconds, and after how many its caller should ask again: most
# are done in a few, and nobody has to be asked every second about a long one.
_PACE = ((10, 1), (60, 5), (600, 15))
_SLOWEST_SECONDS = 20
# However long it was put off: meanwhile somebody may cancel it.
_LONGEST_SECONDS = 60


class WrongFieldData(BaseModel):
    """One thing that was wrong with the request."""

    path: str
    problem: str
    allowed: str


class NeedsData(BaseModel):
    """A document that only you can fetch; the error's `details` say how."""

    sender: str = Field(description="Who told of it.")
    what: str = Field(description="mail or transcript.")
    ids: dict[str, str | list[str]] = Field(
        description="By which it is found where it lies, such as `meeting_id`."
    )


class JobErrorData(BaseModel):
    """Why a job failed: what the webhook would have answered."""

    error: str
    details: str
    code: str
    fields: list[WrongFieldData] = []
    needs: NeedsData | None = Field(
        None, description="Of `NEEDS_FETCH`: which document."
    )


class JobData(BaseModel):
    """How a job stands."""

    id: str
    kind: JobKind
    state: JobState
    source: str
    priority: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    deadline_at: datetime | None
    expires_at: datetime = Field(description="When it and its document are removed.")
    attempt: int | None = Field(
        description="How often it was begun as planned; null of a batch."
    )
    next_at: datetime | None = Field(
        description="When its next attempt begins at the earliest; null unless it "
        "failed and waits."
    )
    batch_id: str | None
    number: int | None = Field(description="Its place in the batch, from 0.")
    error_code: str | None = Field(
        description="Why it failed; of one that was put off, why its last attempt did."
    )
    cost: float | None = Field(description="US dollars so far; null when not known.")
    counts: dict[JobState, int] | None = Field(
        description="Of a batch: how many items are in each state."
    )
    error: JobErrorData | None = Field(description="Left out of lists.")
    location: str = Field(description="Where to ask for it.")


class JobMeta(BaseModel):
    """About the answer, not the job."""

    request_id: str
    warnings: list[str] = Field([], description="Such as `no_worker_seen`.")


class JobReply(BaseModel):
    """One job."""

    data: JobData
    meta: JobMeta


class AnswerReply(RootModel[WebhookReply | JobReply]):
    """What the webhook would have answered; of a batch, how it stands."""


class JobsReply(BaseModel):
    """A page of jobs, the newest first."""

    data: list[JobData]
    meta: PageMeta


class ItemData(JobData):
    """An item of a batch."""

    result: dict[str, Any] | None = Field(
        description="The webhook's answer, `data` and `meta`; null unless it is done."
    )


class ItemsReply(BaseModel):
    """A page of a batch's items, by their numbers."""

    data: list[ItemData]
    meta: PageMeta


def job_data(job: JobReport) -> JobData:
    """Return a job as it is shown."""
    shown = {name: getattr(job, name, None) for name in JobData.model_fields}
    more = {"cost": dollars(job.cost_nanos), "location": location_of(job.id)}
    return JobData(**(shown | more))


def item_data(job: JobReport) -> ItemData:
    """Return an item of a batch, with what it has brought."""
    result = None if job.result is None else dict(job.result)
    return ItemData(**job_data(job).model_dump(), result=result)


def location_of(job_id: str) -> str:
    """Return the path of a job."""
    return f"/api/v1/jobs/{job_id}"


def state_reply(
    job: JobReport, status: int = 200, warnings: tuple[str, ...] = ()
) -> Response:
    """Return how a job stands; with 202 it says where and when to ask again."""
    meta = {"request_id": context.request_id(), "warnings": list(warnings)}
    reply = data_reply(job_data(job).model_dump(mode="json"), meta, status)
    if status == 202:
        reply.headers["Location"] = location_of(job.id)
        pause = pause_seconds(job, context.services().clock.now())
        reply.headers["Retry-After"] = str(pause)
    return reply


def answer_reply(job: JobReport, warnings: tuple[str, ...] = ()) -> Response:
    """Return what a job has come to: the webhook's own answer once there is one.

    202 while it works, so that whoever follows `Location` comes back; then 200 with
    what the webhook would have answered, or its error with its status.

    Args:
        job: The job, with its result.
        warnings: About its acceptance; told while it works.

    Raises:
        JobCancelled: There will be no answer.
    """
    if not job.has_ended:
        return state_reply(job, 202, warnings)
    if job.error is not None:
        return json_reply(job.error, status_of(str(job.error["code"])))
    if job.state != "done":
        raise JobCancelled(details="It can be replayed as long as it is kept.")
    if job.result is None:  # a batch; its items have theirs
        return state_reply(job)
    return json_reply(job.result)


def pause_seconds(job: JobReport, now: datetime) -> int:
    """Return after how many seconds, 1 to 60, to ask again for an open job.

    One that was put off does nothing before its next attempt.
    """
    if job.next_at is not None and job.next_at > now:
        return min(ceil((job.next_at - now).total_seconds()), _LONGEST_SECONDS)
    age = (now - job.created_at).total_seconds()
    return next((pause for below, pause in _PACE if age < below), _SLOWEST_SECONDS)
