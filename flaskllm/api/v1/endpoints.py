"""`/api/v1/endpoints`: whom a principal has told of its events."""

from flask import Blueprint, Response, request

from flaskllm.api import context
from flaskllm.api.actors import actor_here
from flaskllm.api.admin import read_admin_json
from flaskllm.api.guard import guarded
from flaskllm.api.openapi import documented
from flaskllm.api.replies import data_reply
from flaskllm.api.v1.delivery_data import (
    DeliveriesReply,
    DeliveryReply,
    delivery_data,
)
from flaskllm.api.v1.endpoint_data import (
    EndpointChanges,
    EndpointFields,
    EndpointReply,
    EndpointsReply,
    RollFields,
    SecretEndpointReply,
    SecretsReply,
    endpoint_json,
)
from flaskllm.api.v1.paging import PageFields, cut
from flaskllm.api.v1.queries import read_query
from flaskllm.api.validation import parse_model
from flaskllm.core.auth import Scope
from flaskllm.core.errors import Conflict, JobsDisabled, NotFound, PayloadTooLarge
from flaskllm.services.callbacks.delivery_reports import DeliveryReport
from flaskllm.services.callbacks.endpoints import NewEndpoint

blueprint = Blueprint("endpoints", __name__)


@blueprint.get("/endpoints")
@guarded(Scope.WEBHOOK)
@documented(summary="List your endpoints.", replies={200: EndpointsReply})
def list_all() -> Response:
    """Return all endpoints of the caller, the oldest first."""
    found = context.services().endpoints.list(context.principal().id)
    return data_reply([endpoint_json(each) for each in found], {})


@blueprint.post("/endpoints")
@guarded(Scope.WEBHOOK)
@documented(
    summary="Have events told to an address of yours.",
    body={"application/json": EndpointFields},
    replies={201: SecretEndpointReply},
    errors=(Conflict, PayloadTooLarge),
)
def create() -> Response:
    """Make an endpoint."""
    fields = parse_model(EndpointFields, read_admin_json())
    wanted = NewEndpoint(**{**dict(fields), "events": tuple(fields.events)})
    made, secret = context.services().endpoints.create(
        wanted, context.principal().id, actor_here()
    )
    reply = data_reply(endpoint_json(made) | {"secret": secret}, {}, 201)
    reply.headers["Location"] = f"/api/v1/endpoints/{made.id}"
    return reply


@blueprint.get("/endpoints/<endpoint_id>")
@guarded(Scope.WEBHOOK)
@documented(
    summary="Show an endpoint.", replies={200: EndpointReply}, errors=(NotFound,)
)
def show(endpoint_id: str) -> Response:
    """Return one endpoint of the caller."""
    found = context.services().endpoints.get(endpoint_id, context.principal().id)
    return data_reply(endpoint_json(found), {})


@blueprint.patch("/endpoints/<endpoint_id>")
@guarded(Scope.WEBHOOK)
@documented(
    summary="Change an endpoint, or enable it again.",
    body={"application/json": EndpointChanges},
    replies={200: EndpointReply},
    errors=(NotFound, PayloadTooLarge),
)
def change(endpoint_id: str) -> Response:
    """Change what is given."""
    fields = parse_model(EndpointChanges, read_admin_json())
    changed = context.services().endpoints.change(
        endpoint_id,
        context.principal().id,
        fields.model_dump(exclude_none=True),
        actor_here(),
    )
    return data_reply(endpoint_json(changed), {})


@blueprint.delete("/endpoints/<endpoint_id>")
@guarded(Scope.WEBHOOK)
@documented(
    summary="Remove an endpoint; what waits for it is not sent.",
    replies={200: EndpointReply},
    errors=(NotFound,),
)
def remove(endpoint_id: str) -> Response:
    """Remove an endpoint, and return it as it was."""
    house, owner = context.services().endpoints, context.principal().id
    found = house.get(endpoint_id, owner)
    house.remove(endpoint_id, owner, actor_here())
    return data_reply(endpoint_json(found), {})


@blueprint.post("/endpoints/<endpoint_id>/roll")
@guarded(Scope.WEBHOOK)
@documented(
    summary="Give an endpoint a new secret.",
    body={"application/json": RollFields},
    replies={200: SecretEndpointReply},
    errors=(NotFound, PayloadTooLarge),
)
def roll(endpoint_id: str) -> Response:
    """Roll the secret; without a body the old one signs for another day."""
    body = read_admin_json() if request.get_data() else {}
    fields = parse_model(RollFields, body)
    rolled, secret = context.services().endpoints.roll(
        endpoint_id,
        context.principal().id,
        actor_here(),
        overlap_seconds=fields.overlap_seconds,
        secret=fields.secret,
    )
    return data_reply(endpoint_json(rolled) | {"secret": secret}, {})


@blueprint.get("/endpoints/<endpoint_id>/secret")
@guarded(Scope.WEBHOOK)
@documented(
    summary="Show what an endpoint's messages are signed with.",
    replies={200: SecretsReply},
    errors=(NotFound,),
)
def show_secret(endpoint_id: str) -> Response:
    """Return the secrets that sign now."""
    secrets = context.services().endpoints.secret(
        endpoint_id, context.principal().id, actor_here()
    )
    return data_reply({"secrets": list(secrets)}, {})


@blueprint.post("/endpoints/<endpoint_id>/test")
@guarded(Scope.WEBHOOK)
@documented(
    summary="Send a test event to an endpoint.",
    replies={202: DeliveryReply},
    errors=(NotFound, Conflict, JobsDisabled),
)
def test(endpoint_id: str) -> Response:
    """Send `endpoint.test` as any other event."""
    house, owner = context.services(), context.principal().id
    delivery_id = house.endpoints.test(endpoint_id, owner)
    sent = delivery_data(house.deliveries.find(delivery_id, owner))
    meta = {"request_id": context.request_id()}
    return data_reply(sent.model_dump(mode="json"), meta, 202)


@blueprint.get("/endpoints/<endpoint_id>/deliveries")
@guarded(Scope.WEBHOOK)
@documented(
    summary="List what was sent to an endpoint, the latest first.",
    query=PageFields,
    replies={200: DeliveriesReply},
    errors=(NotFound,),
)
def list_deliveries(endpoint_id: str) -> Response:
    """Return a page of an endpoint's deliveries."""
    fields = read_query(PageFields)
    house, owner = context.services(), context.principal().id
    found = house.deliveries.of_endpoint(
        endpoint_id, owner, fields.most + 1, fields.place
    )
    if not found:  # one that was removed still has its log
        house.endpoints.get(endpoint_id, owner)
    shown, following = cut(found, fields.most, DeliveryReport.place)
    rows = [delivery_data(each).model_dump(mode="json") for each in shown]
    return data_reply(rows, {"next": following})
