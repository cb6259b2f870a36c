"""Signatures as Standard Webhooks 1.0.0 has them; pure.

What is signed is the id, a full stop, the seconds, a full stop and the body; the
signature is its HMAC-SHA-256 under the bytes of the secret. A secret is `whsec_` and
24 to 64 random bytes in base64.

Source: https://github.com/standard-webhooks/standard-webhooks, spec, version 1.0.0.
"""

import binascii
import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence

from flaskllm.core.errors import InvalidInputError

PREFIX = "whsec_"
FEWEST_BYTES, MOST_BYTES = 24, 64
_NEW_BYTES = 32
_ALLOWED = f"{PREFIX} and {FEWEST_BYTES} to {MOST_BYTES} bytes in base64"


def make_secret() -> str:
    """Return a fresh secret of 32 random bytes."""
    return PREFIX + b64encode(secrets.token_bytes(_NEW_BYTES)).decode("ascii")


def check_secret(text: str, path: str = "secret") -> str:
    """Return a secret that somebody gave, if it is one.

    Raises:
        InvalidInputError: It is none; the field `path` is named, its value is not.
    """
    try:
        key_of(text)
    except ValueError as error:
        raise InvalidInputError.of(path, str(error), _ALLOWED) from None
    return text


def key_of(secret: str) -> bytes:
    """Return the bytes that a secret signs with.

    Raises:
        ValueError: It is no secret; the message says why and does not show it.
    """
    if not secret.startswith(PREFIX):
        raise ValueError(f"does not begin with {PREFIX}")
    try:
        key = b64decode(secret[len(PREFIX) :], validate=True)
    except (binascii.Error, ValueError):
        raise ValueError(f"is no base64 after {PREFIX}") from None
    if not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"has {len(key)} bytes")
    return key


def headers_of(
    message_id: str, at_seconds: int, body: bytes, signed_by: Sequence[str]
) -> Mapping[str, str]:
    """Return the three headers of one attempt.

    Args:
        message_id: The same at every attempt; it holds no full stop.
        at_seconds: When this attempt is made, in whole seconds since 1970.
        body: As it is sent, to the byte.
        signed_by: One secret, or two while the one before still holds.

    Raises:
        ValueError: The id holds a full stop, or a secret is none: our own fault.
    """
    if "." in message_id:
        raise ValueError("the id of a message must not hold a full stop")
    text = f"{message_id}.{at_seconds}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at_seconds),
        "webhook-signature": " ".join(_signature(text, each) for each in signed_by),
    }


def _signature(text: bytes, secret: str) -> str:
    digest = hmac.digest(key_of(secret), text, hashlib.sha256)
    return f"v1,{b64encode(digest).decode('ascii')}"
