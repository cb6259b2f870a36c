"""Deliveries as they are shown, never with what was sent."""

from datetime import datetime

from pydantic import BaseModel, Field

from flaskllm.api.v1.paging import PageMeta
from flaskllm.services.callbacks.delivery_reports import DeliveryReport
from flaskllm.services.closed_sets import DeliveryState


class AttemptData(BaseModel):
    """One attempt of a delivery."""

    number: int
    at: datetime
    status: int | None = Field(description="Of the answer; null when none came.")
    reason: str = Field(description="'' for a success, else a word such as `timeout`.")
    latency_ms: int


class DeliveryData(BaseModel):
    """A message to one receiver, and what came of it."""

    id: str = Field(description="The `webhook-id` of every attempt.")
    endpoint_id: str
    job_id: str | None
    event: str
    state: DeliveryState
    host: str = Field(description="Of a `callback_url`; '' for an endpoint's own.")
    created_at: datetime
    next_at: datetime | None = Field(description="Of the next attempt.")
    finished_at: datetime | None
    attempts: list[AttemptData]


class DeliveryMeta(BaseModel):
    """About the answer."""

    request_id: str


class DeliveryReply(BaseModel):
    """One delivery."""

    data: DeliveryData
    meta: DeliveryMeta


class DeliveriesReply(BaseModel):
    """Deliveries."""

    data: list[DeliveryData]
    meta: PageMeta


def delivery_data(found: DeliveryReport) -> DeliveryData:
    """Return a delivery as it is shown."""
    shown = {name: getattr(found, name) for name in DeliveryData.model_fields}
    shown["attempts"] = [
        AttemptData(**{name: getattr(each, name) for name in AttemptData.model_fields})
        for each in found.attempts
    ]
    return DeliveryData(**shown)
