"""Requests that nobody has proven, counted by the peer that sent them.

A sender's own proof is looked at whatever its peer did before: thousands of customers
of one mail service share its addresses, and none may shut the others out. So what is
proven is neither counted nor refused, and only what is not uses up the peer's minute.
"""

from flask import current_app, request

from flaskllm.api.addresses import peer_of
from flaskllm.api.guard import EXTENSION, Gate


def count() -> bool:
    """Count one request of this peer; tell whether it was within the limit."""
    gate = _gate()
    return gate.limiter.limiter.hit(gate.visits, "visits", _peer())


def are_left() -> bool:
    """Tell whether this peer may still send what it cannot prove."""
    gate = _gate()
    return gate.limiter.limiter.test(gate.visits, "visits", _peer())


def _gate() -> Gate:
    gate: Gate = current_app.extensions[EXTENSION]
    return gate


def _peer() -> str:
    return peer_of(request.remote_addr)
