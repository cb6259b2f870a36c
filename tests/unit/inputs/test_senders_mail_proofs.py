"""A mail is taken from its sender alone, and for as long as it repeats one."""

import json
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from mail_sender_scene import (
    CERTIFICATE_URL,
    PASSWORD,
    SECONDS,
    TOKEN,
    USER,
    basic,
    certificate,
    confirmation,
    der,
    fields,
    for_topic,
    form,
    from_sendgrid,
    message,
    multipart,
    policy_key,
    sign,
    token_of_mailgun,
    told,
    with_credentials,
)
from sender_scene import NOW, SECRET, hmac_hex, terms

from flaskllm.inputs.senders.catalogue import SENDERS
from flaskllm.inputs.senders.types import Delivery, SenderRefusedError

OTHER = ec.generate_private_key(ec.SECP256R1())
SENDGRID = from_sendgrid(fields(subject=b"x"))
MAILGUN = form(*token_of_mailgun())
KEY = terms(secret=der(policy_key()))
PEM = policy_key().public_key().public_bytes(
    Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
)  # fmt: skip
HOST = "https://sns.eu-west-1.amazonaws.com"


def prove(name, delivery, known):
    SENDERS[name].prove(delivery, known)


def why(name, delivery, known):
    with pytest.raises(SenderRefusedError) as refused:
        prove(name, delivery, known)
    return refused.value.why


def bare(headers):
    return Delivery(headers, b"{}")


def changed(delivery, **changes):
    """Return a delivery with other values of its headers; None takes one away."""
    named = {name.replace("_", "-"): value for name, value in changes.items()}
    headers = {**delivery.headers, **named}
    kept = {name: value for name, value in headers.items() if value is not None}
    return replace(delivery, headers=kept)


@pytest.mark.parametrize("name", ["sendgrid", "postmark", "cloudmailin"])
def test_credentials_of_the_address_prove_a_delivery(name):
    prove(name, bare(basic()), with_credentials())


def test_credentials_are_utf_8_and_a_password_may_hold_a_colon():
    known = replace(with_credentials(), username="jörg", password="a:ß")

    prove("postmark", bare(basic("jörg", "a:ß")), known)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        basic(password="wrong"),
        basic(username="wrong"),
        basic(PASSWORD, USER),
        basic("", ""),
        {"authorization": "Basic"},
        {"authorization": "Basic no base 64"},
        {"authorization": "Basic ü"},
        {"authorization": f"Bearer {PASSWORD}"},
        {"authorization": b64encode(f"{USER}:{PASSWORD}".encode()).decode()},
    ],
)
def test_other_credentials_prove_nothing(headers):
    assert why("postmark", bare(headers), with_credentials()) == "unproven"


@pytest.mark.parametrize("missing", [{"username": None}, {"password": ""}])
def test_an_endpoint_without_credentials_takes_nothing(missing):
    known = replace(with_credentials(), **missing)
    given = basic(known.username or "", known.password or "")

    assert why("cloudmailin", bare(given), known) == "unproven"


def test_a_bearer_token_of_sendgrid_is_the_password():
    prove("sendgrid", bare({"authorization": f"Bearer {PASSWORD}"}), with_credentials())

    wrong = bare({"authorization": "Bearer ü"})
    assert why("sendgrid", wrong, with_credentials()) == "unproven"


@pytest.mark.parametrize("secret", [der(policy_key()), PEM.decode()])
def test_a_public_key_is_taken_as_the_policy_shows_it(secret):
    prove("sendgrid", SENDGRID, terms(secret=secret))


@pytest.mark.parametrize("hours", [0, 72, 80])
def test_a_mail_that_sendgrid_repeats_keeps_its_proof(hours):
    prove("sendgrid", SENDGRID, replace(KEY, now=NOW + timedelta(hours=hours)))


@pytest.mark.parametrize("shift", [timedelta(hours=80, seconds=1), -timedelta(hours=1)])
def test_a_signature_of_sendgrid_from_another_time_is_stale(shift):
    assert why("sendgrid", SENDGRID, replace(KEY, now=NOW + shift)) == "stale"


@pytest.mark.parametrize(
    "delivery",
    [
        replace(SENDGRID, body=SENDGRID.body + b" "),
        from_sendgrid(fields(subject=b"x"), key=OTHER),
        changed(SENDGRID, x_twilio_email_event_webhook_signature=None),
        changed(SENDGRID, x_twilio_email_event_webhook_signature="ü"),
        changed(SENDGRID, x_twilio_email_event_webhook_timestamp=None),
        changed(SENDGRID, x_twilio_email_event_webhook_timestamp=f"{SECONDS}.5"),
        changed(SENDGRID, x_twilio_email_event_webhook_timestamp=str(int(SECONDS) + 1)),
    ],
)
def test_a_wrong_signature_of_sendgrid_proves_nothing(delivery):
    assert why("sendgrid", delivery, KEY) == "unproven"


@pytest.mark.parametrize(
    "secret",
    [
        "ü",
        "bm90IGEga2V5",
        "-----BEGIN PUBLIC KEY-----\nx\n-----END PUBLIC KEY-----",
        der(ec.generate_private_key(ec.SECP384R1())),
        der(ed25519.Ed25519PrivateKey.generate()),
    ],
    ids=["no ASCII", "no key", "no PEM", "another curve", "another kind"],
)
def test_a_secret_that_is_no_such_key_proves_nothing(secret):
    assert why("sendgrid", SENDGRID, terms(secret=secret)) == "unproven"


@pytest.mark.parametrize(
    ("name", "delivery", "known"),
    [
        ("sendgrid", SENDGRID, KEY),
        ("mailgun", MAILGUN, terms()),
        ("ses", sign(message()), for_topic()),
    ],
)
def test_every_proof_that_the_settings_name_has_to_hold(name, delivery, known):
    both = replace(known, username=USER, password=PASSWORD)

    prove(name, changed(delivery, **basic()), both)

    assert why(name, delivery, both) == "unproven"


@pytest.mark.parametrize("hours", [0, 8, 9])
def test_a_delivery_that_mailgun_repeats_keeps_its_proof(hours):
    prove("mailgun", MAILGUN, terms(now=NOW + timedelta(hours=hours)))


@pytest.mark.parametrize("kind", ["lines", "urlencoded"])
def test_a_large_mail_of_mailgun_keeps_its_proof_wherever_that_stands(kind):
    large = ("body-mime", "x" * 8_000_000)
    pairs = [large, *token_of_mailgun()]
    lines = ((f'name="{name}"', value.encode()) for name, value in pairs)

    prove(
        "mailgun", form(*pairs) if kind == "urlencoded" else multipart(*lines), terms()
    )


@pytest.mark.parametrize("shift", [timedelta(hours=9, seconds=1), -timedelta(hours=1)])
def test_a_token_of_mailgun_from_another_time_is_stale(shift):
    assert why("mailgun", MAILGUN, terms(now=NOW + shift)) == "stale"


def test_of_several_fields_the_last_proves_without_regard_to_case():
    first, *others = token_of_mailgun()

    prove(
        "mailgun", form(("timestamp", "1"), ("Timestamp", first[1]), *others), terms()
    )


@pytest.mark.parametrize(
    "pairs",
    [
        [],
        token_of_mailgun()[:2],
        token_of_mailgun(key="other"),
        token_of_mailgun(token=""),
        token_of_mailgun(token="a" * 201),
        [*token_of_mailgun(), ("token", "b" * 50)],
        [*token_of_mailgun(), ("timestamp", str(int(SECONDS) + 1))],
        [*token_of_mailgun(), ("signature", "ü")],
    ],
)
def test_a_wrong_token_of_mailgun_proves_nothing(pairs):
    assert why("mailgun", form(*pairs), terms()) == "unproven"


@pytest.mark.parametrize(
    ("stamp", "token"), [(SECONDS + TOKEN[0], TOKEN[1:]), (SECONDS[:-1], "0" + TOKEN)]
)
def test_a_digit_moved_between_time_and_token_is_refused(stamp, token):
    signed = form(
        ("timestamp", stamp),
        ("token", token),
        ("signature", hmac_hex(SECRET.encode(), (SECONDS + TOKEN).encode())),
    )

    assert why("mailgun", signed, terms()) in ("stale", "unproven")


def test_a_delivery_of_mailgun_without_key_or_form_is_refused():
    assert why("mailgun", MAILGUN, terms(secret=None)) == "unproven"
    assert why("mailgun", told({}), terms()) == "malformed"


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("subject", [None, "Amazon SES Email Receipt Notification"])
def test_a_message_of_an_allowed_topic_is_proven(version, subject):
    prove("ses", sign(message(SignatureVersion=version, Subject=subject)), for_topic())


@pytest.mark.parametrize(
    "kind", ["SubscriptionConfirmation", "UnsubscribeConfirmation"]
)
def test_a_confirmation_is_signed_over_its_own_names(kind):
    prove("ses", sign(confirmation(kind=kind)), for_topic())


def test_what_is_too_large_to_be_of_sns_is_not_read():
    delivery = replace(sign(message()), body=b"[]," * 1_000_000)

    assert why("ses", delivery, for_topic()) == "malformed"


@pytest.mark.parametrize(
    "change",
    [
        {"Message": "other"},
        {"Subject": "added"},
        {"MessageId": "2"},
        {"Timestamp": "2026-01-01T00:00:01Z"},
        {"SignatureVersion": "1"},
        {"SignatureVersion": "3"},
        {"Signature": "ü"},
        {"Signature": None},
        {"Type": "UnsubscribeConfirmation"},
        {"TopicArn": "arn:aws:sns:eu-west-1:000000000000:other"},
        {"Timestamp": None},
        {"Timestamp": "2026-13-01T00:00:00Z"},
    ],
)
def test_a_message_changed_after_signing_proves_nothing(change):
    signed = sign(message())
    body = {**json.loads(signed.body), **change}

    assert why("ses", told(body), for_topic()) == "unproven"


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.eu-west-1.amazonaws.com.attacker.example/x.pem",
        "https://sns.eu-west-1.amazonaws.com@attacker.example/x.pem",
        "https://user@sns.eu-west-1.amazonaws.com/x.pem",
        "https://attacker.example/sns.eu-west-1.amazonaws.com/x.pem",
        "https://sns.a.b.amazonaws.com/x.pem",
        "https://bucket.amazonaws.com/x.pem",
        f"{HOST}:444/x.pem",
        f"{HOST}/x.pem?x=.pem",
        f"{HOST}/x.crt",
        f"{HOST}/x.pem\n",
        f"{HOST}\\@attacker.example/x.pem",
        "",
    ],
)
def test_a_certificate_elsewhere_is_never_fetched(url):
    fetched = []

    known = for_topic(certificate=fetched.append)

    assert why("ses", sign(message(SigningCertURL=url)), known) == "unproven"
    assert fetched == []


def test_a_certificate_of_china_is_fetched_from_there():
    url = CERTIFICATE_URL.replace(
        "eu-west-1.amazonaws.com", "cn-north-1.amazonaws.com.cn"
    )
    fetched = []

    known = for_topic(certificate=lambda each: fetched.append(each) or certificate())

    prove("ses", sign(message(SigningCertURL=url)), known)
    assert fetched == [url]


def test_nothing_is_fetched_for_a_topic_that_is_not_allowed():
    fetched = []

    known = for_topic(topics=(), certificate=fetched.append)

    assert why("ses", sign(message()), known) == "unproven"
    assert fetched == []


@pytest.mark.parametrize(
    "found",
    [
        None,
        lambda url: b"no certificate",
        lambda url: certificate(days=(-10, -1)),
        lambda url: certificate(days=(1, 10)),
        lambda url: certificate(kind="ec"),
    ],
)
def test_a_certificate_that_is_missing_or_wrong_proves_nothing(found):
    assert why("ses", sign(message()), for_topic(certificate=found)) == "unproven"


@pytest.mark.parametrize(("hours", "stale"), [(1, False), (1.99, False), (2.01, True)])
def test_a_message_is_stale_when_sns_would_no_longer_repeat_it(hours, stale):
    known = for_topic(now=NOW + timedelta(hours=hours))

    if stale:
        assert why("ses", sign(message()), known) == "stale"
    else:
        prove("ses", sign(message()), known)


def test_a_message_from_the_future_is_stale():
    known = for_topic(now=NOW - timedelta(minutes=6))

    assert why("ses", sign(message()), known) == "stale"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"Type": "Other"}', b"[" * 99_999]
)
def test_what_is_no_message_of_sns_is_malformed(body):
    assert why("ses", Delivery({}, body), for_topic()) == "malformed"
