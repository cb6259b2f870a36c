"""What is stored of a request that brings an idempotency key: digests alone."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from flaskllm.storage.idempotency import Place


@dataclass(frozen=True, slots=True)
class KeyedRequest:
    """A request that brings a key.

    `parts` are all that tells it from another request, in a fixed order: no two
    requests that may be answered differently have the same.
    """

    principal_id: str
    key: str = field(repr=False)
    parts: tuple[bytes, ...] = field(repr=False)
    request_id: str


def prints_of(asked: KeyedRequest, secrets: Iterable[bytes]) -> dict[Place, bytes]:
    """Return where the key lies under each secret, and the request's fingerprint there.

    Both are HMAC-SHA-256: a key may be somebody's mail id, and a short request could
    be guessed. Equal keys of two principals have nothing in common.
    """
    named = (asked.principal_id.encode(), asked.key.encode())
    return {
        Place(asked.principal_id, _digest(secret, b"key", named)): _digest(
            secret, b"request", asked.parts
        )
        for secret in secrets
    }


def _digest(secret: bytes, label: bytes, parts: tuple[bytes, ...]) -> bytes:
    """Return 32 bytes; the lengths keep apart what would read the same joined."""
    digest = hmac.new(secret, label, hashlib.sha256)
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
