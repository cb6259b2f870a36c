"""Credentials in the endpoint's address, for senders that can do no better.

`https://USER:PASSWORD@host/...` arrives as `Authorization: Basic` (RFC 7617).
"""

import binascii
from base64 import b64decode
from hmac import compare_digest

from flaskllm.inputs.senders.types import Delivery, SenderRefusedError, Terms

_LONGEST = 4_096
_ADVICE = (
    "put the endpoint's username and password into its address: "
    "https://USER:PASSWORD@host/..."
)


def prove_basic(delivery: Delivery, terms: Terms) -> None:
    """Return when the delivery carries the endpoint's username and password.

    Both are compared in constant time, and both always, so that the time of a
    refusal tells nothing about either.

    Raises:
        SenderRefusedError: `unproven`: none came, wrong ones came, or the endpoint
            has none to compare with.
    """
    username, password = _wanted(terms)
    said, value = _authorization(delivery)
    if said != "basic":
        raise SenderRefusedError("unproven", f"No credentials came; {_ADVICE}.")
    given_username, given_password = _pair(value)
    same = compare_digest(given_username, username)
    same &= compare_digest(given_password, password)
    if not same:
        raise SenderRefusedError("unproven", f"The credentials are wrong; {_ADVICE}.")


def prove_bearer(delivery: Delivery, terms: Terms) -> None:
    """Return when `Authorization: Bearer` carries the endpoint's password.

    Raises:
        SenderRefusedError: `unproven`, as `prove_basic`.
    """
    _, password = _wanted(terms)
    _, value = _authorization(delivery)
    if not compare_digest(value.encode("utf-8", "replace"), password):
        raise SenderRefusedError(
            "unproven",
            "The bearer token is wrong; it has to be the endpoint's password.",
        )


def sends_bearer(delivery: Delivery) -> bool:
    """Tell whether the delivery carries a bearer token."""
    return _authorization(delivery)[0] == "bearer"


def _wanted(terms: Terms) -> tuple[bytes, bytes]:
    if not (terms.username and terms.password):
        raise SenderRefusedError(
            "unproven", "The endpoint has no username and password; set both."
        )
    return terms.username.encode("utf-8"), terms.password.encode("utf-8")


def _authorization(delivery: Delivery) -> tuple[str, str]:
    """Return the scheme in lower case and what follows it; both may be empty."""
    header = delivery.headers.get("authorization", "")[:_LONGEST]
    scheme, _, value = header.strip().partition(" ")
    return scheme.lower(), value.strip()


def _pair(value: str) -> tuple[bytes, bytes]:
    try:
        decoded = b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    username, _, password = decoded.partition(b":")
    return username, password
