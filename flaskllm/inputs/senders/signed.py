"""Signatures with a shared secret: HMAC-SHA256, compared in constant time.

RFC 2104. How the signed text is put together, how the digest is written and how old
it may be is each sender's own matter; what is here is the same for all of them.
"""

import binascii
import hashlib
import hmac
import re
from base64 import b64decode
from datetime import datetime, timedelta

from flaskllm.inputs.senders.types import SecretFault, SenderRefusedError, Terms

_PLAIN = re.compile(r"[!-~]+")
_STAMP = re.compile(r"[0-9]{1,12}")


def secret_of(terms: Terms) -> bytes:
    """Return the endpoint's secret.

    Raises:
        SenderRefusedError: `unproven`: it has none, so nothing can be proven.
    """
    if not terms.secret:
        raise SenderRefusedError(
            "unproven", "The endpoint has no secret; set the one the sender shows."
        )
    return terms.secret.encode("utf-8", "replace")


def plain_fault(secret: str) -> SecretFault | None:
    """Return what keeps a text from being a secret that some page shows, if anything.

    All senders show and send printable ASCII; white space is a copy of too much.
    """
    if _PLAIN.fullmatch(secret):
        return None
    return SecretFault(
        "holds white space, or a sign that is not printable ASCII",
        "the secret alone, as the sender shows it",
    )


def digest(secret: bytes, text: bytes) -> bytes:
    """Return the HMAC-SHA256 of a text: 32 bytes."""
    return hmac.digest(secret, text, hashlib.sha256)


def same(given: str, wanted: str) -> bool:
    """Tell whether two texts are equal, in a time that does not say where not."""
    return hmac.compare_digest(
        given.encode("utf-8", "replace"), wanted.encode("utf-8", "replace")
    )


def from_base64(text: str) -> bytes | None:
    """Return the bytes that a base64 text stands for, or None when it is none."""
    try:
        return b64decode(text, validate=True) or None
    except (binascii.Error, ValueError):
        return None


def check_age(stamp: str, now: datetime, *, oldest: timedelta, ahead: timedelta) -> str:
    """Return the stamp, in whole seconds since 1970, when it is recent.

    Args:
        stamp: As the header says it.
        now: Aware.
        oldest: How long ago it may be.
        ahead: How far the sender's clock may run ahead of ours.

    Raises:
        SenderRefusedError: `unproven`: there is none, or it is no number; `stale`: it
            is too old, or too far ahead.
    """
    if not _STAMP.fullmatch(stamp):
        raise SenderRefusedError(
            "unproven", "The signature has no time; it has to be whole seconds."
        )
    age = now.timestamp() - int(stamp)
    if not -ahead.total_seconds() <= age <= oldest.total_seconds():
        raise SenderRefusedError(
            "stale",
            "The signature is too old or from the future; check the clocks, and "
            "send the event again.",
        )
    return stamp
