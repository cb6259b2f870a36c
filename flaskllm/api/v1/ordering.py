"""What was received, as an order for a digest."""

from collections.abc import Mapping
from typing import Any

from flaskllm.api import context
from flaskllm.api.cache_wishes import wish_here
from flaskllm.api.v1.webhook_fields import JOB_FIELDS
from flaskllm.api.v1.webhook_forms import Received
from flaskllm.services.digests import threads
from flaskllm.services.digests.threads import Audience
from flaskllm.services.digests.types import DigestOrder
from flaskllm.services.jobs.orders import Ordered


def ordered_of(received: Received) -> Ordered:
    """Return the order of a document that was received, and what goes back with it."""
    fields = {
        name: value for name, value in received.fields.items() if name not in JOB_FIELDS
    }
    metadata = fields.pop("metadata", None)  # the caller's own; it only goes back
    if "participants" in fields:
        fields["participants"] = tuple(name for name in fields["participants"] if name)
    # A job has no headers: what they say of the cache goes with the order.
    wish = wish_here()
    if not wish.stores:
        fields["cache"] = False
    elif not wish.reads:
        fields["fresh"] = True
    order = DigestOrder(
        content=received.content,
        media_type=received.media_type,
        charset=received.charset,
        file_name=received.file_name,
        **fields,
    )
    return Ordered(order, metadata, received.unknown)


def threads_of(order: DigestOrder, target: str | None = None) -> Audience | None:
    """Return whose threads count for an answer that is waited for; mostly nobody's.

    What is not accepted as a job is not stored, unless that is asked for.

    Args:
        order: What is wanted.
        target: Who else would be told of it, see `target_of`.
    """
    if order.thread != "remember":
        return None
    return Audience(context.principal().id, target)


def target_of(fields: Mapping[str, Any]) -> str | None:
    """Return who is told of a digest by the fields of its request, for its thread."""
    return threads.target_of(
        callback_url=fields.get("callback_url"), endpoint_id=fields.get("endpoint")
    )


def source_of(order: DigestOrder) -> str:
    """Return through which door an order came, as the usage rows name it."""
    return f"webhook:{order.source}" if order.source else "webhook"
