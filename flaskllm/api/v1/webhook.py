"""`POST /api/v1/webhook`: a mail or a meeting in, a checked digest out."""

from flask import Blueprint, Response

from flaskllm.api import context
from flaskllm.api.guard import guarded
from flaskllm.api.idempotency import idempotent
from flaskllm.api.openapi import documented
from flaskllm.api.replies import data_reply
from flaskllm.api.v1.accepting import accept, takes_long_ones, wants_job
from flaskllm.api.v1.job_data import JobReply
from flaskllm.api.v1.ordering import ordered_of, source_of, target_of, threads_of
from flaskllm.api.v1.plan_data import DigestOrPlan, plan_reply
from flaskllm.api.v1.preferences import read_preferences
from flaskllm.api.v1.webhook_data import DIGEST_ERRORS
from flaskllm.api.v1.webhook_fields import (
    NOT_BLANK,
    WebhookFields,
    WebhookJson,
    form_schema,
)
from flaskllm.api.v1.webhook_forms import (
    MULTIPART,
    WEBHOOK_BODY_BYTES,
    receive,
)
from flaskllm.core.auth import Scope
from flaskllm.core.errors import JobCancelled, JobsDisabled
from flaskllm.core.money import dollars
from flaskllm.inputs.media_types import FILE_TYPES, SUPPORTED
from flaskllm.services.budget_words import budget_warnings
from flaskllm.services.digests.gathering import TooManyCallsError
from flaskllm.services.jobs.orders import Ordered

blueprint = Blueprint("webhook", __name__)

_RAW = {"schema": {"type": "string", "pattern": NOT_BLANK}}
_FORM = {
    "schema": form_schema(),
    "encoding": {"file": {"contentType": ", ".join(FILE_TYPES)}},
}


@blueprint.post("/webhook")
@guarded(Scope.WEBHOOK)
@documented(
    summary="Digest a mail, a transcript or a text.",
    body={
        "application/json": WebhookJson,
        MULTIPART: _FORM,
        **dict.fromkeys(SUPPORTED, _RAW),
    },
    query=WebhookFields,
    replies={200: DigestOrPlan, 202: JobReply},
    errors=(*DIGEST_ERRORS, JobCancelled, JobsDisabled),
    heeds_preferences=True,
)
@idempotent(WEBHOOK_BODY_BYTES)
def digest() -> Response:
    """Return the digest of the document in this request, or where it will be."""
    received = receive()
    preferences = read_preferences()
    ordered = ordered_of(received)
    if received.fields.get("dry_run"):
        return plan_reply(ordered, target_of(received.fields))
    if not wants_job(received.fields, preferences):
        digests = context.services().digests
        try:
            return _answer(ordered, digests.most_inline_calls)
        except TooManyCallsError:
            if not takes_long_ones():
                return _answer(ordered)
    source = source_of(ordered.order)
    return accept(ordered, received.fields, preferences, source)


def _answer(ordered: Ordered, most_calls: int | None = None) -> Response:
    call = context.make_call(source_of(ordered.order))
    digests = context.services().digests
    whose = threads_of(ordered.order)
    result = digests.make(ordered.order, call, most_calls=most_calls, threads_of=whose)
    if result.degraded:
        context.note_degraded()
    cost = dollars(context.account().cost_nanos)
    reply = result.to_json(context.request_id(), context.elapsed_seconds(), cost)
    reply["meta"]["warnings"] += ordered.warnings
    reply["meta"]["warnings"] += budget_warnings(context.notices())
    if ordered.metadata is not None:
        reply["meta"]["metadata"] = ordered.metadata
    return data_reply(**reply)
