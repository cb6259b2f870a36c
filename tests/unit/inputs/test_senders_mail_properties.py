"""No delivery, however odd, makes a sender of mail fail but by refusing it."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mail_sender_scene import (
    BOUNDARY,
    FORM,
    TOPIC,
    basic,
    certificate,
    der,
    policy_key,
    with_credentials,
)

from flaskllm.core.errors import APIError
from flaskllm.inputs import parse
from flaskllm.inputs.senders.catalogue import SENDERS
from flaskllm.inputs.senders.types import Delivery, Item, SenderRefusedError

NAMES = ("sendgrid", "mailgun", "postmark", "ses", "cloudmailin")
KEYS = [
    "email", "headers", "charsets", "envelope", "text", "html", "attachment-info",
    "attachment1", "body-mime", "body-plain", "message-headers", "content-id-map",
    "attachments", "message-url", "token", "timestamp", "signature", "recipient",
    "RawEmail", "FromFull", "ToFull", "Email", "Name", "Value", "Headers", "Content",
    "Attachments", "TextBody", "MessageID", "Type", "TopicArn", "Timestamp", "Message",
    "SignatureVersion", "SigningCertURL", "Signature", "SubscribeURL", "content",
    "notificationType", "receipt", "recipients", "action", "encoding", "to", "plain",
    "message", "url", "file_name", "headers[from]", "attachments[0][url]",
]  # fmt: skip
TEXTS = [
    "Notification", "SubscriptionConfirmation", TOPIC, "2026-01-01T00:00:00Z", "1",
    "https://sns.eu-west-1.amazonaws.com/x.pem", "Received", "base64", "QQ==", "\ud800",
    "From: a@x.example\r\n\r\nHi",
    '{"notificationType": "Received", "content": "QQ=="}',
    '[["From", "a@x"]]', '{"to": [["x"]]}', "<c@x>", "é\u202e\x00", "",
]  # fmt: skip
keys = st.sampled_from(KEYS) | st.text(max_size=9)
leaves = st.sampled_from(TEXTS) | st.none() | st.booleans() | st.integers() | st.text()
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4)
    ),
    max_leaves=12,
)
objects = st.dictionaries(keys, values, max_size=8).map(
    lambda found: json.dumps(found).encode()
)
PIECES = [
    f"--{BOUNDARY}\r\n".encode(), f"--{BOUNDARY}--".encode(), b"\r\n", b"\r\n\r\n",
    b"\n", b"Content-Disposition: form-data; ", b"filename=", b'"', b"\\", b";", b"=",
    b"&", b"+",
    b"filename*=utf-8''%FF", b"Content-Type: text/plain; charset=utf-16", b"%", b"\xff",
    *(f'name="{key}"'.encode() for key in KEYS), *(f"{key}=".encode() for key in KEYS),
    *(text.encode("utf-8", "replace") for text in TEXTS),
]  # fmt: skip
pieces = st.lists(st.sampled_from(PIECES), max_size=30).map(b"".join)
kinds = st.sampled_from(
    ["", "application/json", FORM, f"multipart/form-data; boundary={BOUNDARY}"]
) | st.text(max_size=20)
headers = st.dictionaries(
    st.sampled_from(
        [
            "authorization",
            "x-twilio-email-event-webhook-signature",
            "x-twilio-email-event-webhook-timestamp",
        ]
    ),
    st.sampled_from(["Basic ", "Bearer x", "MAA=", "1767225600", *basic().values()])
    | st.text(max_size=20),
)
TERMS = [
    with_credentials(secret="x"),
    with_credentials(secret=der(policy_key())),
    with_credentials(topics=(TOPIC,), certificate=lambda url: certificate()),
]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=40, deadline=None)
@given(
    objects | pieces | st.binary(max_size=99), kinds, headers, st.sampled_from(TERMS)
)
def test_a_delivery_is_read_or_refused(name, body, kind, given_headers, known):
    delivery = Delivery({**given_headers, "content-type": kind}, body)
    sender = SENDERS[name]

    with suppress(SenderRefusedError):
        sender.prove(delivery, known)
    with suppress(SenderRefusedError):
        found = sender.read(delivery, known)
        if isinstance(found, Item):
            check(found)


def check(item):
    json.dumps(item.metadata, ensure_ascii=False).encode()
    assert item.event_key.isprintable()
    assert len(item.event_key) <= 100
    with suppress(APIError):
        parse(
            item.content,
            media_type=item.media_type,
            source=item.source,
            charset=item.charset,
        )


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=20, deadline=None)
@given(st.text("abcdefgh", min_size=12, max_size=20), kinds)
def test_a_refusal_says_nothing_of_the_delivery(name, secret, kind):
    delivery = Delivery({"content-type": kind}, f'{{"{secret}": '.encode())

    for verb in (SENDERS[name].prove, SENDERS[name].read):
        assert secret not in refusal(verb, delivery)


def refusal(verb, delivery):
    try:
        verb(delivery, TERMS[0])
    except SenderRefusedError as refused:
        return f"{refused!r} {refused.detail} {refused.__cause__}"
    return ""
