"""What the senders of mail deliver becomes one mail, with its recipients and name."""

import json
from base64 import b64decode
from datetime import UTC, datetime

import pytest
from mail_sender_scene import (
    MAIL,
    TOKEN,
    TOPIC,
    document_of,
    fields,
    form,
    multipart,
    text_of,
)
from sender_scene import terms

from flaskllm.inputs.senders.catalogue import SENDERS
from flaskllm.inputs.senders.types import (
    Delivery,
    Item,
    NeedsFetch,
    SenderRefusedError,
    Visit,
)

MAIL_SENDERS = ("sendgrid", "mailgun", "postmark", "ses", "cloudmailin")
CAPTURES = (
    "cloudmailin-json-normalized",
    "mailgun-tampered-timestamp",
    "mailgun-urlencoded-signed",
    "sendgrid-parsed-mixed-charsets-signed",
    "sns-bad-cert-host",
    "sns-ses-received-sigv1",
)


def read(name, delivery):
    return SENDERS[name].read(delivery, terms())


def mail_of(name, delivery):
    item = read(name, delivery)
    assert isinstance(item, Item)
    return item


def captured(sample):
    """Return what a sample holds, its delivery, and an endpoint that knows its keys."""
    capture = json.loads(sample.read_bytes())
    request, proof = capture["request"], capture["verify"]
    headers = {name.lower(): value for name, value in request["headers"].items()}
    known = terms(
        now=datetime.fromtimestamp(capture["frozen_time"], UTC),
        secret=proof.get("key") or proof.get("public_key_der_base64"),
        username=proof.get("user"),
        password=proof.get("password"),
        topics=(TOPIC,),
        certificate=lambda url: proof["certificate_pem"].encode(),
    )
    return capture, Delivery(headers, b64decode(request["body_base64"])), known


@pytest.mark.parametrize("name", CAPTURES)
def test_a_capture_is_taken_or_refused_as_it_is_labelled(name, samples):
    capture, delivery, known = captured(samples / f"inbound/{name}.http.json")
    sender = SENDERS[capture["provider"].removesuffix("-sns")]

    if capture["verify"]["expect"] == "reject":
        with pytest.raises(SenderRefusedError):
            sender.prove(delivery, known)
        return
    sender.prove(delivery, known)
    item = sender.read(delivery, known)

    wanted, text = capture["expected"], text_of(item)
    assert item.metadata["from"] == wanted["from"]
    assert document_of(item).subject == item.metadata["subject"] == wanted["subject"]
    for key in ("text_contains", "new_text_contains", "reply_text"):
        assert wanted.get(key, "") in text
    assert list(item.recipients) == wanted.get("to", list(item.recipients)) != []
    assert item.event_key


@pytest.mark.parametrize(
    ("sample", "name", "said", "files"),
    [
        ("sendgrid-parsed.multipart.txt", "sendgrid", "Hello Twilio SendGrid!", 0),
        ("sendgrid-raw-attachments.multipart.txt", "sendgrid", "Hello Twilio", 1),
        ("postmark-test-payload.json", "postmark", "This is a test text body.", 1),
        ("sns-ses-single-recipient.json", "ses", "should work", 0),
    ],
)
def test_a_delivery_of_a_sample_is_read(sample, name, said, files, samples):
    body = (samples / "inbound" / sample).read_bytes()
    kind = "multipart/form-data; boundary=xYzZY"

    item = mail_of(name, Delivery({"content-type": kind}, body))

    assert said in text_of(item)
    assert item.content.count(b"Content-Disposition: attachment") == files


def test_samples_of_sns_name_an_object_and_a_subscription(samples):
    stored = (samples / "inbound/sns-ses-stored-in-s3.json").read_bytes()
    wanted = (
        samples / "inbound/sns-subscription-confirmation-invalid.json"
    ).read_bytes()

    assert isinstance(read("ses", Delivery({}, stored)), NeedsFetch)
    assert isinstance(read("ses", Delivery({}, wanted)), Visit)


def test_a_raw_mail_of_sendgrid_is_used_as_it_is():
    envelope = b'{"to": ["Support@In.Example.org", 1], "from": "b@x"}'

    item = mail_of("sendgrid", fields(email=MAIL, envelope=envelope, text=b"other"))

    assert (item.content, item.media_type) == (MAIL, "message/rfc822")
    assert item.recipients == ("support@in.example.org",)
    assert item.metadata == {
        "sender": "sendgrid",
        "subject": "Invoice 77",
        "message_id": "<m-1@example.com>",
        "from": "ines@example.com",
    }


def test_without_an_envelope_the_header_names_the_recipients():
    assert mail_of("sendgrid", fields(email=MAIL)).recipients == (
        "inbox@in.example.org",
    )


def test_files_of_sendgrid_are_named_by_their_info():
    info = {"attachment1": {"filename": "log.txt", "type": "text/plain"}}
    delivery = multipart(
        ('name="from"', b"J\xf6rg <a@x.example>"),
        ('name="subject"', "Tür".encode()),
        ('name="charsets"', b'{"from": "iso-8859-1"}'),
        ('name="text"', b" "),
        ('name="attachment-info"', json.dumps(info).encode()),
        ('name="attachment1"; filename=""', b"one"),
        ('name="attachment2"; filename="b.bin"', b"two", "Content-ID: <c@x>"),
    )

    item = mail_of("sendgrid", delivery)

    assert document_of(item).participants[0].name == "Jörg"
    assert b'filename="log.txt"' in item.content
    assert b'filename="b.bin"\r\nContent-ID: <c@x>' in item.content


def test_what_a_field_of_sendgrid_tells_in_broken_json_costs_no_mail():
    broken = fields(email=MAIL, envelope=b"{", charsets=b"[]")

    assert mail_of("sendgrid", broken).recipients == ("inbox@in.example.org",)


def key_of(**changes):
    values = {"email": MAIL, "envelope": b'{"to": ["a@x", "b@x.example"]}'} | changes
    return mail_of("sendgrid", fields(**values)).event_key


def test_a_repeated_mail_has_the_same_event_key_and_another_mail_another():
    swapped = b'{"to": ["b@x.example", "A@x"]}'
    mails = (
        {"email": MAIL.replace(b"m-1", b"m-2")},
        {"email": MAIL + b"And more."},
        {"envelope": b'{"to": ["c@x.example"]}'},
    )

    assert key_of() == key_of(envelope=swapped)
    assert key_of() == key_of(email=b"Received: again\r\n" + MAIL)
    assert key_of() not in {key_of(**each) for each in mails}
    assert key_of(email=MAIL.replace(b"Message-ID", b"X-ID")) == ""


def test_a_mail_without_a_header_is_malformed():
    with pytest.raises(SenderRefusedError) as refused:
        read("sendgrid", fields(email=b"\r\n\r\nno header"))

    assert refused.value.why == "malformed"


def test_a_raw_mail_of_mailgun_is_used_as_it_is():
    pairs = (("body-mime", MAIL), ("recipient", "A@x.example, b@x.example"))

    item = mail_of("mailgun", form(("Token", TOKEN), *pairs))

    assert item.content == MAIL
    assert item.recipients == ("a@x.example", "b@x.example")
    assert item.event_key == TOKEN


def test_a_long_token_becomes_a_short_event_key():
    item = mail_of("mailgun", form(("token", "é" * 150), ("body-mime", MAIL)))

    assert len(item.event_key) == 64


def test_fields_of_mailgun_make_a_mail_where_the_list_of_headers_is_broken():
    pairs = (("from", "Jörg <a@x.example>"), ("subject", "Tür"), ("body-plain", "Hi"))

    for broken in ("{", '{"a": 1}', '[["From"], ["From", 1], 3]'):
        item = mail_of("mailgun", form(*pairs, ("message-headers", broken)))
        assert document_of(item).participants[0].name == "Jörg"
        assert document_of(item).subject == "Tür"


def test_files_of_mailgun_are_shown_where_the_map_says():
    delivery = multipart(
        ('name="Body-Html"', b"<p>Hi <img src='cid:c@x'></p>"),
        ('name="content-id-map"', b'{"<c@x>": "attachment-1", "<d@x>": 2}'),
        ('name="attachment-1"; filename="a.png"', b"\x89", "Content-Type: image/png"),
        ('name="attachment-2"; filename="b.csv"', b"a,b", "Content-Type: text/csv"),
    )

    content = mail_of("mailgun", delivery).content

    assert b'inline; filename="a.png"\r\nContent-ID: <c@x>' in content
    assert b'attachment; filename="b.csv"' in content


def test_files_that_mailgun_stored_are_listed_and_not_fetched():
    stored = [{"name": "a\u202e.pdf", "url": "https://x.example/1"}, {"url": "x"}, 3]
    pairs = (("body-plain", "Hi"), ("message-url", "https://x.example/2"))

    item = mail_of("mailgun", form(*pairs, ("attachments", json.dumps(stored))))

    assert item.warnings == ("attachments_not_fetched",)
    assert item.metadata["attachments_not_fetched"] == ["a.pdf", "unnamed"]


def test_a_mail_that_mailgun_only_stored_needs_a_fetch():
    url = ("message-url", "https://u:p@se.api.mailgun.net/v3/messages/K-1=?t=T0K")
    to = ("To", "Desk <Desk@x.example>")
    found = read("mailgun", form(("token", TOKEN), url, to, ("Message-Id", "<1@x>")))
    broken = read("mailgun", form(("token", TOKEN), ("message-url", "https://[")))

    assert isinstance(found, NeedsFetch)
    assert (found.event_key, "forward()" in found.remedy) == (TOKEN, True)
    assert found.recipients == ("desk@x.example",)
    assert (found.what, broken.ids) == ("mail", {})
    assert found.ids == {
        "host": "se.api.mailgun.net",
        "storage_key": "K-1=",
        "message_id": "<1@x>",
    }


@pytest.mark.parametrize("name", ["sendgrid", "cloudmailin", "ses"])
def test_what_the_operator_can_mend_loses_no_mail(name):
    statuses = SENDERS[name].statuses

    mendable = (statuses.unproven, statuses.stale, statuses.unknown, statuses.later)
    assert set(mendable) == {503}


def test_senders_that_stop_at_one_code_get_it_for_what_stays_unreadable_alone():
    for name, stops in (("mailgun", 406), ("postmark", 403)):
        statuses = SENDERS[name].statuses
        others = (statuses.unproven, statuses.stale, statuses.unknown, statuses.later)
        assert statuses.malformed == stops
        assert stops not in others


def test_only_cloudmailin_tells_a_writer_that_an_address_is_none_of_ours():
    unwanted = {name: SENDERS[name].statuses.unwanted for name in MAIL_SENDERS}

    assert unwanted.pop("cloudmailin") == 404
    assert set(unwanted.values()) == {200}
