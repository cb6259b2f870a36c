"""`/api/v1/health/providers`: how the upstreams stand, and who decides over them."""

from datetime import datetime
from typing import Annotated, Literal

from flask import Blueprint, Response
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from flaskllm.api import context
from flaskllm.api.actors import actor_here
from flaskllm.api.admin import read_admin_json
from flaskllm.api.guard import guarded
from flaskllm.api.openapi import documented
from flaskllm.api.replies import data_reply
from flaskllm.api.v1.chat_fields import whole
from flaskllm.api.v1.standings import (
    StandingData,
    StateMeta,
    rounded,
    standing_data,
)
from flaskllm.api.validation import parse_model
from flaskllm.core.auth import Scope
from flaskllm.core.errors import InvalidInputError, NotFound, PayloadTooLarge
from flaskllm.services.health import DeploymentHealth, ProviderHealth
from flaskllm.services.overrides import Override

MOST_SECONDS = 86_400

blueprint = Blueprint("providers", __name__)


class OverrideData(BaseModel):
    """What an operator decided over a deployment."""

    deployment: str
    state: Literal["open", "closed"]
    expires_at: datetime | None = Field(description="Null: until it is removed.")
    set_by: str = Field(description="The id of the principal.")
    set_at: datetime


class HealthData(StandingData):
    """How one deployment stands."""

    deployment: str
    model: str = Field(description="The upstream's name for it.")
    last_error: str | None = Field(
        description="The code of its last failure in this process; null without one."
    )
    last_error_seconds_ago: float | None = Field(
        description="How long ago that was; null without one."
    )
    override: OverrideData | None


class ProviderData(BaseModel):
    """How one provider's deployments stand in the process that answers."""

    provider: str
    kind: str
    idle_seconds: float | None = Field(
        description="Since the last attempt at one of them; null before any."
    )
    deployments: list[HealthData]


class ProvidersReply(BaseModel):
    """All providers."""

    data: list[ProviderData]
    meta: StateMeta


class DeploymentReply(BaseModel):
    """One deployment."""

    data: HealthData
    meta: StateMeta


class OverrideReply(BaseModel):
    """What stands now."""

    data: OverrideData
    meta: StateMeta


class Removed(BaseModel):
    """A deployment that its breaker decides over."""

    deployment: str
    override: None = None


class RemovedReply(BaseModel):
    """What stands now."""

    data: Removed
    meta: StateMeta


class OverrideFields(BaseModel):
    """What an operator decides."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    state: Literal["open", "closed"] = Field(
        description="`open` keeps requests away, `closed` lets them through whatever "
        "its breaker says."
    )
    seconds: (
        Annotated[int, Field(ge=1, le=MOST_SECONDS), BeforeValidator(whole)] | None
    ) = Field(None, description="How long; until it is removed if absent.")


@blueprint.get("/health/providers")
@guarded(Scope.READ)
@documented(
    summary="Tell how the upstreams and their deployments stand in this process.",
    replies={200: ProvidersReply},
)
def list_all() -> Response:
    """Return every provider with its deployments."""
    found = [_provider_data(each) for each in context.services().providers.list()]
    return data_reply([each.model_dump(mode="json") for each in found], _meta())


@blueprint.get("/health/providers/<path:deployment>")
@guarded(Scope.READ)
@documented(
    summary="Tell how one deployment stands in this process.",
    replies={200: DeploymentReply},
    errors=(InvalidInputError, NotFound),
)
def get(deployment: str) -> Response:
    """Return one deployment."""
    found = _health_data(context.services().providers.find(deployment))
    return data_reply(found.model_dump(mode="json"), _meta())


@blueprint.put("/health/providers/<path:deployment>")
@guarded(Scope.ADMIN)
@documented(
    summary="Decide over a deployment, in every process within a second.",
    body={"application/json": OverrideFields},
    replies={200: OverrideReply},
    errors=(NotFound, PayloadTooLarge),
)
def put(deployment: str) -> Response:
    """Keep requests away from a deployment, or let them through."""
    fields = parse_model(OverrideFields, read_admin_json())
    override = context.services().overrides.put(
        deployment, fields.state, fields.seconds, actor_here()
    )
    return data_reply(_override_data(override).model_dump(mode="json"), _meta())


@blueprint.delete("/health/providers/<path:deployment>")
@guarded(Scope.ADMIN)
@documented(
    summary="Leave a deployment to its breaker again.",
    replies={200: RemovedReply},
    errors=(NotFound,),
)
def remove(deployment: str) -> Response:
    """Take back what was decided over a deployment."""
    context.services().overrides.remove(deployment, actor_here())
    return data_reply(Removed(deployment=deployment).model_dump(), _meta())


def _meta() -> dict[str, object]:
    return {"settings_version": context.services().settings.version()}


def _provider_data(provider: ProviderHealth) -> ProviderData:
    return ProviderData(
        provider=provider.name,
        kind=provider.kind,
        idle_seconds=rounded(provider.idle_seconds),
        deployments=[_health_data(each) for each in provider.deployments],
    )


def _health_data(health: DeploymentHealth) -> HealthData:
    return HealthData(
        **dict(standing_data(health.standing)),
        deployment=health.deployment.name,
        model=health.deployment.model,
        last_error=health.standing.last_error or None,
        last_error_seconds_ago=rounded(health.standing.last_error_seconds_ago),
        override=_override_data(health.override) if health.override else None,
    )


def _override_data(override: Override) -> OverrideData:
    return OverrideData(
        deployment=override.deployment,
        state=override.state,
        expires_at=override.expires_at,
        set_by=override.set_by,
        set_at=override.set_at,
    )
