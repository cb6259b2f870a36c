"""Chats and the text exports of meeting tools become turns."""

import pytest

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs import parse

CLOUD = (
    "00:01:12\tAnn Lee:\tSee https://x.example: there\n"
    '00:02:00\tBob:\tReacted to "See https://..." with 👍\n'
    '00:02:10\tBob:\tReplying to "See https://..."\n\nI will\nread it\n'
    "00:03:00\tAnn Lee to Bob (Direct Message):\tsecret\n"
    '00:03:30\tBob:\tRemoved a 👍 reaction from "See https..."\n'
    "00:04:00\tTeam: North:\tNext to nothing\n"
)
LOCAL = (
    "14:03:22 From Ann Lee to Everyone:\n\tHello\n\tall\n"
    "14:04:00 From Ann Lee To Bob (Privately):\n\tsecret\n"
    "14:05:00 From Bob to Cleo:\n\tsecret\n"
    "14:06:00 From Bob : Ho\n"
    "14:07:00 Von Dora an Alle:\n\tTag\n"
)
OTTER = (
    "Ann Lee  0:04\nHi all.\nWe begin.\n\nUnknown Speaker  59:59\nHo.\n\n"
    "Speaker 1  1:00:01\nBye.\n\nTranscribed by https://otter.ai\n"
)
MEET = (
    "Weekly (2026-04-21 at 09:58 GMT+5:30) - Transcript\n\nAttendees\nAnn Lee, bob\n"
    "Transcript\n\nThis editable transcript was computer generated and might "
    "contain errors.\n\n00:00:00\n\nAnn Lee: Hi: all.\nbob: Ho.\nand more\n"
    "00:05:00\nbob: Yes.\n\nMeeting ended after 00:07:00 👋\n"
)
FATHOM = (
    "Weekly - May 4\nVIEW RECORDING - 9 mins: https://fathom.video/share/x\n---\n"
    "0:00 - Ann Lee (Example Ltd)\n  Hi all.\n@1:05 - **Bob**\n  Ho.\n"
)
TIMED = "[00:12] Ann Lee: hi\nand on\n[00:15] Bob Ray: ho\n(1:00:00) so\n"


def read(text, media_type=None, source=None):
    return parse(text.encode(), media_type=media_type, source=source)


def turns(document):
    return [(part.speaker, part.text, part.start_ms) for part in document.parts]


def codes(document):
    return [notice.code for notice in document.warnings]


@pytest.mark.parametrize(
    ("text", "form", "expected"),
    [
        (CLOUD, "zoom_chat", [
            ("Ann Lee", "See https://x.example: there", 72_000),
            ("Bob", "I will read it", 130_000),
            ("Team: North", "Next to nothing", 240_000),
        ]),
        (LOCAL, "zoom_chat", [
            ("Ann Lee", "Hello all", None),
            ("Bob", "Ho", None),
            ("Dora", "Tag", None),
        ]),
        (OTTER, "otter", [
            ("Ann Lee", "Hi all. We begin.", 4_000),
            (None, "Ho.", 3_599_000),
            ("Speaker 1", "Bye.", 3_601_000),
        ]),
        (MEET, "google_meet", [
            ("Ann Lee", "Hi: all.", 0),
            ("bob", "Ho. and more", 0),
            ("bob", "Yes.", 300_000),
        ]),
        (FATHOM, "fathom", [("Ann Lee", "Hi all.", 0), ("Bob", "Ho.", 65_000)]),
        (TIMED, "text", [
            ("Ann Lee", "hi and on", 12_000),
            ("Bob Ray", "ho", 15_000),
            ("Bob Ray", "so", 3_600_000),
        ]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("media_type", [None, "text/plain", "text/vtt"])
def test_a_form_is_known_by_its_content(media_type, text, form, expected):
    document = read(text, media_type)

    assert document.form == form
    assert turns(document) == expected
    assert all(
        part.text.split()[-1] in text[part.origin.start : part.origin.end]
        for part in document.parts
    )


@pytest.mark.parametrize(("text", "private"), [(CLOUD, "1"), (LOCAL, "2")])
def test_private_messages_are_left_out_and_counted(text, private):
    document = read(text)

    assert "secret" not in document.text()
    assert document.kind == "chat"
    assert "direct_messages_left_out" in codes(document)
    assert private in document.warnings[0].detail


def test_reactions_are_left_out_and_counted():
    notices = {notice.code: notice.detail for notice in read(CLOUD).warnings}

    assert "2" in notices["reactions_left_out"]


@pytest.mark.parametrize(
    "text",
    [
        "00:03:00\tAnn Lee to Bob (Direct Message):\tsecret",
        "Ann Lee  0:04\nTranscribed by https://otter.ai\n",
        MEET[: MEET.index("Ann Lee: Hi")],
        "VIEW RECORDING\n0:00 - Ann\n",
        "[00:12]\n[00:14]\n",
    ],
)
def test_a_transcript_in_which_nobody_says_anything_is_refused(text):
    with pytest.raises(InvalidInputError) as caught:
        read(text)

    assert caught.value.fields[0].path == "prompt"
    assert caught.value.fields[0].allowed


@pytest.mark.parametrize(
    ("title", "sent_at"),
    [
        ("(2026-04-21 at 09:58 GMT+5:30)", "2026-04-21T09:58:00+05:30"),
        ("(2026-04-21 at 9:58 GMT-3)", "2026-04-21T09:58:00-03:00"),
        ("(2026-04-21 09:58 GMT)", "2026-04-21T09:58:00+00:00"),
        ("(2026-04-21 at 09:58 CEST)", None),
        ("(2026-04-99 at 09:58 GMT+2)", None),
        ("(2026-04-21 at 09:58 GMT+99)", None),
    ],
)
def test_a_meet_title_with_a_zone_tells_when_it_began(title, sent_at):
    document = read(MEET.replace("(2026-04-21 at 09:58 GMT+5:30)", title))

    assert (document.sent_at and document.sent_at.isoformat()) == sent_at


def test_who_attended_a_meet_and_said_nothing_takes_part():
    document = read(MEET.replace("Ann Lee, bob", "Ann Lee, bob, Cleo"))

    assert [(each.name, each.role) for each in document.participants] == [
        ("Ann Lee", "speaker"),
        ("bob", "speaker"),
        ("Cleo", "participant"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Lunch  12:30\nEnd  14:00\n",
        "Ann Lee  0:04\n\nHi.\n",
        "See 00:01:12 Ann: hi",
        "Notes - Transcript\nAnn: hi",
        "- one\n0:00 - start of it\n",
        "[00:12] one\ntwo\nthree\nfour\n",
    ],
)
def test_what_only_resembles_an_export_is_text(text):
    document = read(text)

    assert (document.form, document.kind) == ("text", "document")


@pytest.mark.parametrize("source", ["document", "other"])
def test_plain_text_that_is_called_a_document_is_not_looked_at(source):
    assert read(OTTER, "text/plain", source).kind == "document"


def test_times_in_brackets_make_no_meeting_of_a_document():
    assert read(TIMED, None, "document").kind == "document"
    assert read(TIMED, None, "chat").kind == "chat"


def test_a_mail_that_holds_an_export_stays_a_mail():
    assert read(OTTER, None, "email").kind == "email"


def test_a_name_in_the_cloud_may_hold_the_word_to():
    assert turns(read("00:01:00\tBack to Work:\thi")) == [
        ("Back to Work", "hi", 60_000)
    ]


def test_a_meet_without_attendees_has_those_who_speak():
    text = MEET.replace("Attendees\nAnn Lee, bob\n", "").replace("Ho.", "")

    document = read(text.replace("bob", "Bob"))

    assert [each.name for each in document.participants] == ["Ann Lee", "Bob"]
    assert turns(document)[1] == ("Bob", "and more", 0)
