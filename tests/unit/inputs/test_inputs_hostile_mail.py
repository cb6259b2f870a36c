"""Mails and invitations that were damaged or made to take long."""

import random
from time import perf_counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs.calendar import parse_calendar
from flaskllm.inputs.email import parse_mail

LONGEST_SECONDS = 10
"""Far more than any takes (2 s); quadratic time would take hours."""

HEAD = b"From: a@x.example\nSubject: x\n"
EVENT = (
    b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\nTZID:Own\r\n"
    b"BEGIN:STANDARD\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    b"BEGIN:VEVENT\r\nSUMMARY;LANGUAGE=en:a\\, b\r\n"
    b"DTSTART;TZID=Own:20260101T100000\r\n"
    b"DTEND;TZID=Europe/Berlin:20260101T110000\r\nDURATION:PT1H\r\n"
    b"DTSTAMP:20260101T000000Z\r\n"
    b"RRULE:FREQ=WEEKLY;UNTIL=20260601T000000Z;COUNT=3;INTERVAL=2;BYDAY=1MO\r\n"
    b"EXDATE;VALUE=DATE:20260101,20260202\r\nRDATE;VALUE=PERIOD:20260101T100000Z/PT1H\r\n"
    b'ATTENDEE;CN="a, b";PARTSTAT=ACCEPTED:mailto:a@x.example\r\n'
    b"DESCRIPTION:<p>a</p>\\n b\r\n c\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
WHOLE = (
    HEAD + b"Date: Tue, 09 Jun 2026 08:12:00 +0200\nReturn-Path: <>\n"
    b"Auto-Submitted: auto-replied\nContent-Type: multipart/mixed; boundary=b\n\n"
    b"--b\nContent-Type: text/html; charset=utf-8\n\n<p>on <s>8</s> 9 May</p>\n"
    b"--b\nContent-Type: text/calendar\n\n" + EVENT + b"\n"
    b"--b\nContent-Type: text/plain\nContent-Disposition: attachment;"
    b" filename*0*=utf-8''%C3%A4; filename*1=.txt\n\nwords\n"
    b"--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n"
    b"RnJvbTogYUB4LmV4YW1wbGUKCmhp\n"
    b"--b\nContent-Type: application/octet-stream; name=a.vtt\n\n"
    b"WEBVTT\n\n00:01.000 --> 00:02.000\n<v Ann>Hi</v>\n--b--\n"
)
SPLINTERS = [
    *(bytes([sign]) for sign in b':;"=\\,-/\x00\xff TZ'),
    *(b"\r\n ", b"\n\n", b"99999999", b"=?utf-16?q?a?=", b"\xed\xa0\x80"),
    *(b"BEGIN:VEVENT\r\n", b"END:VEVENT\r\n", b"filename*9*=utf-16''%ff;"),
    *(b"--b\n", b"--b--\n"),
]


def damaged(content, seed):
    """Return content in which bytes were changed, lost, copied and added."""
    dice = random.Random(seed)
    found = bytearray(content)
    for _ in range(dice.randint(1, 12)):
        at, other = dice.randrange(len(found)), dice.randrange(len(found))
        change = dice.randrange(4)
        if change == 0:
            found[at] = dice.randrange(256)
        elif change == 1 and len(found) > 100:
            del found[at : at + dice.randint(1, 40)]
        elif change == 2:
            found[at:at] = found[other : other + dice.randint(1, 80)]
        else:
            found[at:at] = dice.choice(SPLINTERS)
    return bytes(found)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_a_damaged_mail_is_read_or_refused(seed):
    try:
        parse_mail(damaged(WHOLE, seed), field_name="x")
    except InvalidInputError:
        return


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_a_damaged_invitation_is_read_or_refused(seed):
    content = damaged(EVENT, seed).decode("utf-8", "replace")

    try:
        document = parse_calendar(content, field_name="x")
    except InvalidInputError:
        return

    (part,) = document.parts
    assert 0 <= part.origin.start < part.origin.end <= len(content)
    assert document.sent_at is None or document.sent_at.tzinfo is not None


def nested(kind, levels):
    return HEAD + b"".join(kind.replace(b"#", b"%d" % level) for level in range(levels))


MESSAGE = b"Content-Type: message/rfc822\n\nFrom: a@x.example\n"
FILE = b"--b\nContent-Type: text/plain; name=a.txt\nContent-Disposition: attachment\n\n"
ENTRY = b"Content-Type: text/calendar\n\nBEGIN:VEVENT\nSUMMARY"
HOSTILE = {
    "1,000 nested mails": nested(MESSAGE, 1_000) + b"\nhi",
    "nested parts": nested(
        b"Content-Type: multipart/mixed; boundary=b#\n\n--b#\n", 1_000
    ),
    "a nested mail in a file": HEAD
    + b"Content-Type: application/octet-stream; name=a.eml\n\n"
    + nested(MESSAGE, 1_000),
    "100,000 lines": HEAD + b"\n" + b"a line\n" * 100_000,
    "10 MB on one line": HEAD + b"\n" + b"x" * 10_000_000,
    "900 files": HEAD
    + b"Content-Type: multipart/mixed; boundary=b\n\n"
    + (FILE + b"words\n") * 900,
    "a header of lines that are none": HEAD
    + b"broken\n" * 30_000
    + b"content-type: x/y\n\n",
    "quoted parameters": HEAD + ENTRY + b";A=" + b'"a",' * 60_000 + b":x",
    "many parameters": HEAD + ENTRY + b";A=b" * 60_000 + b":x",
    "many folds": HEAD + ENTRY + b":" + b"a\n " * 100_000,
    "many entries": HEAD
    + b"Content-Type: text/calendar\n\n"
    + b"BEGIN:VEVENT\nSUMMARY:x\n" * 20_000,
    "long numbers": HEAD + ENTRY + b":x\nSEQUENCE:" + b"9" * 9_000
    + b"\nRRULE:FREQ=DAILY;COUNT=" + b"9" * 90 + b"\nDTSTART:" + b"9" * 90_000,
}  # fmt: skip


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.no_cover
def test_a_hostile_mail_is_read_in_bounded_time(content):
    begun = perf_counter()

    document = parse_mail(content, field_name="x")

    assert perf_counter() - begun < LONGEST_SECONDS
    assert document.parts


@pytest.mark.parametrize(
    "header", ["Content-Disposition: attachment", "Content-Type: text/plain"]
)
def test_a_parameter_that_is_whole_and_in_pieces_is_none(header):
    name = "filename" if "attachment" in header else "charset"
    mail = f"Subject: x\n{header}; {name}*=a; {name}*0=b\n\nHello there.\n"

    document = parse_mail(mail.encode(), field_name="x")

    assert document.form == "mail"
