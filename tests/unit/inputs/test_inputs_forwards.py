"""Who wrote what a mail forwards."""

import pytest

from flaskllm.inputs.document import Person
from flaskllm.inputs.email import parse_mail

ANN = Person("Ann Lee", "ann@x.example", "participant")
GMAIL = "---------- Forwarded message ---------\n"


def parse(subject, body, header=""):
    raw = f"From: Bo <bo@x.example>\nSubject: {subject}\n{header}\n{body}"
    return parse_mail(raw.encode(), field_name="x")


@pytest.mark.parametrize(
    ("subject", "body", "sender"),
    [
        ("Fwd: x", f"See.\n\n{GMAIL}From: Ann Lee <Ann@x.example>\nDate: today\n"
         "Subject: x\nTo: Bo\n\nHello", ANN),
        ("WG: x", "Siehe unten\n\nVon: Ann Lee [mailto:ann@x.example]\n"
         "Gesendet: 4. Mai\nAn: Bo\nBetreff: x\n\nHallo", ANN),
        ("Fwd: x", f"{GMAIL}*From:* ann@x.example\nDate: today\nSubject: x\n\nHello",
         Person(None, "ann@x.example", "participant")),
        ("TR: x", "De : Ann Lee\nEnvoyé : lundi\nÀ : Bo\nObjet : x\n\nBonjour",
         Person("Ann Lee", None, "participant")),
    ],
)  # fmt: skip
def test_the_header_of_a_forwarded_mail_names_its_sender(subject, body, sender):
    document = parse(subject, body)

    assert sender in document.participants
    assert document.headers["forwarded-from"].startswith(sender.name or sender.email)


@pytest.mark.parametrize(("subject", "is_told"), [("[Fwd: x]", True), ("x", False)])
def test_an_attached_mail_is_forwarded_where_the_subject_says_so(subject, is_told):
    document = parse(
        subject,
        "--b\n\nSee.\n--b\nContent-Type: message/rfc822\n\n"
        "From: Ann <ann@x.example>\n\nHello\n--b--",
        "Content-Type: multipart/mixed; boundary=b\n",
    )

    assert ("forwarded-from" in document.headers) is is_told
    assert [part.kind for part in document.parts] == ["subject", "body", "quoted"]


def test_history_below_a_reply_is_no_forward():
    document = parse(
        "Re: x",
        "Yes.\n\nFrom: Ann <ann@x.example>\nSent: today\nTo: Bo\nSubject: x\n\nQ?",
    )

    assert "forwarded-from" not in document.headers


def test_who_is_named_already_is_not_named_twice():
    document = parse(
        "Fwd: x", f"{GMAIL}From: Bo <BO@x.example>\nDate: today\nSubject: x\n\nHello"
    )

    assert document.participants == (Person("Bo", "bo@x.example", "from"),)
    assert document.headers["forwarded-from"] == "Bo <bo@x.example>"
