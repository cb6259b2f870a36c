"""Who is told of an event: its deliveries, and the workflows that send them; pure."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from flaskllm.core.ids import new_ordered_id
from flaskllm.net.egress_errors import EgressRefused
from flaskllm.net.egress_url import parse
from flaskllm.services.callbacks import events
from flaskllm.services.callbacks.events import Event
from flaskllm.services.callbacks.renderings import json, mail, slack, teams
from flaskllm.storage.delivery_changes import New
from flaskllm.storage.endpoints import ENABLED, Listener
from flaskllm.storage.job_rows import DeliveryRow, EndpointRow, JobRow, Rendering
from flaskllm.storage.workflows import Start

RENDERINGS: Mapping[Rendering, Callable[[Event], bytes]] = {
    "json": json.render,
    "slack": slack.render,
    "teams": teams.render,
    "email": mail.render,
}
"""What makes the body of a delivery, by the name that an endpoint has for it."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """Where one delivery goes. `target` None means: where its endpoint leads."""

    endpoint_id: str
    rendering: Rendering = "json"
    is_enabled: bool = True
    target: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Belonging:
    """Whose deliveries they are, and until when they are kept; aware."""

    principal_id: str
    expires_at: datetime
    job_id: str | None = None


def deliveries_of(
    job: JobRow,
    listeners: Sequence[Listener],
    at: datetime,
    items: Sequence[JobRow] = (),
) -> New:
    """Return what is told of a job that ended, one delivery for each receiver.

    Receivers are the job's `callback_url` or endpoint, and every enabled endpoint
    that listens to the event. Where the job's own endpoint is disabled its delivery
    is cancelled from the start.

    Args:
        job: As it ended.
        listeners: The endpoints of its principal.
        at: Now, aware.
        items: Those of a batch, in order. Without results none are told.
    """
    type = events.type_of(job)
    if type is None:
        return New()
    receivers = tuple(_receivers(job, type, listeners))
    if not receivers:
        return New()
    event = (
        events.of_batch(job, items, at)
        if type == "batch.done"
        else events.of_job(job, type, at)
    )
    return plan(event, receivers, Belonging(job.principal_id, job.expires_at, job.id))


def plan(event: Event, receivers: Iterable[Receiver], belonging: Belonging) -> New:
    """Return one delivery of the event for each receiver, rendered as it wants it."""
    rendered: dict[Rendering, bytes] = {}
    rows = []
    for receiver in receivers:
        if receiver.rendering not in rendered:
            rendered[receiver.rendering] = RENDERINGS[receiver.rendering](event)
        body = rendered[receiver.rendering]
        rows.append(_delivery(event, receiver, belonging, body))
    waiting = [row for row in rows if row.state == "pending"]
    return New(tuple(rows), tuple(first_attempt(row) for row in waiting))


def listening(
    type: events.EventType, listeners: Iterable[Listener], but: str | None = None
) -> Iterator[Receiver]:
    """Yield the enabled endpoints that listen to an event, all but one."""
    for each in listeners:
        if each.state == ENABLED and type in each.events.split() and each.id != but:
            yield Receiver(each.id, each.rendering)


def first_attempt(row: DeliveryRow) -> Start:
    """Return the workflow of the first attempt at a new delivery."""
    return Start("deliver", f"{row.id}.1", partition_of(row), (row.id, 1))


def next_attempt(row: DeliveryRow, wait_seconds: float) -> Start:
    """Return the workflow of the attempt that follows those which were made."""
    number = row.attempts + 1
    return Start(
        "deliver",
        f"{row.id}.{number}",
        partition_of(row),
        (row.id, number),
        delay_seconds=wait_seconds,
    )


def partition_of(row: DeliveryRow) -> str:
    """Return what shares turns with others: the endpoint, or a host behind it.

    So a receiver that does not answer delays no other one. Neither a path nor a query
    is in it: those may be secrets.
    """
    if row.target is None:
        return row.endpoint_id
    try:
        return f"{row.endpoint_id} {parse(row.target.decode()).authority}"
    except EgressRefused:  # it will be refused again when it is sent
        return row.endpoint_id


def usual_id(principal_id: str) -> str:
    """Return the id of the endpoint that signs what goes to a `callback_url`.

    It follows from the principal: whoever makes it at the same moment makes no second
    one. Like all ids it leads nobody but its owner to anything.
    """
    return f"end_{'usual' + principal_id:0>20}"


def usual_endpoint(principal_id: str, secret: str, at: datetime) -> EndpointRow:
    """Return the endpoint without a URL that signs what goes to a `callback_url`."""
    return EndpointRow(
        id=usual_id(principal_id),
        principal_id=principal_id,
        name="callback_url",
        target=None,
        secret=secret.encode(),
        events="",
        rendering="json",
        state=ENABLED,
        created_at=at,
    )


def _receivers(
    job: JobRow, type: events.EventType, listeners: Sequence[Listener]
) -> Iterator[Receiver]:
    by_id = {each.id: each for each in listeners}
    if job.callback_url is not None:
        own = usual_id(job.principal_id)
        is_enabled = own not in by_id or by_id[own].state == ENABLED
        yield Receiver(own, "json", is_enabled, job.callback_url)
    named = by_id.get(job.endpoint_id or "")
    if named is not None:
        yield Receiver(named.id, named.rendering, named.state == ENABLED)
    yield from listening(type, listeners, but=job.endpoint_id)


def _delivery(
    event: Event, receiver: Receiver, belonging: Belonging, body: bytes
) -> DeliveryRow:
    waits = receiver.is_enabled
    return DeliveryRow(
        id=new_ordered_id("msg"),
        principal_id=belonging.principal_id,
        endpoint_id=receiver.endpoint_id,
        event=event.type,
        state="pending" if waits else "cancelled",
        created_at=event.at,
        expires_at=belonging.expires_at,
        body=body,
        target=receiver.target,
        job_id=belonging.job_id,
        next_at=event.at if waits else None,
        finished_at=None if waits else event.at,
    )
