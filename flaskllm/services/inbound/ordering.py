"""From what a delivery holds to the order of a job. Pure."""

from collections.abc import Mapping
from typing import Any

from flaskllm.inputs.senders.types import Fetch, Item, NeedsFetch
from flaskllm.services.inbound.checks import order_of
from flaskllm.services.inbound.terms import Inbound
from flaskllm.services.jobs.fetching import with_item
from flaskllm.services.jobs.orders import FetchOrder, Ordered


def key_of(reading: Item | Fetch | NeedsFetch) -> str:
    """Return what the sender calls the event; may be empty."""
    return reading.item.event_key if isinstance(reading, Fetch) else reading.event_key


def recipients_of(reading: Item | Fetch | NeedsFetch) -> tuple[str, ...]:
    """Return to whom it came, as lower-case addresses; may be empty."""
    found = reading.item if isinstance(reading, Fetch) else reading
    return found.recipients


def ordered_of(inbound: Inbound, reading: Item | Fetch | NeedsFetch) -> Ordered:
    """Return what is ordered of a delivery."""
    order = order_of(inbound.terms)
    if isinstance(reading, NeedsFetch):
        metadata = _metadata(inbound, reading.metadata)
        needs = {
            "sender": inbound.sender,
            "what": reading.what,
            "ids": {name: value for name, value in reading.ids.items() if value},
        }
        return Ordered(order, metadata, needs_fetch=reading.remedy, needs=needs)
    item = reading.item if isinstance(reading, Fetch) else reading
    order, metadata = with_item(order, item), _metadata(inbound, item.metadata)
    if isinstance(reading, Item):
        return Ordered(order, metadata, item.warnings)
    fetch = FetchOrder(reading.url, reading.headers, reading.body, reading.reads)
    return Ordered(order, metadata, item.warnings, fetch)


def _metadata(inbound: Inbound, found: Mapping[str, Any]) -> dict[str, Any] | None:
    return {**inbound.terms.digest.get("metadata", {}), **found} or None
