"""`GET /api/v1/models`: where names lead, and how the deployments there stand."""

from typing import Literal

from flask import Blueprint, Response
from pydantic import BaseModel, Field

from flaskllm.api import context
from flaskllm.api.guard import guarded
from flaskllm.api.openapi import documented
from flaskllm.api.replies import data_reply
from flaskllm.api.v1.standings import (
    DeploymentData,
    StandingData,
    StateMeta,
    deployment_data,
    standing_data,
)
from flaskllm.core.auth import Scope
from flaskllm.services.routes import RouteEntry, RouteMember

blueprint = Blueprint("models", __name__)


class MemberData(DeploymentData):
    """A deployment of a route."""

    weight: int = Field(description="Its share in the route.")
    standing: StandingData


class RouteData(BaseModel):
    """A route of the settings."""

    name: str = Field(description="The alias, the pattern or the capability.")
    kind: Literal["alias", "pattern", "capability"]
    default: bool = Field(description="Whether it serves who names no model.")
    strategy: str
    fallbacks: list[str]
    rescue: str
    require_price: bool
    deployments: list[MemberData]


class ModelsReply(BaseModel):
    """All routes."""

    data: list[RouteData]
    meta: StateMeta


@blueprint.get("/models")
@guarded(Scope.READ)
@documented(
    summary="List the routes with their deployments, and how those stand.",
    replies={200: ModelsReply},
)
def list_all() -> Response:
    """Return every route that this caller may name, in the order of the settings."""
    house = context.services()
    entries = house.routes.list(context.principal().aliases)
    routes = [_route_data(entry).model_dump() for entry in entries]
    return data_reply(routes, {"settings_version": house.settings.version()})


def _route_data(entry: RouteEntry) -> RouteData:
    return RouteData(
        name=entry.name,
        kind=entry.kind,
        default=entry.is_default,
        strategy=entry.strategy,
        fallbacks=list(entry.fallbacks),
        rescue=entry.rescue,
        require_price=entry.require_price,
        deployments=[_member_data(member) for member in entry.members],
    )


def _member_data(member: RouteMember) -> MemberData:
    return MemberData(
        **dict(deployment_data(member.deployment, member.price)),
        weight=member.weight,
        standing=standing_data(member.standing),
    )
