"""Messages of Amazon SNS: their signature, their age, and the addresses in them.

docs.aws.amazon.com/sns, "Verifying the signatures of Amazon SNS messages": a message
is JSON, sent as text/plain; its signature covers named fields of it; the certificate
lies at an address that the message itself names. So that address has to be one of
Amazon SNS before anything is fetched, and the topic one of the endpoint's.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.x509 import Certificate, load_pem_x509_certificate

from flaskllm.inputs.senders.json_fields import text_at
from flaskllm.inputs.senders.signed import from_base64
from flaskllm.inputs.senders.types import SenderRefusedError, Terms

OLDEST = timedelta(hours=2)
"""SNS repeats a message with its first timestamp, for an hour at the most."""
AHEAD = timedelta(minutes=5)

NOTIFICATION = "Notification"
SUBSCRIBE = "SubscriptionConfirmation"
UNSUBSCRIBE = "UnsubscribeConfirmation"

_CONFIRMATION_KEYS = (
    "Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type",
)  # fmt: skip
_SIGNED = {
    NOTIFICATION: ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    SUBSCRIBE: _CONFIRMATION_KEYS,
    UNSUBSCRIBE: _CONFIRMATION_KEYS,
}
_HASHES = {"1": SHA1, "2": SHA256}
_HOST = r"https://sns\.[a-z0-9-]{1,40}\.amazonaws\.com(?:\.cn)?"
_CERTIFICATE_URL = re.compile(_HOST + r"/[A-Za-z0-9._/-]{1,200}\.pem")
_SUBSCRIBE_URL = re.compile(_HOST + r"/\?[A-Za-z0-9%&=:._~+/-]{1,2000}")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)


def is_subscribe_url(url: str) -> bool:
    """Tell whether an address is one of Amazon SNS that confirms a subscription."""
    return bool(_SUBSCRIBE_URL.fullmatch(url))


def prove_message(message: Mapping[str, Any], terms: Terms) -> None:
    """Return when a topic of the endpoint sent the message, and not long ago.

    The topic is compared first: who does not know it has nothing fetched.

    Raises:
        SenderRefusedError: `unproven`, `stale`, or `malformed`: it is no message of
            SNS.
    """
    signed = _SIGNED.get(text_at(message, "Type"))
    if signed is None:
        raise SenderRefusedError(
            "malformed",
            "The body is no message of SNS; switch raw message delivery off.",
        )
    if text_at(message, "TopicArn") not in terms.topics:
        raise SenderRefusedError(
            "unproven", "The topic is not one of the endpoint's topics; add its ARN."
        )
    _refuse_stale(text_at(message, "Timestamp"), terms.now)
    algorithm = _HASHES.get(text_at(message, "SignatureVersion"))
    if algorithm is None:
        raise SenderRefusedError("unproven", "The signature is of no known version.")
    key = _public_key(text_at(message, "SigningCertURL"), terms)
    signature = from_base64(text_at(message, "Signature")) or b""
    try:
        key.verify(signature, _text(message, signed), PKCS1v15(), algorithm())
    except (InvalidSignature, UnsupportedAlgorithm):
        raise SenderRefusedError(
            "unproven",
            "The signature is wrong; set SignatureVersion of the topic to 2 where "
            "this machine does not allow SHA-1.",
        ) from None


def _text(message: Mapping[str, Any], names: tuple[str, ...]) -> bytes:
    """Return what is signed: each name and its value, each on a line of its own."""
    lines = []
    for name in names:
        value = message.get(name)
        if value is not None:
            lines.append(f"{name}\n{text_at(message, name)}\n")
    return "".join(lines).encode("utf-8")


def _refuse_stale(timestamp: str, now: datetime) -> None:
    age = now - _moment(timestamp)
    if not -AHEAD <= age <= OLDEST:
        raise SenderRefusedError(
            "stale", "The message is too old or from the future; check the clocks."
        )


def _moment(timestamp: str) -> datetime:
    if _TIMESTAMP.fullmatch(timestamp):
        try:
            return datetime.fromisoformat(timestamp).astimezone(UTC)
        except (ValueError, OverflowError):
            pass
    raise SenderRefusedError("unproven", "The message has no timestamp.")


def _public_key(url: str, terms: Terms) -> RSAPublicKey:
    if not _CERTIFICATE_URL.fullmatch(url):
        raise SenderRefusedError(
            "unproven", "The certificate does not lie at an address of Amazon SNS."
        )
    if terms.certificate is None:
        raise SenderRefusedError("unproven", "No certificate can be fetched here.")
    certificate, key = _certificate(terms.certificate(url))
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begins <= terms.now <= ends:
        raise SenderRefusedError("unproven", "The certificate is not valid now.")
    if not isinstance(key, RSAPublicKey):
        raise SenderRefusedError("unproven", "The certificate holds no RSA key.")
    return key


def _certificate(pem: bytes) -> tuple[Certificate, object]:
    """Return a certificate and its public key, which may be of any kind."""
    try:
        certificate = load_pem_x509_certificate(pem)
        return certificate, certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        raise SenderRefusedError("unproven", "The certificate is broken.") from None
