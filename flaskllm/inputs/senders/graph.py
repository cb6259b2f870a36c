"""Microsoft Graph change notifications: Teams says that a transcript is there.

Graph signs nothing. Each notification repeats the `clientState` that the subscription
was made with, and every one of a delivery has to be the endpoint's secret
(learn.microsoft.com, "Receive change notifications through webhooks"). When a
subscription is made or renewed, Graph first sends `validationToken` in the query and
wants it back as text within 10 seconds; that check carries no proof.

A notification holds no transcript and reading it takes an app's own consent, so the
operator is told how to send it here. Notifications with resource data come encrypted
and are treated alike. Lifecycle notifications are about the subscription itself.

Codes: Graph takes any 2xx within 10 seconds, names 202 for what is done later, and
tries everything else again for up to 4 hours. So all that is proven is 202; 401 and
400 stay wrong; 503 brings the notification again.
"""

import hashlib
import re
from typing import Any

from flaskllm.inputs.senders import json_body
from flaskllm.inputs.senders.signed import same, secret_of
from flaskllm.inputs.senders.types import (
    Delivery,
    NeedsFetch,
    Nothing,
    Reading,
    Reply,
    SecretFault,
    Sender,
    SenderRefusedError,
    Statuses,
    Terms,
)

# Printable ASCII, as Graph's tokens are; so what a stranger has echoed here is no
# page and no header of its own.
_VALIDATION = re.compile(r"[ -~]{1,2048}")
# Of learn.microsoft.com, "subscription resource type".
_LONGEST_STATE = 128
_MOST_SHOWN = 20
# A notification takes about 1 kB. Before the proof no more is read: small things make
# a large body dear.
_MOST_BYTES = 2 * 1024 * 1024
_REMEDY = (
    "Microsoft Teams says that a transcript is ready; a notification does not hold "
    "it. Let a Power Automate flow or a script get the resource that needs.ids names, "
    "with /content?$format=text/vtt at its end, and post the answer to "
    "/api/v1/webhook as text/vtt. docs/integrations/teams.md shows both."
)


def secret_fault(secret: str) -> SecretFault | None:
    """Return what keeps a text from being a `clientState`, if anything."""
    if len(secret) > _LONGEST_STATE:
        return SecretFault(
            f"has {len(secret)} characters",
            f"{_LONGEST_STATE} at most, as Graph takes for clientState",
        )
    return None  # JSON carries any text, and it comes back as it was given


def greet(delivery: Delivery) -> Reply | None:
    """Return the token that Graph wants to hear, or None for another delivery."""
    token = delivery.query.get("validationToken", "")
    if not _VALIDATION.fullmatch(token):
        return None
    return Reply(token.encode("ascii"), "text/plain")


def prove(delivery: Delivery, terms: Terms) -> None:
    """Return when every notification repeats the endpoint's secret.

    Raises:
        SenderRefusedError: `unproven`; also of a body that holds no notification.
    """
    secret = secret_of(terms).decode("utf-8")
    try:
        is_sane = len(delivery.body) <= _MOST_BYTES
        found = _notifications(delivery.body) if is_sane else []
    except SenderRefusedError:
        found = []
    # All are compared, so that the time of a refusal does not count them.
    states = [same(_state(each), secret) for each in found]
    if not (states and all(states)):
        raise SenderRefusedError(
            "unproven",
            "A clientState is missing or wrong; the subscription's clientState has to "
            "be the endpoint's secret.",
        )


def read(delivery: Delivery, terms: Terms) -> Reading:
    """Return what the operator has to do about proven notifications.

    Raises:
        SenderRefusedError: `malformed`.
    """
    changes = [
        each for each in _notifications(delivery.body) if "lifecycleEvent" not in each
    ]
    if not changes:
        return Nothing("graph_lifecycle")
    resources = [json_body.line(each.get("resource")) for each in changes]
    if not all(resources):
        raise SenderRefusedError("malformed", "A notification names no resource.")
    shown = list(dict.fromkeys(resources))[:_MOST_SHOWN]
    found = {"resources": shown}
    return NeedsFetch(_event_key(changes), _REMEDY, "transcript", found, metadata=found)


def _notifications(body: bytes) -> list[dict[str, Any]]:
    value = json_body.read_object(body).get("value")
    if not isinstance(value, list):
        raise SenderRefusedError("malformed", "The body holds no notifications.")
    # One that is no object cannot carry a clientState, and fails the proof of all.
    return [each if isinstance(each, dict) else {} for each in value]


def _state(notification: dict[str, Any]) -> str:
    state = notification.get("clientState")
    return state if isinstance(state, str) else ""


def _event_key(changes: list[dict[str, Any]]) -> str:
    """Return one name for all: Graph gives a batch none, and repeats it whole."""
    names = sorted(
        "\n".join(
            json_body.line(each.get(name))
            for name in ("subscriptionId", "changeType", "resource", "id")
        )
        for each in changes
    )
    return hashlib.sha256("\n\n".join(names).encode("utf-8", "replace")).hexdigest()


GRAPH = Sender(
    name="graph",
    prove=prove,
    read=read,
    statuses=Statuses(taken=202, unwanted=202),
    wants=(("secret",),),
    secret_fault=secret_fault,
    greeting=greet,
)
