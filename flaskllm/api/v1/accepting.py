"""How a digest is accepted as a job, and what is answered then."""

from collections.abc import Mapping
from typing import Any

from flask import Response, request

from flaskllm.api import context
from flaskllm.api.actors import actor_here
from flaskllm.api.callers import caller_socket
from flaskllm.api.idempotency import HEADER, REPLAYED, is_repetition, read_key
from flaskllm.api.v1.job_data import answer_reply, location_of
from flaskllm.api.v1.preferences import Preferences
from flaskllm.core.config_route_checks import RESERVED
from flaskllm.core.errors import InvalidInputError, ModelNotFound
from flaskllm.services.callers import has_hung_up
from flaskllm.services.jobs.orders import Ordered
from flaskllm.services.jobs.wanted import Accepted, Wanted

_MAKE_IT_A_JOB = ("is_async", "callback_url", "endpoint")
_WISHES = ("priority", "deadline_seconds")
_EVENT_ID = "webhook-id"
_LONGEST_EVENT_ID = 400


def wants_job(fields: Mapping[str, Any], preferences: Preferences) -> bool:
    """Tell whether a request is to be accepted now and done later.

    To wait so long and no longer is only a preference: where no job is accepted the
    answer comes when it is there.
    """
    if preferences.is_async or any(fields.get(name) for name in _MAKE_IT_A_JOB):
        return True
    may_wait = preferences.wait_seconds is not None
    return may_wait and context.services().jobs.accepting.is_open


def takes_long_ones() -> bool:
    """Tell whether a digest that takes many calls can be done as a job just now.

    Without a worker it would wait for ever, which nobody has asked for.

    Raises:
        ServiceUnavailable: The database cannot be read.
    """
    house = context.services()
    return house.jobs.accepting.is_open and house.workers.any_fresh()


def accept(
    ordered: Ordered, fields: Mapping[str, Any], preferences: Preferences, source: str
) -> Response:
    """Accept one digest as a job, wait for it as long as is preferred, and answer.

    Raises:
        InvalidInputError: No model has the name that it asks for.
    """
    _check_model(ordered.order.model)
    wanted = wanted_of(fields, source)
    accepted = context.services().jobs.accept(ordered, wanted, context.principal())
    return accepted_reply(accepted, preferences)


def wanted_of(fields: Mapping[str, Any], source: str) -> Wanted:
    """Return how a job is wanted by the fields of its request.

    Raises:
        InvalidInputError: Nobody may be told where the request says.
    """
    url, endpoint_id = fields.get("callback_url"), fields.get("endpoint")
    context.services().receivers.check(
        context.principal().id,
        actor_here(),
        callback_url=url,
        endpoint_id=endpoint_id,
    )
    chosen = {name: fields[name] for name in _WISHES if name in fields}
    return Wanted(
        source,
        context.request_id(),
        callback_url=url,
        endpoint_id=endpoint_id,
        event_key=fields.get("event_id") or _event_id(),
        idempotency_key=_key(),
        # Once by its key: a repetition asks how that stands.
        force=bool(fields.get("force")) and not is_repetition(),
        **chosen,
    )


def accepted_reply(accepted: Accepted, preferences: Preferences) -> Response:
    """Answer that a job was accepted, or with what it has come to meanwhile."""
    job, seconds = accepted.job, preferences.wait_seconds or 0
    if seconds or not accepted.is_new:
        caller = caller_socket()
        job = context.services().jobs.wait(
            job.id, context.principal(), seconds, lambda: has_hung_up(caller)
        )
    reply = answer_reply(job, accepted.warnings)
    reply.headers.update(preferences.applied())
    # Also beside the answer: whoever waited for it, or repeats, has no id else.
    reply.headers["Location"] = location_of(job.id)
    if not accepted.is_new:
        reply.headers[REPLAYED] = "true"
    return reply


def _check_model(name: str | None) -> None:
    if name is None or name in RESERVED:
        return
    try:
        context.services().models.find(name, context.principal())
    except ModelNotFound as error:
        raise InvalidInputError(details=error.details, fields=error.fields) from error


def _event_id() -> str | None:
    """Return the id that a sender of Standard Webhooks gives to its event."""
    given = request.headers.get(_EVENT_ID, "")
    is_one = given.isprintable() and len(given) <= _LONGEST_EVENT_ID
    return given if given and is_one else None


def _key() -> str | None:
    given = request.headers.get(HEADER)
    return None if given is None else read_key(given)
