"""`GET /v1/models` and `GET /v1/models/{id}`: what a caller may name.

Source: https://platform.openai.com/docs/api-reference/models
"""

from typing import Any

from flask import Blueprint, Response

from flaskllm.api import context
from flaskllm.api.guard import guarded
from flaskllm.api.openai.replies import json_bytes_reply
from flaskllm.core import json_text
from flaskllm.core.auth import Scope
from flaskllm.services.models import ModelEntry

blueprint = Blueprint("openai_models", __name__)


@blueprint.get("/models")
@guarded(Scope.CHAT, Scope.READ)
def list_all() -> Response:
    """Return every model that this caller may name."""
    entries = context.services().models.list(context.principal())
    data = [_model(entry) for entry in entries]
    return json_bytes_reply(json_text.dump({"object": "list", "data": data}))


@blueprint.get("/models/<path:model_id>")
@guarded(Scope.CHAT, Scope.READ)
def find(model_id: str) -> Response:
    """Return one model; its id may hold slashes."""
    entry = context.services().models.find(model_id, context.principal())
    return json_bytes_reply(json_text.dump(_model(entry)))


def _model(entry: ModelEntry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "object": "model",
        "created": entry.created,
        "owned_by": entry.owned_by,
    }
