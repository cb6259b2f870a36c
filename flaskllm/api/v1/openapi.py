"""`GET /api/v1/openapi.json`: this API, described for machines."""

from flask import Blueprint, Response, current_app
from pydantic import BaseModel, ConfigDict

from flaskllm.api.guard import guarded
from flaskllm.api.openapi import describe, documented
from flaskllm.api.replies import json_reply
from flaskllm.core.auth import Scope

_EXTENSION = "flaskllm.openapi"

blueprint = Blueprint("openapi", __name__)


class OpenApiReply(BaseModel):
    """An OpenAPI 3.1 document."""

    model_config = ConfigDict(extra="allow")

    openapi: str


@blueprint.get("/openapi.json")
@guarded(Scope.WEBHOOK, Scope.CHAT, Scope.READ)
@documented(summary="Describe this API in OpenAPI 3.1.", replies={200: OpenApiReply})
def show() -> Response:
    """Return the description of every route."""
    known = current_app.extensions
    if _EXTENSION not in known:
        known[_EXTENSION] = describe(current_app)
    return json_reply(known[_EXTENSION])
