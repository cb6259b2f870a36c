"""Attachments that are text are read, the others are listed."""

from base64 import b64encode

import pytest

from flaskllm.inputs.attachments import LONGEST_NAME, MAX_BYTES, MAX_LISTED, MAX_READ
from flaskllm.inputs.document import Attachment
from flaskllm.inputs.email import parse_mail

EVENT = (
    "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Tea\nATTENDEE:mailto:z@x.example\n"
    "END:VEVENT"
)
FILE = "Content-Disposition: attachment"


def parse(*parts, header="From: a@x.example"):
    joined = "".join(f"--b\n{part}\n" for part in ("\nHello", *parts))
    kind = "Content-Type: multipart/mixed; boundary=b"
    return parse_mail(f"{header}\n{kind}\n\n{joined}--b--".encode(), field_name="x")


def attached(document):
    return [part.text for part in document.parts if part.kind == "attachment"]


def codes(document):
    return [notice.code for notice in document.warnings]


@pytest.mark.parametrize(
    ("header", "content", "shown"),
    [
        (f'Content-Type: text/plain\n{FILE}; filename="a.txt"', "words", "words"),
        (f"Content-Type: text/csv\n{FILE}", "a,b\n1,2", "a,b\n1,2"),
        ("Content-Type: text/x-patch", "+ line", "+ line"),
        ("Content-Type: text/plain; name=a.txt", "words", "words"),
        (f"Content-Type: text/html\n{FILE}", "<p>on <s>8</s> 9<p hidden>x",
         "on ~~8~~ 9"),
        ("Content-Type: application/octet-stream; name=a.MD", "# words", "# words"),
        ("Content-Type: text/vtt; name=a.vtt",
         "WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Hi Bo</v>\n", "Ann: Hi Bo"),
        ("Content-Type: application/x-subrip; name=a.srt",
         "1\n00:00:01,000 --> 00:00:02,000\nHi Bo\n", "Hi Bo"),
        ("Content-Type: text/vtt; name=a.vtt", "no cue here", "no cue here"),
        ("Content-Type: text/calendar", EVENT,
         "Calendar entry\nSummary: Tea\nAttendee: z@x.example"),
        ("Content-Type: application/octet-stream; name=a.ics", EVENT,
         "Calendar entry\nSummary: Tea\nAttendee: z@x.example"),
    ],
)  # fmt: skip
def test_a_file_of_text_is_a_part_of_its_own(header, content, shown):
    document = parse(f"{header}\n\n{content}")

    assert attached(document) == [shown]
    assert [each.was_read for each in document.attachments] == [True]
    assert "attachments_ignored" not in codes(document)


@pytest.mark.parametrize(
    ("header", "content"),
    [
        ("Content-Type: application/pdf; name=a.txt", "words"),
        ("Content-Type: application/octet-stream; name=a.exe", "words"),
        ("Content-Type: application/octet-stream", "words"),
        ("Content-Type: text/rtf; name=a.rtf", "{\\rtf1}"),
        ("Content-Type: text/plain; name=a.exe\nX: y", "\0binary"),
        (f"Content-Type: text/plain\n{FILE}", "x" * (MAX_BYTES + 1)),
        ("Content-Type: text/calendar", "BEGIN:VCALENDAR\nEND:VCALENDAR"),
        ("Content-Type: application/octet-stream; name=a.eml", "\nno header"),
    ],
)
def test_a_file_that_is_no_text_or_too_large_is_listed_and_counted(header, content):
    document = parse(f"{header}\n\n{content}")

    assert attached(document) == []
    assert [each.was_read for each in document.attachments] == [False]
    assert codes(document) == ["attachments_ignored"]


def test_an_attachment_has_its_name_its_type_and_its_size():
    body = b64encode(b"%PDF-1.4 \xff").decode()
    header = "Content-Type: Application/PDF; name=no\nContent-Transfer-Encoding: base64"

    document = parse(f'{header}\n{FILE}; filename="Offer June.pdf"\n\n{body}')

    assert document.attachments == (
        Attachment("Offer June.pdf", "application/pdf", 10, False),
    )


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ('filename="../../etc/passwd"', "passwd"),
        ('filename="C:\\\\Users\\\\a b.pdf"', "a b.pdf"),
        ('filename=".."', None),
        ('filename="a/"', None),
        ('filename="a\u202efdp.exe\x07"', "afdp.exe"),
        ('filename="=?utf-8?q?Gr=C3=B6=C3=9Fe.pdf?="', "Größe.pdf"),
        ("filename*=utf-8''Gr%C3%B6%C3%9Fe%2F..%2Fb.pdf", "b.pdf"),
        ("filename*=x-no''a.pdf", "a.pdf"),
        ("filename*0=long; filename*1=er.pdf", "longer.pdf"),
        (f'filename="{"x" * 500}.pdf"', "x" * (LONGEST_NAME - 4) + ".pdf"),
        ("", None),
    ],
)
def test_a_file_name_is_clean(written, name):
    document = parse(f"Content-Type: application/pdf\n{FILE}; {written}\n\nx")

    assert document.attachments[0].name == name


def test_invisible_characters_in_a_file_name_are_reported():
    document = parse(f'Content-Type: application/pdf\n{FILE}; filename="a\u202eb"\n\nx')

    assert "invisible_characters_removed" in codes(document)


@pytest.mark.parametrize(
    "header",
    [
        "Content-Type: application/octet-stream; name=a.eml",
        "Content-Type: message/rfc822; name=a.eml",
    ],
)
def test_an_encoded_mail_is_context(header):
    inner = b64encode(b"From: old@x.example\nSubject: y\n\nOld words").decode()

    document = parse(f"{header}\nContent-Transfer-Encoding: base64\n\n{inner}")

    assert [(part.kind, part.text, part.origin.path) for part in document.parts] == [
        ("body", "Hello", "1"),
        ("quoted", "Old words", "2.1"),
    ]
    assert [each.was_read for each in document.attachments] == [True]


def test_an_invitation_beside_the_text_is_read_once_and_its_people_are_known():
    invitation = f"Content-Type: text/calendar; method=REQUEST\n\n{EVENT}"
    both = f"--c\n\nHello\n--c\n{invitation}\n--c--"
    document = parse(
        f"Content-Type: multipart/alternative; boundary=c\n\n{both}",
        f"Content-Type: application/ics; name=invite.ics\n\n{EVENT}",
    )

    assert [part.kind for part in document.parts] == ["body", "body", "attachment"]
    assert [each.was_read for each in document.attachments] == [True, True]
    assert [(each.email, each.role) for each in document.participants] == [
        ("a@x.example", "from"),
        ("z@x.example", "participant"),
    ]


def test_only_so_many_files_are_read_and_listed():
    file = f"Content-Type: text/plain\n{FILE}; filename=a.txt\n\nwords"

    document = parse(*[file] * (MAX_LISTED + 5))

    assert len(attached(document)) == MAX_READ
    assert len(document.attachments) == MAX_LISTED
    ignored = MAX_LISTED + 5 - MAX_READ
    assert document.warnings[0].detail == f"Attachments that were not read: {ignored}."


def test_words_that_claim_to_be_base64_are_words():
    header = f"Content-Type: text/plain\n{FILE}\nContent-Transfer-Encoding: base64"

    assert attached(parse(f"{header}\n\nThis is an attachment")) == [
        "This is an attachment"
    ]


def test_a_header_goes_on_after_a_line_that_is_none():
    raw = b"From: a@x.example\nbroken\nContent-Type: text/html\n\n<p>Hello</p>"

    document = parse_mail(raw, field_name="x")

    assert [part.text for part in document.parts] == ["Hello"]
    assert codes(document) == ["header_broken"]


def test_the_files_of_the_samples_are_read_and_named(samples):
    names = ("attachments-ten.eml", "attachment-path-traversal-name.eml")
    ten, traversal = (
        parse_mail((samples / "email" / name).read_bytes(), field_name="x")
        for name in names
    )

    assert attached(ten) == ["This is an attachment"] * 10
    assert traversal.attachments == (
        Attachment("1234.txt", "application/txt", 0, False),
    )


def test_the_invitation_of_the_samples_is_read(samples):
    raw = (samples / "email" / "calendar-exchange-request.eml").read_bytes()

    (entry,) = attached(parse_mail(raw, field_name="x"))

    assert "When: 2014-03-28 11:03 to 11:33 (Europe/Kiev, UTC+02:00)" in entry
