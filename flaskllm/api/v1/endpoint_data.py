"""Endpoints: what may be said of one, and how one is shown."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from flaskllm.api.v1.paging import Nothing
from flaskllm.services.callbacks.endpoints import (
    LONGEST_OVERLAP_SECONDS,
    USUAL_OVERLAP_SECONDS,
    Endpoint,
)
from flaskllm.services.callbacks.events import EventType
from flaskllm.services.closed_sets import EndpointState, Rendering

_STRICT = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

Name = Annotated[str, Field(min_length=1, max_length=100)]
Url = Annotated[str, Field(min_length=1, max_length=2048)]
Email = Annotated[str, Field(min_length=3, max_length=254)]
Events = Annotated[list[EventType], Field(min_length=1, max_length=10)]
Secret = Annotated[str, Field(min_length=1, max_length=200)]
Overlap = Annotated[int, Field(ge=0, le=LONGEST_OVERLAP_SECONDS)]


class EndpointFields(BaseModel):
    """A new endpoint."""

    model_config = _STRICT

    name: Name = Field(description="For you to know it by.")
    url: Url | None = Field(None, description="Where messages go, but for mail.")
    email: Email | None = Field(None, description="Where mail goes.")
    events: Events = Field(description="What it is told of.")
    rendering: Rendering = Field("json", description="In what form.")
    secret: Secret | None = Field(
        None, description="`whsec_` and base64 of 24 to 64 bytes; made if absent."
    )


class EndpointChanges(BaseModel):
    """What becomes of an endpoint; what is left out stays."""

    model_config = _STRICT

    name: Name | None = None
    url: Url | None = None
    email: Email | None = None
    events: Events | None = None
    state: EndpointState | None = None


class RollFields(BaseModel):
    """A new secret."""

    model_config = _STRICT

    overlap_seconds: Overlap = Field(
        USUAL_OVERLAP_SECONDS, description="How long the old one signs too."
    )
    secret: Secret | None = Field(None, description="The new one; made if absent.")


class EndpointData(BaseModel):
    """An endpoint, without its secret."""

    id: str
    name: str
    url: str | None = Field(description="Null for mail, and for `callback_url`s.")
    email: str | None
    events: list[str]
    rendering: Rendering
    state: EndpointState
    disabled_reason: str = Field(description="'' while it is enabled.")
    failing_since: datetime | None
    previous_until: datetime | None = Field(
        description="Until when the secret before signs too."
    )
    created_at: datetime


class SecretEndpointData(EndpointData):
    """An endpoint with its secret."""

    secret: str = Field(description="What its messages are signed with.")


class SecretsData(BaseModel):
    """What signs now."""

    secrets: list[str] = Field(description="The newest first.")


class EndpointReply(BaseModel):
    """One endpoint."""

    data: EndpointData
    meta: Nothing


class SecretEndpointReply(BaseModel):
    """One endpoint, with its secret."""

    data: SecretEndpointData
    meta: Nothing


class EndpointsReply(BaseModel):
    """All endpoints."""

    data: list[EndpointData]
    meta: Nothing


class SecretsReply(BaseModel):
    """The secrets of an endpoint."""

    data: SecretsData
    meta: Nothing


def endpoint_json(endpoint: Endpoint) -> dict[str, object]:
    """Return an endpoint as it is shown, without its secret."""
    told = {name: getattr(endpoint, name) for name in EndpointData.model_fields}
    told["events"] = list(endpoint.events)
    return EndpointData(**told).model_dump(mode="json")
