"""Idempotency keys for tests: databases that seal, the service, and its requests."""

from pathlib import Path

from fakes import FakeClock

from flaskllm.core.clock import SystemClock
from flaskllm.core.secrets import KeyRing
from flaskllm.services.idempotency import Idempotency
from flaskllm.services.request_prints import KeyedRequest
from flaskllm.storage.database import Database
from flaskllm.storage.idempotency import IdempotencyRows
from flaskllm.storage.sealing import ContentSealer

SECRET = "the-master-secret-of-the-tests-4f1c09ab37"
DEADLINE_SECONDS = 300.0


def key_ring(secret: str = SECRET, previous: str | None = None) -> KeyRing:
    """Return a ring that reads no file."""
    return KeyRing(secret, Path("nowhere"), previous=previous, when_missing="refuse")


def memory() -> Database:
    """Return a database in memory that can seal."""
    return Database(
        "sqlite://",
        journal="truncate",
        clock=SystemClock(),
        sealer=ContentSealer(key_ring()),
    )


def make_idempotency(
    clock=None, rows=None, ring: KeyRing | None = None, *, threaded: bool = False
) -> Idempotency:
    """Return the service, on a database in memory unless it is given rows."""
    return Idempotency(
        rows or IdempotencyRows(memory()),
        ring or key_ring(),
        clock or FakeClock(),
        threaded=threaded,
        deadline_seconds=DEADLINE_SECONDS,
    )


def keyed(
    key: str = "order-7",
    body: bytes = b"{}",
    principal_id: str = "anna",
    request_id: str = "req-1",
) -> KeyedRequest:
    """Return a request that brings a key."""
    return KeyedRequest(principal_id, key, (b"POST", b"/chat", body), request_id)
