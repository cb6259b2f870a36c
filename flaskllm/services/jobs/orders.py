"""What a document holds: an order for a digest, and what goes back with its answer.

It is written as JSON, and read by whatever version of the program does the work.
Pure.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any

from flaskllm.core.errors import InternalError
from flaskllm.services.digests.types import DigestOrder

_FIELDS = tuple(each.name for each in fields(DigestOrder))


@dataclass(frozen=True, slots=True)
class FetchOrder:
    """Where the document lies that a job fetches first.

    Attributes:
        url: From a sender's proven message; it is checked as any other.
        headers: What goes with it; may be secret.
        body: Of a POST; a GET is sent without one.
        reads: The reader of what comes, see `inputs.senders.fetched`.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(repr=False)
    reads: str


@dataclass(frozen=True, slots=True)
class Ordered:
    """An order, and what of its request is told with the answer.

    Attributes:
        order: What is wanted.
        metadata: The caller's own; None when they gave none.
        warnings: About fields of the request that mean nothing.
        fetch: What is fetched before; the order has no content then.
        needs_fetch: What somebody else has to do about it; it cannot be carried out.
        needs: What of, as plain JSON: see `NeedsFetch`.
        thread_target: Who is told of it, as `threads.target_of` names them; mails for
            others are of other threads.
    """

    order: DigestOrder
    metadata: Mapping[str, Any] | None = None
    warnings: tuple[str, ...] = field(default=())
    fetch: FetchOrder | None = field(default=None, repr=False)
    needs_fetch: str | None = None
    needs: Mapping[str, Any] | None = None
    thread_target: str | None = field(default=None, repr=False)

    @property
    def has_document(self) -> bool:
        """Tell whether the document came with it."""
        return self.fetch is None and self.needs_fetch is None


def to_json(ordered: Ordered) -> bytes:
    """Return it as JSON."""
    told: dict[str, Any] = {
        "order": order_fields(ordered.order),
        "metadata": ordered.metadata,
        "warnings": list(ordered.warnings),
    }
    if ordered.fetch is not None:
        told["fetch"] = _fetch_fields(ordered.fetch)
    if ordered.needs_fetch is not None:
        told["needs_fetch"] = ordered.needs_fetch
        told["needs"] = ordered.needs
    if ordered.thread_target is not None:
        told["thread_target"] = ordered.thread_target
    # Escaped: half a surrogate pair cannot be written as it is.
    return json.dumps(told).encode("ascii")


def from_json(body: bytes) -> Ordered:
    """Read what `to_json` wrote.

    Raises:
        InternalError: It is none, or a newer program wrote it; `details` names the
            field. A retry by this program does not help.
    """
    try:
        told = json.loads(body)
        return Ordered(
            _order_of(told["order"]),
            told["metadata"],
            tuple(told["warnings"]),
            _fetch_of(told["fetch"]) if "fetch" in told else None,
            told.get("needs_fetch"),
            told.get("needs"),
            told.get("thread_target"),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise _unreadable("It is no order.") from error


def order_fields(order: DigestOrder) -> dict[str, Any]:
    """Return the fields of an order as plain JSON, without those that say nothing.

    Content that is UTF-8 stays text: as base64 it could hardly be compressed.
    """
    told = {
        name: value
        for name in _FIELDS
        if (value := getattr(order, name)) not in (None, (), {})
    }
    told["content"] = _content_of(order.content)
    if order.reference_time is not None:
        told["reference_time"] = order.reference_time.isoformat()
    return told


def _content_of(content: bytes) -> dict[str, str]:
    try:
        return {"text": content.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": b64encode(content).decode("ascii")}


def _order_of(told: Mapping[str, Any]) -> DigestOrder:
    unknown = sorted(told.keys() - set(_FIELDS))
    if unknown:
        raise _unreadable(f"Its field {unknown[0]!r} is not known here.")
    values = dict(told)
    values["content"] = _bytes_of(values["content"])
    if "reference_time" in values:
        values["reference_time"] = datetime.fromisoformat(values["reference_time"])
    if "participants" in values:
        values["participants"] = tuple(values["participants"])
    return DigestOrder(**values)


def _fetch_fields(fetch: FetchOrder) -> dict[str, Any]:
    body = None if fetch.body is None else _content_of(fetch.body)
    return {
        "url": fetch.url,
        "headers": dict(fetch.headers),
        "body": body,
        "reads": fetch.reads,
    }


def _fetch_of(told: Mapping[str, Any]) -> FetchOrder:
    body = None if told["body"] is None else _bytes_of(told["body"])
    return FetchOrder(told["url"], told["headers"], body, told["reads"])


def _bytes_of(content: Mapping[str, str]) -> bytes:
    if "base64" in content:
        return b64decode(content["base64"], validate=True)
    return content["text"].encode("utf-8")


def _unreadable(why: str) -> InternalError:
    return InternalError(
        "An accepted document cannot be read.",
        details=f"{why} Was it accepted by a newer version?",
    )
