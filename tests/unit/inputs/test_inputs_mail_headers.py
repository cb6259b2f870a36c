"""The headers of a mail."""

from datetime import timedelta
from email import message_from_bytes

import pytest

from flaskllm.inputs.document import Person
from flaskllm.inputs.mail_headers import MAX_PEOPLE, read_facts


def facts(header):
    raw = header if isinstance(header, bytes) else header.encode()
    return read_facts(message_from_bytes(raw + b"\n\n"))


def codes(header):
    return [notice.code for notice in facts(header).warnings]


@pytest.mark.parametrize(
    ("header", "people"),
    [
        ("From: Ann Lee <Ann@X.example>", [Person("Ann Lee", "ann@x.example", "from")]),
        ("From: ann@x.example", [Person(None, "ann@x.example", "from")]),
        ('From: "Lee, Ann" <a@x.example>', [Person("Lee, Ann", "a@x.example", "from")]),
        ("From: =?utf-8?q?J=C3=B6rg?= <j@x.example>", [
            Person("Jörg", "j@x.example", "from")
        ]),
        ("From: Jörg <j@mächine.example>", [
            Person("Jörg", "j@mächine.example", "from")
        ]),
        ("From: =?utf-8?q?a=0D=0Ab?= <j@x.example>", [
            Person("a b", "j@x.example", "from")
        ]),
        ("From: =?utf-8?b?a?= <j@x.example>", [
            Person("=?utf-8?b?a?=", "j@x.example", "from")
        ]),
        ("From: =?x-no?q?Ann?= <j@x.example>", [Person("Ann", "j@x.example", "from")]),
        ("From: A\u200bnn <j@x.example>", [Person("Ann", "j@x.example", "from")]),
        ("To: Team: a@x.example, b@x.example;", [
            Person(None, "a@x.example", "to"),
            Person(None, "b@x.example", "to"),
        ]),
        ("To: undisclosed-recipients:;", []),
        ("To: nobody", [Person("nobody", None, "to")]),
        ("Cc: a@x.example\nReply-To: b@x.example", [
            Person(None, "b@x.example", "reply_to"),
            Person(None, "a@x.example", "cc"),
        ]),
        ("To: a@x.example, a@x.example", [Person(None, "a@x.example", "to")]),
        ("X: y", []),
    ],
)  # fmt: skip
def test_people_have_decoded_names_and_lower_case_addresses(header, people):
    assert list(facts(header).participants) == people


@pytest.mark.parametrize("piece", ["(", "a:", '"', "<", "a:a@b.example,", "[", "@"])
def test_hostile_addresses_never_raise(piece):
    assert "header_cut" in codes("To: " + piece * (135_000 // len(piece)))


def test_bare_addresses_are_kept_from_a_broken_header():
    broken = "To: " + "a:" * 9000 + "real@x.example"

    assert facts(broken).participants == (Person(None, "real@x.example", "to"),)
    assert codes(broken) == ["addresses_unreadable"]


def test_people_beyond_the_cap_are_left_out():
    many = "To: " + ", ".join(f"a{number}@x.example" for number in range(500))

    assert len(facts(many).participants) == MAX_PEOPLE
    assert codes(many) == ["participants_cut"]


@pytest.mark.parametrize(
    ("header", "subject"),
    [
        ("Subject: plain", "plain"),
        ("Subject: folded\n over lines", "folded over lines"),
        ("Subject: =?utf-8?b?w6Q=?= =?utf-8?b?w7Y=?=", "äö"),
        ("Subject: Größe", "Größe"),
        (b"Subject: Gr\xf6\xdfe", "Größe"),
        ("Subject: a\tb\x00c", "a b c"),
        ("X: y", ""),
    ],
)
def test_a_subject_is_one_decoded_line(header, subject):
    assert facts(header).subject == subject


@pytest.mark.parametrize(
    ("date", "iso"),
    [
        ("Tue, 09 Jun 2026 08:12:00 +0200", "2026-06-09T08:12:00+02:00"),
        ("09 Jun 2026 08:12:00 -0500 (CDT)", "2026-06-09T08:12:00-05:00"),
        ("09 Jun 2026 08:12:00 -0000", "2026-06-09T08:12:00+00:00"),
        ("09 Jun 2026 08:12:00", "2026-06-09T08:12:00+00:00"),
    ],
)
def test_a_date_is_aware_and_keeps_the_offset(date, iso):
    assert facts(f"Date: {date}").sent_at.isoformat() == iso


@pytest.mark.parametrize(
    "date",
    [
        "tomorrow",
        "Tue, 09 Jun 99999 08:12:00 +0200",
        "Tue, 31 Feb 2026 08:12:00 +0200",
        "Tue, 09 Jun 1890 08:12:00 +0000",
        "Tue, 09 Jun 2026 08:12:00 +999999999999",
    ],
)
def test_a_date_without_sense_is_none_and_reported(date):
    assert facts(f"Date: {date}").sent_at is None
    assert codes(f"Date: {date}") == ["date_unreadable"]


def test_a_missing_date_is_no_defect():
    assert facts("X: y").sent_at is None
    assert codes("X: y") == []


def test_the_facts_of_a_thread_are_kept():
    found = facts(
        "Message-ID: <[a@x.example]>\nIn-Reply-To: <b@x.example>\n"
        "References: <c@x.example>\n <b@x.example>\nPrecedence: bulk\nX-Other: y"
    )

    assert found.headers == {
        "message-id": "<[a@x.example]>",
        "in-reply-to": "<b@x.example>",
        "references": "<c@x.example> <b@x.example>",
        "precedence": "bulk",
    }


def test_the_offset_is_the_senders():
    sent_at = facts("Date: Tue, 09 Jun 2026 08:12:00 +0530").sent_at

    assert sent_at.utcoffset() == timedelta(hours=5, minutes=30)


@pytest.mark.parametrize(
    "header",
    [
        "Subject: in\u202evoice",
        "From: A\u200bnn <a@x.example>",
        "To: a\u2060@x.example",
    ],
)
def test_invisible_characters_in_headers_are_removed_and_reported(header):
    assert codes(header) == ["invisible_characters_removed"]
