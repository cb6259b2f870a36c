"""The one entry of the parsers."""

import pytest

from flaskllm.core.errors import InvalidInputError, UnsupportedMediaType
from flaskllm.inputs import parse
from flaskllm.inputs.media_types import SUPPORTED

MAIL = b"From: a@x.example\nSubject: Hello\n\nHi Bob"
VTT = b"WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Hi"
SRT = b"1\n00:00:01,000 --> 00:00:02,000\nHi\n"
TALK = b"Ann Lee: hi\nBob Ray: ho\nAnn Lee: bye"


def shape(content, media_type=None, source=None, **options):
    document = parse(content, media_type=media_type, source=source, **options)
    return document.kind, [part.kind for part in document.parts]


@pytest.mark.parametrize(
    ("content", "media_type", "source", "expected"),
    [
        (MAIL, "message/rfc822", None, ("email", ["subject", "body"])),
        (MAIL, "Message/RFC822; charset=x", "meeting", ("email", ["subject", "body"])),
        (VTT, "text/vtt", None, ("meeting", ["turn"])),
        (SRT, "application/x-subrip", None, ("meeting", ["turn"])),
        (TALK, "text/plain", None, ("document", ["body"])),
        (TALK, "text/plain", "document", ("document", ["body"])),
        (TALK, "text/plain", "meeting", ("meeting", ["turn"] * 3)),
        (TALK, "text/plain", "chat", ("chat", ["turn"] * 3)),
        (VTT, "text/plain", "meeting", ("meeting", ["turn"])),
        (VTT, "text/plain", None, ("meeting", ["turn"])),
        (VTT, "text/plain", "document", ("document", ["body"])),
        (SRT, "text/vtt", None, ("meeting", ["turn"])),
        (VTT, "application/json", None, ("meeting", ["turn"])),
        (b"[]", "text/plain", None, ("document", ["body"])),
        (b"New\n> old", "text/plain", "email", ("email", ["body", "quoted"])),
        (b"> old", "text/plain", "email", ("email", ["body"])),
        (b"New\n> old", "text/plain", "other", ("document", ["body"])),
        (MAIL, "text/plain", "email", ("email", ["subject", "body"])),
        (MAIL, "text/plain", None, ("document", ["body"])),
    ],
)
def test_a_media_type_says_how_content_is_read(content, media_type, source, expected):
    assert shape(content, media_type, source) == expected


@pytest.mark.parametrize(
    ("content", "source", "expected"),
    [
        (MAIL, None, ("email", ["subject", "body"])),
        (MAIL, "email", ("email", ["subject", "body"])),
        (MAIL, "document", ("document", ["body"])),
        (b"\n " + MAIL, None, ("email", ["subject", "body"])),
        (b"Subject: x\n\nHi", "email", ("email", ["subject", "body"])),
        (b"Subject: x\n\nHi", None, ("document", ["body"])),
        (b"Note: x\n\nHi", "email", ("email", ["body"])),
        (b"\xef\xbb\xbf" + VTT, None, ("meeting", ["turn"])),
        (VTT, "document", ("meeting", ["turn"])),
        (SRT, None, ("meeting", ["turn"])),
        (SRT[2:], None, ("meeting", ["turn"])),
        (b"WEBVTT is a format.", None, ("document", ["body"])),
        (b"See\n\n" + SRT, None, ("document", ["body"])),
        (TALK, "meeting", ("meeting", ["turn"] * 3)),
        (TALK, "chat", ("chat", ["turn"] * 3)),
        (b"Just a text.", "meeting", ("meeting", ["body"])),
        (b"Just a text.", None, ("document", ["body"])),
    ],
)
def test_a_prompt_is_read_by_what_it_begins_with(content, source, expected):
    assert shape(content, None, source) == expected


@pytest.mark.parametrize(
    ("file_name", "content", "kind"),
    [
        ("a.EML", MAIL, "email"),
        ("a.b.vtt", VTT, "meeting"),
        ("a.srt", SRT, "meeting"),
        ("a.txt", TALK, "document"),
    ],
)
def test_a_file_name_says_what_a_vague_type_does_not(file_name, content, kind):
    vague = "application/octet-stream"

    assert shape(content, vague, file_name=file_name)[0] == kind


@pytest.mark.parametrize(
    ("media_type", "file_name"),
    [
        ("application/octet-stream", "a.exe"),
        ("application/octet-stream", None),
        ("application/pdf", "a.txt"),
        ("", None),
    ],
)
def test_other_media_types_are_refused(media_type, file_name):
    with pytest.raises(UnsupportedMediaType) as caught:
        parse(b"x", media_type=media_type, source=None, file_name=file_name)

    assert caught.value.details


@pytest.mark.parametrize(
    "sent",
    [
        {"media_type": "text/calendar; method=REQUEST"},
        {"media_type": "application/octet-stream", "file_name": "a.ICS"},
        {"media_type": None},
    ],
)
def test_a_calendar_is_known_by_its_type_its_name_or_its_content(sent):
    content = b"BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Tea\nEND:VEVENT"

    document = parse(content, source=None, **sent)

    assert (document.form, document.subject) == ("calendar", "Tea")


@pytest.mark.parametrize("content", [b"", b" \r\n\t", "\u200b\u200d \n".encode()])
@pytest.mark.parametrize(
    ("media_type", "field_name"), [(None, "prompt"), ("text/plain", "body")]
)
def test_no_visible_text_is_refused(content, media_type, field_name):
    with pytest.raises(InvalidInputError) as caught:
        parse(content, media_type=media_type, source=None)

    assert caught.value.fields[0].path == field_name


@pytest.mark.parametrize(
    ("media_type", "file_name", "field_name"),
    [
        (None, None, "prompt"),
        ("message/rfc822", None, "body"),
        ("message/rfc822", "a.eml", "file"),
    ],
)
def test_the_field_that_is_named_is_the_one_it_came_in(
    media_type, file_name, field_name
):
    broken = b"just some words" if media_type else b" "

    with pytest.raises(InvalidInputError) as caught:
        parse(broken, media_type=media_type, source=None, file_name=file_name)

    assert caught.value.fields[0].path == field_name


@pytest.mark.parametrize("media_type", [None, "text/plain"])
def test_a_mail_as_text_keeps_its_participants(media_type):
    document = parse(MAIL, media_type=media_type, source="email")

    assert [person.email for person in document.participants] == ["a@x.example"]


def test_a_mail_as_text_keeps_what_was_wrong_with_its_charset():
    document = parse(MAIL, media_type="text/plain", source="email", charset="nope")

    assert [notice.code for notice in document.warnings] == ["charset_unknown"]


@pytest.mark.parametrize("media_type", SUPPORTED[:3])
def test_what_is_not_what_it_claims_to_be_is_refused(media_type):
    with pytest.raises(InvalidInputError):
        parse(b"just some words", media_type=media_type, source=None)


def test_the_charset_of_the_request_is_used_and_reported():
    document = parse(
        "Größe".encode("latin-1"),
        media_type="text/plain",
        source=None,
        charset="latin1",
    )
    unknown = parse(b"x", media_type="text/plain", source=None, charset="nope")

    assert document.parts[0].text == "Größe"
    assert [notice.code for notice in unknown.warnings] == ["charset_unknown"]


def test_a_plain_document_is_one_part_with_its_place():
    (part,) = parse(b"one\n\n\n\ntwo\n", media_type=None, source=None).parts

    assert (part.id, part.text) == ("p1", "one\n\ntwo")
    assert (part.origin.path, part.origin.start, part.origin.end) == ("", 0, 11)


def test_a_part_is_found_by_its_id():
    document = parse(MAIL, media_type="message/rfc822", source=None)

    assert document.part("p1") is document.parts[1]
    assert document.part("p9") is None
    assert document.text() == "Hello\n\nHi Bob"
