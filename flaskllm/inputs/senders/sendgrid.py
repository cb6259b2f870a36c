"""SendGrid Inbound Parse: a mail as a multipart form, raw or taken apart.

Form: `email` holds the whole mail in raw mode, which loses nothing. In parsed mode
the texts stand in fields of their own, each in the charset that `charsets` names
(docs: "Setting up the Inbound Parse Webhook", default parameters).

Proof: a security policy signs the timestamp and the body with ECDSA P-256 and SHA-256
(`secret` is the public key in Base64 as the policy shows it, or as PEM). Without one
the address carries credentials, or the sender a bearer token that is the password.
Whatever the settings name has to hold.

Age: the signature may be 80 hours old. No tolerance is documented, a mail is repeated
for 72 hours, and nothing says that a repetition is signed anew. A copy that somebody
else sends again within that time is known by its event key.

Codes: SendGrid drops a mail for good on any 4xx, tells nobody, and repeats on 5xx for
72 hours. So all that a person can mend in that time is a 503: a mistyped key, a wrong
clock, a mistyped address, a cap on bodies that is too low. A forger who gets 503
instead of 401 learns and gains nothing. Only a body that no repetition makes readable
is a 400.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    load_der_public_key,
    load_pem_public_key,
)

from flaskllm.inputs.senders.basic import prove_basic, prove_bearer, sends_bearer
from flaskllm.inputs.senders.delivered_mail import Delivered, mail_item
from flaskllm.inputs.senders.forms import Field, Form, read_form
from flaskllm.inputs.senders.json_fields import list_at, object_at, read_object, text_at
from flaskllm.inputs.senders.mail_again import (
    Attachment,
    Pieces,
    Text,
    header_block,
    put_together,
)
from flaskllm.inputs.senders.signed import check_age, from_base64
from flaskllm.inputs.senders.types import (
    Delivery,
    Item,
    SecretFault,
    Sender,
    SenderRefusedError,
    Statuses,
    Terms,
)

OLDEST = timedelta(hours=80)
AHEAD = timedelta(minutes=5)
SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"

_ADDRESSED = ("from", "to", "cc", "subject")
_BAD_KEY = (
    "The endpoint's secret is no public key of SendGrid; copy the key of the security "
    "policy whole, in Base64."
)


def prove(delivery: Delivery, terms: Terms) -> None:
    """Return when every proof that the settings name holds.

    Raises:
        SenderRefusedError: `unproven` or `stale`.
    """
    if terms.secret:
        _check_signature(delivery, terms, terms.secret)
        if not (terms.username or terms.password):
            return
    check = prove_bearer if sends_bearer(delivery) else prove_basic
    check(delivery, terms)


def read(delivery: Delivery, terms: Terms) -> Item:
    """Return the mail of a delivery.

    Raises:
        SenderRefusedError: `malformed`.
    """
    form = read_form(delivery)
    whole = form.last("email")
    return mail_item(
        Delivered(
            sender="sendgrid",
            content=whole.value if whole else _put_together(form),
            recipients=_recipients(form),
        )
    )


def _check_signature(delivery: Delivery, terms: Terms, secret: str) -> None:
    key = _public_key(secret)
    stamp = check_age(
        delivery.headers.get(TIMESTAMP, ""), terms.now, oldest=OLDEST, ahead=AHEAD
    )
    signature = from_base64(delivery.headers.get(SIGNATURE, "").strip()) or b""
    signed = stamp.encode("ascii") + delivery.body
    try:
        key.verify(signature, signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        raise SenderRefusedError(
            "unproven",
            "The signature is missing or wrong; the endpoint's secret has to be the "
            "public key of the security policy that this address uses.",
        ) from None


def secret_fault(secret: str) -> SecretFault | None:
    """Return what keeps a text from being the public key of a policy, if anything."""
    try:
        _public_key(secret)
    except SenderRefusedError:
        return SecretFault(
            "is no public key of SendGrid",
            "the key of the security policy whole: Base64, or PEM (ECDSA P-256)",
        )
    return None


def _public_key(secret: str) -> ec.EllipticCurvePublicKey:
    try:
        if "-----BEGIN" in secret:
            key = load_pem_public_key(secret.strip().encode("utf-8"))
        else:
            key = load_der_public_key(from_base64("".join(secret.split())) or b"")
    except (ValueError, UnsupportedAlgorithm):
        raise SenderRefusedError("unproven", _BAD_KEY) from None
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1":
        return key
    raise SenderRefusedError("unproven", _BAD_KEY)


def _recipients(form: Form) -> tuple[str, ...]:
    envelope = _object(form, "envelope")
    return tuple(each for each in list_at(envelope, "to") if isinstance(each, str))


def _put_together(form: Form) -> bytes:
    charsets = _object(form, "charsets")
    header = form.last("headers")
    return put_together(
        Pieces(
            header=header.value if header else _header(form, charsets),
            plain=_text(form, "text", charsets),
            html=_text(form, "html", charsets),
            attachments=_attachments(form),
        )
    )


def _header(form: Form, charsets: Mapping[str, Any]) -> bytes:
    """Return the header that the fields tell, where the block itself is missing."""
    return header_block(
        (name.capitalize(), form.text(name, text_at(charsets, name) or "utf-8"))
        for name in _ADDRESSED
    )


def _text(form: Form, name: str, charsets: Mapping[str, Any]) -> Text | None:
    found = form.last(name)
    if found is None or not found.value.strip():
        return None
    return Text(found.value, text_at(charsets, name) or "utf-8")


def _attachments(form: Form) -> list[Attachment]:
    info = _object(form, "attachment-info")
    return [_attachment(each, object_at(info, each.name)) for each in form.files]


def _attachment(file: Field, info: Mapping[str, Any]) -> Attachment:
    # The part's own names are a form's, which cannot write every file name.
    told = text_at(info, "filename") or text_at(info, "name")
    return Attachment(
        content=file.value,
        media_type=text_at(info, "type") or file.media_type,
        file_name=told or file.file_name or "",
        content_id=text_at(info, "content-id") or file.content_id,
    )


def _object(form: Form, name: str) -> Mapping[str, Any]:
    """Return the JSON object in a field; empty where there is none to be read.

    What it tells is worth having; a mail is not lost for the want of it.
    """
    try:
        return read_object(form.text(name, "utf-8"))
    except SenderRefusedError:
        return {}


SENDGRID = Sender(
    name="sendgrid",
    prove=prove,
    read=read,
    statuses=Statuses(
        unproven=503, stale=503, malformed=400, unwanted=200, unknown=503, too_large=503
    ),
    wants=(("secret",), ("username", "password")),
    secret_fault=secret_fault,
)
