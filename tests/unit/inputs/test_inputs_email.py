"""A mail becomes a document."""

from base64 import b64encode

import pytest

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs.document import Origin, Part
from flaskllm.inputs.email import parse_mail
from flaskllm.inputs.mail_texts import MAX_EFFORT
from flaskllm.inputs.mime import MAX_DEPTH, MAX_PARTS

HEAD = (
    "From: Ann <ann@x.example>\nTo: bob@x.example\nSubject: Hello\n"
    "Date: Tue, 09 Jun 2026 08:12:00 +0200\nMessage-ID: <1@x.example>\n"
)


def parse(content):
    raw = content if isinstance(content, bytes) else content.encode()
    return parse_mail(raw, field_name="body")


def mail(body, **headers):
    named = "".join(f"{key.replace('_', '-')}: {headers[key]}\n" for key in headers)
    return parse(f"{HEAD}{named}\n{body}")


def multipart(kind, *parts):
    joined = "".join(f"--b\n{part}\n" for part in parts)
    return mail(f"{joined}--b--\n", Content_Type=f"multipart/{kind}; boundary=b")


def bodies(document):
    return [part.text for part in document.parts if part.kind == "body"]


def codes(document):
    return [notice.code for notice in document.warnings]


PLAIN = "Content-Type: text/plain\n\nplain text of the mail"
HTML = "Content-Type: text/html\n\n<p>rich text of the mail</p>"


def test_a_plain_mail_has_its_subject_its_body_and_its_facts():
    document = mail("Hi Bob,\nbye.")

    assert document.parts == (
        Part("subject", "subject", "Hello", Origin("header", 0, 5)),
        Part("p1", "body", "Hi Bob,\nbye.", Origin("1", 0, 12)),
    )
    assert document.kind == "email"
    assert document.subject == "Hello"
    assert document.sent_at.isoformat() == "2026-06-09T08:12:00+02:00"
    assert [person.role for person in document.participants] == ["from", "to"]
    assert document.headers == {"message-id": "<1@x.example>"}
    assert document.warnings == ()


def test_what_is_no_mail_is_refused_with_the_field_and_the_mend():
    with pytest.raises(InvalidInputError) as caught:
        parse("just some words")

    assert caught.value.fields[0].path == "body"
    assert "From:" in caught.value.fields[0].allowed


def test_a_mail_without_a_subject_has_no_subject_part():
    document = parse("From: a@x.example\n\nHi")

    assert (document.subject, document.parts[0].id) == (None, "p1")


def test_a_mail_without_text_has_a_warning_and_its_subject():
    document = mail("")

    assert ([part.id for part in document.parts], codes(document)) == (
        ["subject"],
        ["no_text_found"],
    )


def test_the_plain_alternative_is_taken_when_it_says_as_much():
    assert bodies(multipart("alternative", PLAIN, HTML)) == ["plain text of the mail"]


@pytest.mark.parametrize(
    "plain",
    [
        "short",
        "Your reader cannot show HTML, sorry about that.",
        "Please open this mail in a browser to read it, thank you.",
        "",
    ],
)
def test_html_is_taken_when_the_plain_text_is_a_notice(plain):
    document = multipart("alternative", f"Content-Type: text/plain\n\n{plain}", HTML)

    assert bodies(document) == ["rich text of the mail"]


@pytest.mark.parametrize(
    "rich",
    [
        "<p>on <s>8</s> 9 May, the whole day</p>",
        "<p>See red.</p><div id=divRplyFwdMsg>From: Bob</div><p>A long question?</p>"
        "<p style='color:red'>Yes.</p>",
    ],
)
def test_html_is_taken_when_plain_text_cannot_show_what_matters(rich):
    text = "a plain text without strokes and colours " * 20
    document = multipart(
        "alternative",
        f"Content-Type: text/plain\n\n{text}",
        f"Content-Type: text/html\n\n{rich}",
    )

    assert text.strip() not in bodies(document)


def test_a_long_plain_text_that_mentions_html_is_no_notice():
    text = "We talked about HTML in mails. " * 40
    document = multipart("alternative", f"Content-Type: text/plain\n\n{text}", HTML)

    assert bodies(document) == [text.strip()]


def test_warnings_of_the_alternative_that_was_not_taken_are_dropped():
    hidden = "Content-Type: text/html\n\n<p hidden>secret</p><p>plain text</p>"

    assert codes(multipart("alternative", PLAIN, hidden)) == []


def test_an_alternative_without_text_is_empty():
    image = "Content-Type: image/png\n\nx"

    assert codes(multipart("alternative", image)) == [
        "attachments_ignored",
        "no_text_found",
    ]


def test_hidden_text_is_removed_and_counted():
    document = mail("<p hidden>secret</p><p>shown</p>", Content_Type="text/html")

    assert (bodies(document), codes(document)) == (["shown"], ["hidden_text_removed"])


def test_attachments_that_are_no_text_are_left_out_and_counted():
    document = multipart(
        "mixed",
        PLAIN,
        "Content-Type: application/pdf; name=b.pdf\n\nno",
        "Content-Type: application/zip; name=c.zip\n\nno",
        "Content-Type: text/calendar\n\nBEGIN:VCALENDAR",
        "Content-Type: image/png\nContent-ID: <x>\n\nno",
        "Content-Type: image/png\nContent-Disposition: inline\n\nno",
    )

    (notice,) = document.warnings
    assert bodies(document) == ["plain text of the mail"]
    assert (notice.code, notice.detail) == (
        "attachments_ignored",
        "Attachments that were not read: 3.",
    )


def test_every_inline_text_is_read_in_order():
    document = multipart("mixed", PLAIN, HTML)

    assert [part.origin.path for part in document.parts[1:]] == ["1", "2"]


def test_an_unknown_type_with_a_charset_is_text():
    odd = "Content-Type: application/plain; charset=utf-8\n\nodd but readable"

    assert bodies(multipart("mixed", odd)) == ["odd but readable"]


def test_a_signed_part_at_the_deepest_level_is_left_out():
    signed = "Content-Type: multipart/signed; boundary=s\n\n--s\n\nx\n--s--"
    for level in range(MAX_DEPTH):
        kind = f"Content-Type: multipart/mixed; boundary=b{level}"
        signed = f"{kind}\n\n--b{level}\n{signed}\n--b{level}--"

    document = parse(f"{HEAD}{signed}")

    assert codes(document) == ["nesting_cut", "no_text_found"]


def test_a_signed_part_after_the_last_part_that_is_read_is_left_out():
    signed = "Content-Type: multipart/signed; boundary=s\n\n--s\n\nx\n--s--"

    document = multipart("mixed", *["\nx"] * (MAX_PARTS - 2), signed)

    assert len(bodies(document)) == MAX_PARTS - 2
    assert codes(document) == ["parts_cut"]


def test_the_second_part_of_a_signed_mail_is_its_signature():
    proof = "Content-Type: signature/plain; charset=us-ascii\n\nproof"

    assert bodies(multipart("signed", PLAIN, proof)) == ["plain text of the mail"]


@pytest.mark.parametrize(
    ("media_type", "code"),
    [
        ("application/pkcs7-mime; smime-type=enveloped-data", "encrypted_content"),
        ("application/ms-tnef; name=winmail.dat", "tnef_ignored"),
    ],
)
def test_what_cannot_be_read_is_named(media_type, code):
    assert codes(mail("AAAA", Content_Type=media_type)) == [code, "no_text_found"]


def test_an_encrypted_multipart_is_named():
    control = "Content-Type: application/pgp-encrypted\n\nVersion: 1"

    assert "encrypted_content" in codes(multipart("encrypted", control))


def test_an_attached_mail_is_context():
    inner = "Content-Type: message/rfc822\n\nSubject: inner\n\nold words\n> older"

    document = multipart("mixed", PLAIN, inner)

    assert document.parts[2] == Part(
        "p2", "quoted", "old words\n> older", Origin("2.1", 0, 17)
    )


def test_an_attached_mail_alone_is_the_content():
    inner = "Content-Type: message/rfc822\n\nSubject: inner\n\nold words"

    assert bodies(multipart("mixed", inner)) == ["old words"]


def test_an_attached_mail_without_text_is_nothing():
    inner = "Content-Type: message/rfc822\n\nSubject: inner\n\n"

    assert codes(multipart("mixed", inner)) == ["no_text_found"]


def test_a_mail_that_is_all_quote_is_about_the_quote():
    assert bodies(mail("> all of it\n> is quoted")) == ["all of it\nis quoted"]


def test_a_flowed_mail_is_unfolded():
    document = mail("one \ntwo", Content_Type='text/plain; format="flowed"; delsp=no')

    assert bodies(document) == ["one two"]


@pytest.mark.parametrize("charset", ["X-UNKNOWN", "\"'utf-8'\"", "utf-8"])
def test_a_charset_is_read_whatever_it_is(charset):
    assert bodies(mail("Größe", Content_Type=f"text/plain; charset={charset}")) == [
        "Größe"
    ]


def test_a_mail_given_as_text_is_read_as_such_whatever_it_declares():
    declared = "Content-Type: text/plain; charset=iso-8859-1\n"

    document = parse_mail(f"{HEAD}{declared}\nGröße", field_name="prompt")

    assert bodies(document) == ["Größe"]


def test_a_mail_given_as_text_keeps_its_encoded_parts():
    body = b64encode("Größe".encode("latin-1")).decode()
    declared = (
        "Content-Type: text/plain; charset=iso-8859-1\n"
        "Content-Transfer-Encoding: base64\n"
    )

    document = parse_mail(f"{HEAD}{declared}\n{body}", field_name="prompt")

    assert bodies(document) == ["Größe"]


def test_a_forward_by_subject_keeps_the_forwarded_message_as_content():
    document = parse(
        "Subject: WG: Punkte\n\nsiehe unten\n\nVon: Bob\nGesendet: 4. Mai\nAn: Ann\n"
        "Betreff: Punkte\n\nInhalt"
    )

    assert [part.kind for part in document.parts] == ["subject", "body", "body"]


@pytest.mark.no_cover
def test_parts_beyond_the_effort_are_not_read():
    lines = "a\n" * (MAX_EFFORT // 2)
    part = f"Content-Type: text/plain\n\n{lines}"

    document = multipart("mixed", part, part, part, part, part)

    assert [part.id for part in document.parts] == ["subject", "p1", "p2"]
    assert codes(document) == ["text_cut"]


def test_equal_warnings_are_told_once():
    part = "Content-Type: text/html\n\n<i hidden>abc</i>x"

    assert codes(multipart("mixed", part, part)) == ["hidden_text_removed"]
