"""`/api/v1/inbound/<sender>/<id>`: where senders deliver, each with its own proof.

Every answer is one that the sender understands, see `inputs/senders`: a 4xx makes
some give a mail up for good, so what is our own trouble is never one.
"""

import math
from collections.abc import Mapping
from typing import Final

from flask import Blueprint, Response, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed, RequestEntityTooLarge

from flaskllm.api import context, visits
from flaskllm.api.errors import CHALLENGE
from flaskllm.api.errors import answer as native_answer
from flaskllm.api.guard import proven_by_sender
from flaskllm.api.openapi import documented
from flaskllm.api.replies import json_reply
from flaskllm.api.v1.inbound_data import DeliveredReply
from flaskllm.api.validation import read_body
from flaskllm.core import errors
from flaskllm.inputs.senders.catalogue import SENDERS
from flaskllm.inputs.senders.types import Delivery, Reply, Sender
from flaskllm.services.inbound.outcomes import NOT_NOW, NotTaken, Taken, tell_unknown
from flaskllm.services.inbound.terms import Inbound

INBOUND_BODY_BYTES: Final = 30 * 1024 * 1024

blueprint = Blueprint("inbound_door", __name__)

_BASIC = 'Basic realm="flaskllm"'
_LATER_SECONDS = 60.0
_SUCCESS = range(200, 300)
_TROUBLE = 500
_UNKNOWN = NotTaken("unwanted", "There is no such endpoint here.")
_LATER = NotTaken("later", NOT_NOW)
_CODES: Final[Mapping[str, tuple[type[errors.APIError], str]]] = {
    "unproven": (errors.AuthenticationError, "The delivery is not proven."),
    "stale": (errors.AuthenticationError, "The proof of the delivery is too old."),
    "malformed": (errors.InvalidInputError, "The delivery cannot be read."),
    "unwanted": (errors.NotFound, "The delivery is not wanted."),
    "unknown": (errors.NotFound, errors.NotFound.sentence),
    "too_large": (errors.PayloadTooLarge, errors.PayloadTooLarge.sentence),
    "later": (errors.ServiceUnavailable, errors.ServiceUnavailable.sentence),
}
_ANY: tuple[type[errors.APIError], ...] = (
    errors.NotFound,
    errors.MethodNotAllowed,
    errors.PayloadTooLarge,
)
_ECHO = {"text/plain": {"schema": {"type": "string"}}}
_TAKEN = {200: DeliveredReply, 202: DeliveredReply}


@blueprint.post("/inbound/<sender>/<endpoint_id>")
@proven_by_sender
@documented(
    summary="Take what a sender delivers; the codes are those it understands.",
    replies=_TAKEN,
    errors=_ANY,
)
def take(sender: str, endpoint_id: str) -> Response:
    """Take a delivery, or answer a sender's set-up check."""
    known, inbound = _sender(sender), _endpoint(sender, endpoint_id)
    if inbound is None:
        return _unknown(known, endpoint_id)
    try:
        delivery = _delivery(read_body(INBOUND_BODY_BYTES))
    except errors.PayloadTooLarge as error:
        visits.count()
        return _refusal(known, "too_large", error.details)
    greeting = _greeting(inbound, delivery)
    if greeting is not None:
        return greeting
    outcome = context.services().inbound.take(
        inbound,
        delivery,
        context.request_id(),
        may_look_up=visits.are_left(),
    )
    if isinstance(outcome, Reply):
        return _raw(outcome)
    if isinstance(outcome, Taken):
        return json_reply({"data": {"job": outcome.job_id}}, known.statuses.taken)
    return _not_taken(known, outcome)


@blueprint.get("/inbound/<sender>/<endpoint_id>")
@proven_by_sender
@documented(
    summary="Answer a sender that looks whether the address is there.",
    replies={200: _ECHO},
    errors=_ANY,
)
def greet(sender: str, endpoint_id: str) -> Response:
    """Answer a set-up check that comes as GET or HEAD."""
    known, inbound = _sender(sender), _endpoint(sender, endpoint_id)
    if inbound is None:
        return _unknown(known, endpoint_id)
    greeting = _greeting(inbound, _delivery(b""))
    if greeting is None:
        visits.count()
        raise MethodNotAllowed(["POST"])
    return greeting


@blueprint.errorhandler(errors.APIError)
@blueprint.errorhandler(HTTPException)
@blueprint.errorhandler(Exception)
def refuse(error: Exception) -> Response:
    """Answer what went wrong before or beside the sender's own proof."""
    sender = SENDERS.get((request.view_args or {}).get("sender", ""))
    if sender is None or isinstance(error, MethodNotAllowed):
        return _native(error)
    if isinstance(error, RequestEntityTooLarge):
        return _refusal(sender, "too_large", "The body is too large.")
    context.note_failure(_ours(error))
    return _not_taken(sender, _LATER)


def _native(error: Exception) -> Response:
    if isinstance(error, MethodNotAllowed):
        reply = native_answer(
            errors.MethodNotAllowed(details="The Allow header lists the methods.")
        )
        reply.headers["Allow"] = "POST"
        return reply
    return native_answer(_ours(error))


def _ours(error: Exception) -> errors.APIError:
    if isinstance(error, errors.APIError):
        return error
    ours = errors.InternalError(details="Give the X-Request-ID to the operator.")
    ours.__cause__ = error
    return ours


def _sender(name: str) -> Sender:
    found = SENDERS.get(name)
    if found is None:
        visits.count()
        raise errors.NotFound(details=f"Senders: {', '.join(SENDERS)}.")
    return found


def _endpoint(sender: str, endpoint_id: str) -> Inbound | None:
    return context.services().inbound.endpoints.at(sender, endpoint_id)


def _unknown(sender: Sender, endpoint_id: str) -> Response:
    if not visits.count():
        return _not_taken(sender, _LATER)
    tell_unknown(sender.name, endpoint_id)
    return _refusal(sender, "unknown", _UNKNOWN.detail)


def _delivery(body: bytes) -> Delivery:
    headers: dict[str, str] = {}
    for name, value in request.headers.items():
        headers[name.lower()] = value
    query = {name: request.args.getlist(name)[-1] for name in request.args}
    return Delivery(headers, body, query, request.method)


def _greeting(inbound: Inbound, delivery: Delivery) -> Response | None:
    """Return the answer to a check that nobody has to prove; it is counted."""
    reply = context.services().inbound.greet(inbound, delivery)
    if reply is None:
        return None
    if not visits.count():
        return _not_taken(SENDERS[inbound.sender], _LATER)
    return _raw(reply)


def _raw(reply: Reply) -> Response:
    return Response(reply.body, reply.status, content_type=reply.media_type)


def _not_taken(sender: Sender, outcome: NotTaken) -> Response:
    why = outcome.why
    if why in ("unproven", "stale") and not visits.count():
        return _not_taken(sender, _LATER)
    reply = _refusal(sender, why, outcome.detail)
    if why == "later":
        seconds = outcome.retry_after_seconds or _LATER_SECONDS
        reply.headers["Retry-After"] = str(max(1, math.ceil(seconds)))
    return reply


def _text(detail: str, status: int) -> Response:
    """Return a refusal for people; what the operator has to mend says where to look."""
    told = f"{detail}\n"
    if status >= _TROUBLE:
        told = (
            f"{detail} The mail is not lost: its server sends it again. The operator "
            f"of the gateway finds this in its log as {context.request_id()}.\n"
        )
    return Response(told, status, content_type="text/plain; charset=utf-8")


def _refusal(sender: Sender, why: str, detail: str) -> Response:
    """Return a refusal with the status that the sender understands."""
    status = getattr(sender.statuses, why)
    if status in _SUCCESS:
        # An error beside a success would puzzle whoever looks at it.
        return json_reply({"data": {"job": None, "ignored": detail}}, status)
    if sender.told_as == "text":
        return _text(detail, status)
    kind, sentence = _CODES[why]
    body = {"error": sentence, "details": detail, "code": kind.code}
    reply = json_reply(body, status)
    if status == errors.AuthenticationError.status:
        wants_basic = any("username" in each for each in sender.wants)
        reply.headers["WWW-Authenticate"] = _BASIC if wants_basic else CHALLENGE
    return reply
