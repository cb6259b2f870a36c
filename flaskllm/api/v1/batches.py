"""`POST /api/v1/batches`: many digests as one job."""

from typing import Annotated, Any

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from flaskllm.api import context
from flaskllm.api.guard import guarded
from flaskllm.api.idempotency import idempotent
from flaskllm.api.openapi import documented
from flaskllm.api.v1.accepting import accepted_reply, wanted_of
from flaskllm.api.v1.job_data import JobReply
from flaskllm.api.v1.ordering import ordered_of
from flaskllm.api.v1.preferences import read_preferences
from flaskllm.api.v1.webhook_fields import (
    JOB_FIELDS,
    WEBHOOK_FIELDS,
    EventId,
    Id,
    JobSeconds,
    Priority,
    Url,
    WebhookJson,
    drop_absent,
)
from flaskllm.api.v1.webhook_forms import Received, unknown_fields
from flaskllm.api.validation import parse_model, read_json
from flaskllm.core.auth import Scope
from flaskllm.core.errors import JobCancelled, JobsDisabled, PayloadTooLarge
from flaskllm.inputs import refuse_empty
from flaskllm.services.jobs.accepting import MOST_ITEMS
from flaskllm.services.jobs.orders import Ordered

BATCH_BODY_BYTES = 32 * 1024 * 1024

blueprint = Blueprint("batches", __name__)

_SOURCE = "batch"
_NAMES = (WEBHOOK_FIELDS - JOB_FIELDS - {"async"}) | {"prompt"}

Items = Annotated[list[WebhookJson], Field(min_length=1, max_length=MOST_ITEMS)]


class BatchFields(BaseModel):
    """Bodies of the webhook, and how the job is to be done."""

    model_config = ConfigDict(hide_input_in_errors=True, extra="forbid")

    items: Items = Field(description="What the webhook takes as JSON, each.")
    callback_url: Url | None = Field(None, description="Where the end is told, once.")
    endpoint: Id | None = Field(None, description="An endpoint of yours that is told.")
    priority: Priority | None = Field(None, description="Lower goes first.")
    deadline_seconds: JobSeconds | None = Field(
        None, description="When what is left is given up, from now."
    )
    event_id: EventId | None = Field(None, description="It is done once.")
    force: bool | None = Field(None, description="Do it anew all the same.")

    drop_absent = model_validator(mode="before")(drop_absent)


@blueprint.post("/batches")
@guarded(Scope.WEBHOOK)
@documented(
    summary="Digest up to 500 documents as one job.",
    body={"application/json": BatchFields},
    replies={200: JobReply, 202: JobReply},
    errors=(JobCancelled, JobsDisabled, PayloadTooLarge),
    heeds_preferences=True,
)
@idempotent(BATCH_BODY_BYTES)
def create() -> Response:
    """Accept all items, or none."""
    body = read_json(BATCH_BODY_BYTES)
    fields = parse_model(BatchFields, body)
    preferences = read_preferences()
    items = [
        _ordered(number, item, body["items"][number])
        for number, item in enumerate(fields.items)
    ]
    given = fields.model_dump(exclude={"items"}, exclude_none=True)
    wanted = wanted_of(given, _SOURCE)
    accepted = context.services().jobs.accept_batch(items, wanted, context.principal())
    return accepted_reply(accepted, preferences)


def _ordered(number: int, item: WebhookJson, told: dict[str, Any]) -> Ordered:
    given = dict(item.given())
    content = given.pop("prompt").encode("utf-8")
    refuse_empty(content, f"items.{number}.prompt")
    unknown = unknown_fields(told, _NAMES)
    return ordered_of(Received(content, given, charset="utf-8", unknown=unknown))
