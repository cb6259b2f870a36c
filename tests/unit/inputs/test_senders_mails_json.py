"""What Postmark, SES and CloudMailin deliver becomes one mail."""

import json
from base64 import b64encode

import pytest
from mail_sender_scene import (
    FORM,
    MAIL,
    confirmation,
    document_of,
    fields,
    message,
    multipart,
    received,
    text_of,
    told,
)
from sender_scene import terms

from flaskllm.inputs.senders.catalogue import SENDERS
from flaskllm.inputs.senders.types import (
    Delivery,
    Item,
    NeedsFetch,
    Nothing,
    Reply,
    SenderRefusedError,
)

LATIN = "From: a@x.example\r\nSubject: Tür\r\nContent-Type: text/plain; charset=latin1"
LATIN += "\r\n\r\nGrüße"
LOG = b64encode(b"a,b").decode()
FILE = {"content": LOG, "file_name": "log.csv", "content_type": "text/csv"}
STORED = {"url": "https://x.example/1", "file_name": "März\u202e.pdf"}


def read(name, delivery):
    return SENDERS[name].read(delivery, terms())


def mail_of(name, delivery):
    item = read(name, delivery)
    assert isinstance(item, Item)
    return item


def noted(**changes):
    """Return an SNS message of what SES says."""
    return told(message(Message=json.dumps(received(**changes))))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_set_up_check_of_postmark_is_greeted(method):
    greeting = SENDERS["postmark"].greeting

    assert greeting(Delivery({}, b"", method=method)) == Reply(b"ok\n", "text/plain")
    assert greeting(Delivery({}, b"{}")) is None


def test_a_raw_mail_of_postmark_is_read_as_the_text_that_it_came_as():
    item = mail_of("postmark", told({"RawEmail": LATIN, "MessageID": "id-1"}))

    assert "Grüße" in text_of(item)
    assert (item.metadata["subject"], item.event_key) == ("Tür", "id-1")
    ascii_mail = mail_of("postmark", told({"RawEmail": MAIL.decode()}))
    assert (ascii_mail.content, ascii_mail.media_type) == (MAIL, "message/rfc822")


def test_a_mail_that_postmark_took_apart_is_whole_again():
    told_apart = {
        "FromFull": {"Email": "a@x.example", "Name": "Lee, Ann"},
        "ToFull": [{"Email": "b@x.example", "Name": ""}, 3],
        "Cc": "c@x.example",
        "OriginalRecipient": "B+Hash@x.example",
        "Subject": "Half \ud83d a pair",
        "Headers": [
            {"Name": "Message-ID", "Value": "<p@x>"},
            {"Name": "Subject", "Value": "other"},
            {"Name": "Content-Type", "Value": "text/html"},
        ],
        "TextBody": "Hi",
        "Attachments": [
            {"Name": "a.csv", "Content": LOG, "ContentType": "text/csv"},
            {"Name": "b.csv", "Data": LOG},
            {"Name": "c.csv", "Content": "é"},
        ],
    }

    item = mail_of("postmark", told(told_apart))

    people = [(each.name, each.email) for each in document_of(item).participants]
    assert people == [
        ("Lee, Ann", "a@x.example"),
        (None, "b@x.example"),
        (None, "c@x.example"),
    ]
    assert item.recipients == ("b+hash@x.example",)
    assert item.metadata["subject"] == "Half ? a pair"
    assert item.metadata["message_id"] == "<p@x>"
    assert item.content.count(LOG.encode()) == 2


def test_a_mail_of_ses_in_base64_keeps_its_bytes():
    item = mail_of("ses", noted(spam="FAIL", virus="FAIL", spf="PASS", dkim="x"))

    assert item.content == MAIL
    assert item.recipients == ("inbox@in.example.org",)
    assert item.warnings == ("spam_suspected", "virus_suspected")
    assert item.metadata["verdicts"] == {"spam": "FAIL", "virus": "FAIL", "spf": "PASS"}
    assert item.event_key == "11111111-1111-4111-8111-111111111111"


def test_a_mail_of_ses_in_utf_8_is_read_as_text():
    item = mail_of("ses", noted(content=LATIN, encoding="UTF8"))

    assert "Grüße" in text_of(item)


def test_recipients_of_ses_come_from_the_rule_else_from_the_envelope():
    said = received()
    del said["receipt"]["recipients"]
    item = mail_of("ses", told(message(Message=json.dumps(said))))
    del said["mail"]["destination"]
    bare = mail_of("ses", told(message(Message=json.dumps(said))))

    assert item.recipients == bare.recipients == ("inbox@in.example.org",)


def test_a_mail_that_ses_put_into_a_bucket_needs_a_fetch_and_says_how():
    found = read("ses", noted(content="", action="S3", spam="FAIL"))

    assert isinstance(found, NeedsFetch)
    assert "SNS action" in found.remedy
    assert found.metadata == {
        "sender": "ses",
        "subject": "Invoice 77",
        "message_id": "<m-1@x>",
        "from": "ines@example.com",
        "verdicts": {"spam": "FAIL"},
    }


def test_a_mail_of_ses_that_is_no_base64_is_malformed():
    with pytest.raises(SenderRefusedError) as refused:
        read("ses", noted(content="é"))

    assert refused.value.why == "malformed"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (message(Message="Successfully validated SNS topic"), "ses_no_mail"),
        (message(Message='{"notificationType": "Bounce"}'), "ses_no_mail"),
        (confirmation(kind="UnsubscribeConfirmation"), "sns_unsubscribed"),
    ],
)
def test_messages_of_sns_about_something_else_are_no_mail(body, code):
    assert read("ses", told(body)) == Nothing(code)


@pytest.mark.parametrize(
    "url",
    [
        "https://attacker.example/?Action=ConfirmSubscription",
        "http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
        "https://sns.eu-west-1.amazonaws.com:8443/?Action=ConfirmSubscription",
        "https://u@sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
        "https://sns.eu-west-1.amazonaws.com/other?Action=ConfirmSubscription",
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription\n",
    ],
)
def test_no_address_but_one_of_sns_is_visited(url):
    with pytest.raises(SenderRefusedError):
        read("ses", told(confirmation(url)))


def test_a_multipart_mail_of_cloudmailin_says_what_the_json_says():
    headers = {"from": "A <a@x.example>", "subject": "Hi", "message_id": "<c@x>"}
    as_json = {
        "headers": {**headers, "received": ["one", 3, "two"], "x": None},
        "envelope": {"to": "b@x.example", "recipients": ["B@x.example"]},
        "plain": "Hello",
        "attachments": [FILE],
    }
    as_form = multipart(
        *((f'name="headers[{key}]"', text.encode()) for key, text in headers.items()),
        ('name="headers[received][0]"', b"one"),
        ('name="headers[received][1]"', b"two"),
        ('name="envelope[to]"', b"b@x.example"),
        ('name="envelope[recipients][]"', b"B@x.example"),
        ('name="plain"', b"Hello"),
        ('name="attachments[0]"; filename="log.csv"', b"a,b", "Content-Type: text/csv"),
    )

    item = mail_of("cloudmailin", told(as_json))

    assert item == mail_of("cloudmailin", as_form)
    assert item.recipients == ("b@x.example",)
    assert b"Received: one\r\nReceived: two\r\n" in item.content


def test_a_raw_mail_of_cloudmailin_is_used_as_it_is():
    upload = multipart(('name="message"; filename="m.eml"', MAIL))

    assert mail_of("cloudmailin", fields(message=MAIL)).content == MAIL
    assert mail_of("cloudmailin", upload).content == MAIL
    assert "Grüße" in text_of(mail_of("cloudmailin", told({"message": LATIN})))


def test_files_that_cloudmailin_stored_are_listed_and_not_fetched():
    item = mail_of(
        "cloudmailin", told({"plain": "Hi", "attachments": [STORED, FILE, 1]})
    )
    of_form = mail_of(
        "cloudmailin",
        fields(**{"plain": b"Hi", "attachments[0][url]": b"https://x.example/1"}),
    )

    assert item.warnings == of_form.warnings == ("attachments_not_fetched",)
    assert item.metadata["attachments_not_fetched"] == ["März.pdf"]
    assert b'filename="log.csv"' in item.content


def test_fields_of_cloudmailin_that_contradict_each_other_are_no_fault():
    delivery = Delivery(
        {"content-type": FORM},
        b"headers=1&headers[a]=2&envelope[to][x]=3&envelope[to]=4&envelope[to][y]=5",
    )

    assert mail_of("cloudmailin", delivery).recipients == ()


@pytest.mark.parametrize("name", ["postmark", "ses", "cloudmailin"])
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff", b"[" * 99_999])
def test_a_body_that_is_no_json_object_is_malformed(name, body):
    with pytest.raises(SenderRefusedError) as refused:
        read(name, Delivery({}, body))

    assert refused.value.why == "malformed"
