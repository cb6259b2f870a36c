"""Inbound endpoints: what may be said of one, and how one is shown."""

from datetime import datetime
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from flaskllm.api.v1.paging import Nothing
from flaskllm.api.v1.webhook_fields import JOB_FIELDS, Id, Url, WebhookFields
from flaskllm.api.validation import refusal
from flaskllm.core.config_inbound import SenderName
from flaskllm.services.inbound.terms import Inbound, Origin

_STRICT = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

Label = Annotated[str, Field(min_length=1, max_length=100)]
# A public key has some hundred characters.
Secret = Annotated[str, Field(min_length=1, max_length=4096)]
Topic = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^arn:")]
Address = Annotated[str, Field(min_length=3, max_length=254, pattern="@")]
JsonPath = Annotated[str, Field(min_length=1, max_length=400)]
TokenId = Annotated[str, Field(pattern=r"^([0-9A-Za-z]{12}|bootstrap)$")]
Topics = Annotated[list[Topic], Field(max_length=50)]
Addresses = Annotated[list[Address], Field(max_length=200)]
Mapped = Annotated[dict[str, JsonPath], Field(max_length=20)]
State = Literal["enabled", "disabled"]


# What each delivery says itself, and what is no one's to say for all of them.
_EACH_ITS_OWN = (JOB_FIELDS - {"priority", "deadline_seconds"}) | {
    "source",
    "reference_time",
}
_ALLOWED_HERE = "it belongs to one document; leave it out here"


def _leave_out(schema: dict[str, Any]) -> None:
    for name in (*_EACH_ITS_OWN, "async"):
        schema["properties"].pop(name, None)


class DigestFields(WebhookFields):
    """What is made of each delivery: fields of the webhook, which mean the same."""

    model_config = ConfigDict(
        extra="forbid", hide_input_in_errors=True, json_schema_extra=_leave_out
    )

    @field_validator(*sorted(_EACH_ITS_OWN))
    @classmethod
    def _is_not_said_here(cls, value: object) -> object:
        raise refusal("cannot be said of all deliveries", _ALLOWED_HERE)


class _Terms(BaseModel):
    """What makes an endpoint; what a sender needs is told by the refusal."""

    model_config = _STRICT

    secret: Secret | None = Field(
        None, description="The signing secret, token or public key of the sender."
    )
    username: Label | None = Field(
        None, description="Of the credentials in the address."
    )
    password: Secret | None = Field(None, description="The same.")
    topics: Topics | None = Field(None, description="ARNs, for ses.")
    api_key: Secret | None = Field(
        None, description="With what fireflies' transcripts are fetched."
    )
    mapping: Mapped | None = Field(
        None,
        description="For generic: our fields, as JSON paths into the delivery; "
        "`source` may be the word itself, such as meeting.",
    )
    api_token: TokenId | None = Field(
        None, description="The id of the API token that pays; yours if absent."
    )
    recipients: Addresses | None = Field(
        None, description="Mail to others is taken and not digested."
    )
    digest: DigestFields | None = None
    callback_url: Url | None = Field(None, description="Where ends of jobs are told.")
    endpoint: Id | None = Field(None, description="An endpoint that is told instead.")


class InboundFields(_Terms):
    """A new inbound endpoint."""

    name: Label = Field(description="For you to know it by.")
    sender: SenderName = Field(description="Who delivers.")


class InboundChanges(_Terms):
    """What becomes of an inbound endpoint; what is left out stays, null clears it."""

    name: Label | None = None
    state: State | None = None


class InboundData(BaseModel):
    """An inbound endpoint, without its secrets."""

    id: str
    name: str
    sender: SenderName
    state: State
    origin: Origin = Field(description="The settings file's cannot be changed here.")
    address: str = Field(description="The path at which it takes deliveries.")
    api_token: str = Field(description="Whose the jobs are, and who pays.")
    username: str | None
    topics: list[str]
    mapping: dict[str, str]
    recipients: list[str]
    digest: dict[str, Any]
    callback_host: str | None
    endpoint: str | None
    secrets: list[str] = Field(description="Which are set; none is ever shown.")
    created_at: datetime | None = Field(description="Null for one of the file.")


class InboundReply(BaseModel):
    """One inbound endpoint."""

    data: InboundData
    meta: Nothing


class InboundsReply(BaseModel):
    """All inbound endpoints."""

    data: list[InboundData]
    meta: Nothing


class DeliveredData(BaseModel):
    """What became of a delivery."""

    job: str | None = Field(description="Null where nothing was to be done.")
    ignored: str | None = Field(
        None, description="Why nothing is made of it; left out where something is."
    )


class DeliveredReply(BaseModel):
    """A delivery that was taken."""

    data: DeliveredData


_SECRETS = ("secret", "password", "api_key")


def said_of(fields: _Terms) -> dict[str, Any]:
    """Return what was said of an endpoint, nulls too, without what was left out."""
    said = fields.model_dump(exclude_unset=True)
    if fields.digest is not None:
        said["digest"] = fields.digest.model_dump(mode="json", exclude_none=True)
    return said


def inbound_json(found: Inbound) -> dict[str, object]:
    """Return an inbound endpoint as it is shown."""
    terms = found.terms
    return InboundData(
        id=found.id,
        name=found.name,
        sender=found.sender,
        state=found.state,
        origin=found.origin,
        address=found.address,
        api_token=found.principal_id,
        username=terms.username,
        topics=list(terms.topics),
        mapping=dict(terms.mapping),
        recipients=list(terms.recipients),
        digest=dict(terms.digest),
        callback_host=urlsplit(terms.callback_url or "").hostname,
        endpoint=terms.endpoint,
        secrets=[name for name in _SECRETS if getattr(terms, name)],
        created_at=found.created_at,
    ).model_dump(mode="json")
