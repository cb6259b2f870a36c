"""What a dry run answers: the plan of a digest."""

from flask import Response
from pydantic import BaseModel, Field, RootModel

from flaskllm.api import context
from flaskllm.api.replies import data_reply
from flaskllm.api.v1.ordering import source_of, threads_of
from flaskllm.api.v1.webhook_data import WebhookReply
from flaskllm.services.jobs.orders import Ordered


class DigestPlan(BaseModel):
    """What a digest would take, estimated; nothing was asked."""

    calls: int = Field(description="To models, repairs left aside; 0 without a model.")
    pieces: int = Field(description="In which the document would be read.")
    tokens_input: int = Field(description="Of all calls, rather too many.")
    tokens_output_most: int = Field(description="That all answers may take.")
    cost_estimated: float | None = Field(
        description="US dollars; null when a price is not known."
    )


class PlanData(BaseModel):
    """A plan in the place of a digest."""

    plan: DigestPlan


class PlanMeta(BaseModel):
    """How the plan was made."""

    request_id: str
    processing_time: float = Field(description="Seconds.")
    warnings: list[str]


class PlanReply(BaseModel):
    """What `dry_run` answers."""

    data: PlanData
    meta: PlanMeta


class DigestOrPlan(RootModel[WebhookReply | PlanReply]):
    """The digest; with `dry_run` its plan."""


def plan_reply(ordered: Ordered, target: str | None = None) -> Response:
    """Answer with the plan of a digest; nothing is spent.

    `target` is who would be told of it, for its thread.
    """
    call = context.make_call(source_of(ordered.order))
    wanted, digests = ordered.order, context.services().digests
    plan = digests.plan(wanted, call, threads_of(wanted, target))
    meta = {
        "request_id": context.request_id(),
        "processing_time": round(context.elapsed_seconds(), 3),
        "warnings": list(ordered.warnings),
    }
    return data_reply({"plan": plan.to_json()}, meta)
