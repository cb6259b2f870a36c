"""Who changes something by this request, for its audit row."""

from flask import request

from flaskllm.api import context
from flaskllm.core.auth import Actor


def actor_here() -> Actor:
    """Return the principal of this request, its address and its id."""
    return Actor(
        principal_id=context.principal().id,
        peer=request.remote_addr or "",
        request_id=context.request_id(),
    )
