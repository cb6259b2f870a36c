"""By what a repetition is known: a sender's event, a mail, a key, or a body. Pure.

Senders repeat what they are not sure of: an answer that came late, a connection that
broke. Whatever tells one event from another counts, the best of it first; and always
all that was asked of it, for another question has another answer.
"""

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

from flaskllm.inputs.document import Document
from flaskllm.services.jobs.orders import Ordered, order_fields
from flaskllm.storage.job_drafts import Event

DAY_SECONDS: Final = 24 * 3600.0
INBOUND_SECONDS: Final = 30 * DAY_SECONDS
"""Senders repeat for up to three days. The rest is against a delivery that somebody
has kept: not every signature has a time. No job is known for longer than it is kept."""
BODY_SECONDS: Final = 600.0
"""Two equal bodies may be two events: after ten minutes they are."""

_RECIPIENTS = frozenset({"to", "cc"})


@dataclass(frozen=True, slots=True)
class Knowing:
    """What tells one event from another, and for how long.

    `parts` have a fixed order; no two different events have the same.
    """

    parts: tuple[bytes, ...] = field(repr=False)
    lives_seconds: float


@dataclass(frozen=True, slots=True)
class Given:
    """What came with a request that may tell its event.

    Attributes:
        event_key: The sender's own id of the event.
        idempotency_key: The caller's key.
        target: Where the end is told: a URL or the id of an endpoint.
        inbound_id: At which inbound endpoint the sender delivered it.
    """

    event_key: str | None = field(default=None, repr=False)
    idempotency_key: str | None = field(default=None, repr=False)
    target: str | None = field(default=None, repr=False)
    inbound_id: str | None = None


def knowing(ordered: Ordered, document: Document | None, given: Given) -> Knowing:
    """Return by what a repetition of this order is known.

    What a sender delivers, by its event id alone: a signature need not cover the
    rest. Else the sender's event id; else the id of the mail, its recipients and its
    visible text; else the caller's key with the content; else the content, for ten
    minutes.
    """
    question = _question(ordered, given)
    content = hashlib.sha256(ordered.order.content).digest()
    if given.event_key and given.inbound_id:
        delivered = (_bytes(given.inbound_id), _bytes(given.event_key))
        return Knowing((b"inbound", *delivered), INBOUND_SECONDS)
    if given.event_key:
        return Knowing((b"event", _bytes(given.event_key), question), DAY_SECONDS)
    message_id = document.headers.get("message-id") if document else None
    if document and message_id:
        mail = (_bytes(message_id), *_mail_parts(document))
        return Knowing((b"mail", *mail, question), DAY_SECONDS)
    return _by_key_or_body((content, question), given)


def knowing_batch(items: Sequence[Ordered], given: Given) -> Knowing:
    """Return by what a repetition of this batch is known.

    The sender's event id; else as a body.
    """
    target, questions = _bytes(given.target or ""), [_question(each) for each in items]
    if given.event_key:
        event = (b"batch event", _bytes(given.event_key))
        return Knowing((*event, *questions, target), DAY_SECONDS)
    contents = (hashlib.sha256(each.order.content).digest() for each in items)
    parts = chain.from_iterable(zip(contents, questions, strict=True))
    return _by_key_or_body((b"batch", *parts, target), given)


def event_of(
    known: Knowing,
    secrets: Iterable[bytes],
    *,
    is_forced: bool = False,
    is_complete: bool = False,
) -> Event:
    """Return the event as it is stored, under the present secret and those before.

    HMAC-SHA-256: neither the id of a mail nor a guess of its text shows.
    """
    digest, *earlier = (_digest(secret, known.parts) for secret in secrets)
    return Event(digest, known.lives_seconds, tuple(earlier), is_forced, is_complete)


def _by_key_or_body(parts: tuple[bytes, ...], given: Given) -> Knowing:
    if given.idempotency_key:
        key = _bytes(given.idempotency_key)
        return Knowing((b"key", key, *parts), DAY_SECONDS)
    return Knowing((b"body", *parts), BODY_SECONDS)


def _mail_parts(document: Document) -> tuple[bytes, ...]:
    recipients = sorted(
        person.email or person.name or ""
        for person in document.participants
        if person.role in _RECIPIENTS
    )
    # Every server on its way may fold lines anew, and adds headers of its own.
    text = " ".join(document.text().split())
    return (
        json.dumps(recipients).encode(),
        hashlib.sha256(_bytes(text)).digest(),
    )


def _question(ordered: Ordered, given: Given | None = None) -> bytes:
    """Return all that was asked besides the content, as JSON with sorted names."""
    fields: dict[str, Any] = order_fields(ordered.order)
    del fields["content"]
    target = given.target if given else None
    told = {"order": fields, "metadata": ordered.metadata, "target": target}
    if ordered.fetch is not None:
        told["fetch"] = ordered.fetch.url
    return json.dumps(told, sort_keys=True).encode("ascii")


def _bytes(text: str) -> bytes:
    # Half a surrogate pair may come in JSON.
    return text.encode("utf-8", "surrogatepass")


def _digest(secret: bytes, parts: tuple[bytes, ...]) -> bytes:
    digest = hmac.new(secret, digestmod=hashlib.sha256)
    for part in parts:
        # The lengths keep apart what would read the same joined.
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
