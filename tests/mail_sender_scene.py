"""Deliveries of the senders of mail, and the keys with which they sign."""

import json
from base64 import b64encode
from datetime import timedelta
from functools import cache
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from sender_scene import NOW, hmac_hex, terms

from flaskllm.inputs import parse
from flaskllm.inputs.senders.types import Delivery

USER, PASSWORD = "support", "pass-4f1c09ab37d2"
FORM = "application/x-www-form-urlencoded"
BOUNDARY = "xYzZY"
TOPIC = "arn:aws:sns:eu-west-1:000000000000:inbound"
CERTIFICATE_URL = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem"
SUBSCRIBE_URL = (
    "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&Token=1"
)
MAIL = (
    b"From: Ines <ines@example.com>\r\nTo: inbox@in.example.org\r\n"
    b"Subject: Invoice 77\r\nMessage-ID: <m-1@example.com>\r\n\r\nPay by Friday.\r\n"
)
SECONDS = str(int(NOW.timestamp()))
TOKEN = "7" + "a" * 49


def basic(username=USER, password=PASSWORD):
    pair = f"{username}:{password}".encode()
    return {"authorization": f"Basic {b64encode(pair).decode()}"}


def with_credentials(**given):
    return terms(username=USER, password=PASSWORD, **{"secret": None} | given)


def multipart(*parts):
    """Each part is the disposition's end and the value, or these and more headers."""
    body = b""
    for disposition, value, *headers in parts:
        lines = [f"Content-Disposition: form-data; {disposition}", *headers]
        body += f"--{BOUNDARY}\r\n".encode() + "\r\n".join(lines).encode()
        body += b"\r\n\r\n" + value + b"\r\n"
    body += f"--{BOUNDARY}--\r\n".encode()
    kind = f"multipart/form-data; boundary={BOUNDARY}"
    return Delivery({"content-type": kind}, body)


def fields(**values):
    """Return a multipart form; a name's underscores stand for hyphens."""
    return multipart(
        *((f'name="{name.replace("_", "-")}"', value) for name, value in values.items())
    )


def form(*pairs):
    return Delivery({"content-type": FORM}, urlencode(pairs).encode())


def told(body, **headers):
    return Delivery(
        {"content-type": "application/json", **headers}, json.dumps(body).encode()
    )


def document_of(item):
    return parse(
        item.content,
        media_type=item.media_type,
        source=item.source,
        charset=item.charset,
    )


def text_of(item):
    return document_of(item).text()


@cache
def policy_key():
    return ec.generate_private_key(ec.SECP256R1())


def der(key):
    public = key.public_key()
    content = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return b64encode(content).decode()


def pem(key):
    public = key.public_key()
    shown = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return shown.decode()


def from_sendgrid(delivery, at=NOW, key=None):
    stamp = str(int(at.timestamp()))
    signature = (key or policy_key()).sign(
        stamp.encode() + delivery.body, ec.ECDSA(SHA256())
    )
    named = {
        "x-twilio-email-event-webhook-signature": b64encode(signature).decode(),
        "x-twilio-email-event-webhook-timestamp": stamp,
    }
    return Delivery({**delivery.headers, **named}, delivery.body)


def token_of_mailgun(at=NOW, token=TOKEN, key=None):
    """Return the fields with which Mailgun proves a delivery."""
    stamp = str(int(at.timestamp()))
    secret = (key or terms().secret).encode()
    return [
        ("timestamp", stamp),
        ("token", token),
        ("signature", hmac_hex(secret, (stamp + token).encode())),
    ]


@cache
def topic_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@cache
def certificate(days=(-10, 10), kind="rsa"):
    key = topic_key() if kind == "rsa" else policy_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.test.example")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(NOW + timedelta(days=days[0]))
        .not_valid_after(NOW + timedelta(days=days[1]))
        .sign(topic_key(), SHA256())
    )
    return made.public_bytes(Encoding.PEM)


def message(**changes):
    """Return an SNS notification of a mail, not yet signed."""
    plain = {
        "Type": "Notification",
        "MessageId": "11111111-1111-4111-8111-111111111111",
        "TopicArn": TOPIC,
        "Message": json.dumps(received()),
        "Timestamp": "2026-01-01T00:00:00.500Z",
        "SignatureVersion": "2",
        "SigningCertURL": CERTIFICATE_URL,
    }
    return {**plain, **changes}


def received(content=None, encoding="Base64", action="SNS", **verdicts):
    found = b64encode(MAIL).decode() if content is None else content
    return {
        "notificationType": "Received",
        "mail": {
            "source": "ines@example.com",
            "destination": ["inbox@in.example.org"],
            "commonHeaders": {"subject": "Invoice 77", "messageId": "<m-1@x>"},
        },
        "receipt": {
            "recipients": ["Inbox@in.example.org"],
            "action": {"type": action, "encoding": encoding},
            **{f"{name}Verdict": {"status": value} for name, value in verdicts.items()},
        },
        **({"content": found} if found else {}),
    }


def sign(plain):
    """Return the delivery of a message, signed over what its type signs."""
    more = {"Token", "SubscribeURL"} if "Confirmation" in plain["Type"] else {"Subject"}
    names = {"Message", "MessageId", "Timestamp", "TopicArn", "Type"} | more
    text = "".join(
        f"{name}\n{plain[name]}\n" for name in sorted(names) if plain.get(name)
    )
    algorithm = SHA1() if plain["SignatureVersion"] == "1" else SHA256()
    signature = topic_key().sign(text.encode(), PKCS1v15(), algorithm)
    return told({**plain, "Signature": b64encode(signature).decode()})


def confirmation(url=SUBSCRIBE_URL, kind="SubscriptionConfirmation"):
    return message(Type=kind, SubscribeURL=url, Token="1", Message="confirm")


def for_topic(**given):
    given.setdefault("certificate", lambda url: certificate())
    return terms(**{"topics": (TOPIC,), "secret": None} | given)
