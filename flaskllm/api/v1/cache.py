"""`DELETE /api/v1/cache`: nothing that was kept is answered any more."""

from typing import Annotated

from flask import Blueprint, Response
from pydantic import BaseModel, Field

from flaskllm.api import context
from flaskllm.api.actors import actor_here
from flaskllm.api.guard import guarded
from flaskllm.api.openapi import documented
from flaskllm.api.replies import data_reply
from flaskllm.api.v1.paging import NO_NUL, Nothing
from flaskllm.api.v1.queries import QueryFields, read_query
from flaskllm.core.auth import Scope
from flaskllm.services.caching.clearing import Clearing

blueprint = Blueprint("cache", __name__)

Name = Annotated[str, Field(min_length=1, max_length=200, pattern=NO_NUL)]


class CacheQuery(QueryFields):
    """What is cleared: what has any of these; everything without one."""

    alias: Name | None = Field(
        None, description="The alias of a route; of a pattern the pattern itself."
    )
    template: Name | None = Field(None, description="A prompt template.")
    token: Name | None = Field(None, description="The id of an API token.")


class ClearedData(BaseModel):
    """What was cleared, as it was asked for."""

    alias: str | None
    template: str | None
    token: str | None


class ClearedReply(BaseModel):
    """The cache was cleared."""

    data: ClearedData
    meta: Nothing


@blueprint.delete("/cache")
@guarded(Scope.ADMIN)
@documented(
    summary="Clear the cache of answers, for all processes at once.",
    query=CacheQuery,
    replies={200: ClearedReply},
)
def clear() -> Response:
    """Clear what the query names."""
    query = read_query(CacheQuery)
    wanted = Clearing(query.alias, query.template, query.token)
    context.services().clearing.clear(wanted, actor_here())
    return data_reply(query.model_dump(), {})
