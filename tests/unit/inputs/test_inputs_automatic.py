"""Which machine wrote a mail, and what is only like one."""

import pytest

from flaskllm.inputs.email import parse_mail


def parse(header, body="Hello"):
    return parse_mail(f"From: a@x.example\n{header}\n\n{body}".encode(), field_name="x")


def codes(document):
    return [notice.code for notice in document.warnings]


REPORT = "Content-Type: multipart/report; boundary=b"
STATUS = "--b\n\nNot delivered.\n--b\nContent-Type: message/delivery-status\n\n\n--b--"


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        (f"{REPORT}; report-type=delivery-status", "bounce"),
        (f"{REPORT}; report-type=Disposition-Notification", "read_receipt"),
        (REPORT, "bounce"),
        ("X-Failed-Recipients: b@x.example", "bounce"),
        ("Return-Path: <>", "bounce"),
        ("Return-Path: <>\nAuto-Submitted: auto-replied", "auto_reply"),
        ("Auto-Submitted: Auto-Replied (vacation)", "auto_reply"),
        ("Precedence: auto_reply", "auto_reply"),
        ("X-Autoreply: yes", "auto_reply"),
        ("Subject: Out of office\nX-Auto-Response-Suppress: All", "auto_reply"),
        ("Subject: =?utf-8?q?R=C3=A9ponse_automatique?=: x\nPrecedence: bulk",
         "auto_reply"),
        ("Subject: Abwesenheit: Urlaub\nAuto-Submitted: auto-generated", "auto_reply"),
        ("Auto-Submitted: auto-generated", "generated"),
        ("Auto-Submitted: no", None),
        ("Subject: Out of office", None),
        ("Subject: Re: Automatic reply: x\nPrecedence: bulk", None),
        ("X-Auto-Response-Suppress: All", None),
        ("Precedence: bulk", None),
        ("Return-Path: <a@x.example>", None),
    ],
)  # fmt: skip
def test_headers_tell_which_machine_wrote_a_mail(header, kind):
    document = parse(header, STATUS)

    assert document.automatic == kind
    assert ("automatic_mail" in codes(document)) is (kind is not None)


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("From: Mail Delivery System <MAILER-DAEMON@x.example>", "bounce"),
        ("From: postmaster@x.example\nReturn-Path: <>", "bounce"),
        ("From: postmaster@x.example", None),
    ],
)
def test_the_sender_of_a_bounce_is_a_mail_server(header, kind):
    found = parse_mail(f"{header}\nSubject: x\n\nHello".encode(), field_name="x")

    assert found.automatic == kind


@pytest.mark.parametrize(
    ("header", "is_list"),
    [
        ("List-Id: <a.x.example>", True),
        ("Precedence: list", True),
        ("Precedence: first-class", False),
        ("List-Id: <a.x.example>\nAuto-Submitted: auto-replied", False),
    ],
)
def test_a_mail_of_a_list_is_labelled_and_still_a_persons(header, is_list):
    assert ("mailing_list_mail" in codes(parse(header))) is is_list


def test_what_a_bounce_returns_is_context_and_nobodys_forward():
    returned = (
        "--b\n\nNot delivered.\n--b\nContent-Type: message/rfc822\n\n"
        "From: old@x.example\n\nThe old words\n--b--"
    )

    document = parse(f"{REPORT}; report-type=delivery-status", returned)

    assert [part.kind for part in document.parts] == ["body", "quoted"]
    assert "forwarded-from" not in document.headers


def test_the_automatic_reply_of_the_samples_is_one(samples):
    content = (samples / "email" / "auto-reply-pl-iso2022.eml").read_bytes()

    assert parse_mail(content, field_name="x").automatic == "auto_reply"
