"""`/api/v1/inbound`: where senders deliver, administered."""

from flask import Blueprint, Response

from flaskllm.api import context
from flaskllm.api.actors import actor_here
from flaskllm.api.admin import read_admin_json
from flaskllm.api.guard import guarded
from flaskllm.api.openapi import documented
from flaskllm.api.replies import data_reply
from flaskllm.api.v1.inbound_data import (
    InboundChanges,
    InboundFields,
    InboundReply,
    InboundsReply,
    inbound_json,
    said_of,
)
from flaskllm.api.validation import parse_model
from flaskllm.core.auth import Scope
from flaskllm.core.errors import Conflict, NotFound, PayloadTooLarge

blueprint = Blueprint("inbound", __name__)


@blueprint.get("/inbound")
@guarded(Scope.ADMIN)
@documented(summary="List all inbound endpoints.", replies={200: InboundsReply})
def list_all() -> Response:
    """Return those of the settings file, then the others, the oldest first."""
    found = context.services().inbound.endpoints.list()
    return data_reply([inbound_json(each) for each in found], {})


@blueprint.post("/inbound")
@guarded(Scope.ADMIN)
@documented(
    summary="Let a sender deliver mail or meetings.",
    body={"application/json": InboundFields},
    replies={201: InboundReply},
    errors=(Conflict, PayloadTooLarge),
)
def create() -> Response:
    """Make an inbound endpoint."""
    fields = parse_model(InboundFields, read_admin_json())
    made = context.services().inbound.endpoints.create(
        fields.name, fields.sender, said_of(fields), actor_here()
    )
    reply = data_reply(inbound_json(made), {}, 201)
    reply.headers["Location"] = f"/api/v1/inbound/{made.id}"
    return reply


@blueprint.get("/inbound/<endpoint_id>")
@guarded(Scope.ADMIN)
@documented(
    summary="Show an inbound endpoint.",
    replies={200: InboundReply},
    errors=(NotFound,),
)
def show(endpoint_id: str) -> Response:
    """Return one inbound endpoint."""
    found = context.services().inbound.endpoints.get(endpoint_id)
    return data_reply(inbound_json(found), {})


@blueprint.patch("/inbound/<endpoint_id>")
@guarded(Scope.ADMIN)
@documented(
    summary="Change an inbound endpoint.",
    body={"application/json": InboundChanges},
    replies={200: InboundReply},
    errors=(NotFound, Conflict, PayloadTooLarge),
)
def change(endpoint_id: str) -> Response:
    """Change what is given."""
    fields = parse_model(InboundChanges, read_admin_json())
    changed = context.services().inbound.endpoints.change(
        endpoint_id, said_of(fields), actor_here()
    )
    return data_reply(inbound_json(changed), {})


@blueprint.delete("/inbound/<endpoint_id>")
@guarded(Scope.ADMIN)
@documented(
    summary="Remove an inbound endpoint; jobs that it has made go on.",
    replies={200: InboundReply},
    errors=(NotFound, Conflict),
)
def remove(endpoint_id: str) -> Response:
    """Remove an inbound endpoint, and return it as it was."""
    removed = context.services().inbound.endpoints.remove(endpoint_id, actor_here())
    return data_reply(inbound_json(removed), {})
