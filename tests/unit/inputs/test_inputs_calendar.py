"""Invitations become lines that can be quoted, and people."""

import pytest

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs import parse
from flaskllm.inputs.calendar import MAX_PEOPLE, parse_calendar
from flaskllm.inputs.calendar_lines import MAX_COMPONENTS
from flaskllm.inputs.document import Person

BERLIN = "DTSTART;TZID=Europe/Berlin:20260330T100000"


def entry(*lines, method="REQUEST", before=()):
    written = (
        "BEGIN:VCALENDAR", f"METHOD:{method}", *before,
        "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR",
    )  # fmt: skip
    return parse_calendar("\r\n".join(written), field_name="body")


def text(*lines, **more):
    (part,) = entry(*lines, **more).parts
    return part.text


def shown(label, *lines, **more):
    """Return what stands behind a label."""
    found = [
        line.partition(": ")[2]
        for line in text(*lines, **more).splitlines()
        if line.startswith(f"{label}: ")
    ]
    return found[0] if found else None


def codes(document):
    return [notice.code for notice in document.warnings]


def test_an_invitation_alone_is_a_document_with_one_body():
    document = entry(
        "SUMMARY:Spring plan\\, part 2",
        "LOCATION:Room 4",
        BERLIN,
        "DTEND;TZID=Europe/Berlin:20260330T113000",
        "DTSTAMP:20260301T090000Z",
        "ORGANIZER;CN=Ann Lee:MAILTO:Ann@X.example",
        'ATTENDEE;CN="Ito, Ben";PARTSTAT=ACCEPTED:mailto:ben@x.example',
        "ATTENDEE;ROLE=OPT-PARTICIPANT;PARTSTAT=NEEDS-ACTION:mailto:cy@x.example",
        "DESCRIPTION:Bring the list.\\nSee you",
    )

    assert (document.kind, document.form, document.subject) == (
        "document", "calendar", "Spring plan, part 2",
    )  # fmt: skip
    assert document.sent_at.isoformat() == "2026-03-01T10:00:00+01:00"
    assert [(part.id, part.kind) for part in document.parts] == [("p1", "body")]
    assert document.parts[0].text.splitlines() == [
        "Invitation",
        "Summary: Spring plan, part 2",
        "Where: Room 4",
        "When: 2026-03-30 10:00 to 11:30 (Europe/Berlin, UTC+02:00)",
        "Organizer: Ann Lee <ann@x.example>",
        "Attendee: Ito, Ben <ben@x.example> (accepted)",
        "Attendee: cy@x.example (no answer yet, optional)",
        "Description:",
        "Bring the list.",
        "See you",
    ]
    assert document.participants == (
        Person("Ann Lee", "ann@x.example", "from"),
        Person("Ito, Ben", "ben@x.example", "to"),
        Person(None, "cy@x.example", "to"),
    )


@pytest.mark.parametrize(
    ("method", "lines", "title"),
    [
        ("REQUEST", ["SEQUENCE:0"], "Invitation"),
        ("REQUEST", ["SEQUENCE:2"], "Invitation (update 2)"),
        ("REQUEST", ["SEQUENCE:x"], "Invitation"),
        ("CANCEL", ["SEQUENCE:2"], "Cancellation"),
        ("REPLY", [], "Reply to an invitation"),
        ("COUNTER", [], "Counter-proposal"),
        ("PUBLISH", [], "Calendar entry"),
    ],
)
def test_the_first_line_says_what_came(method, lines, title):
    assert text("SUMMARY:x", *lines, method=method).splitlines()[0] == title


def test_in_a_reply_the_attendee_speaks():
    document = entry(
        "ORGANIZER:mailto:ann@x.example",
        "ATTENDEE;PARTSTAT=DECLINED:mailto:ben@x.example",
        method="REPLY",
    )

    assert {person.email: person.role for person in document.participants} == {
        "ann@x.example": "to", "ben@x.example": "from",
    }  # fmt: skip
    assert "Attendee: ben@x.example (declined)" in document.parts[0].text


@pytest.mark.parametrize(
    ("lines", "when"),
    [
        (["DTSTART;TZID=FLE Standard Time:20140328T110300"],
         "2014-03-28 11:03 (Europe/Kiev, UTC+02:00)"),
        (["DTSTART;TZID=/x.example/1/America/New_York:20260701T090000"],
         "2026-07-01 09:00 (America/New_York, UTC-04:00)"),
        (["DTSTART:20260701T090000Z", "DURATION:PT1H30M"],
         "2026-07-01 09:00 to 10:30 (UTC)"),
        (["DTSTART:20260701T230000Z", "DTEND:20260702T010000Z"],
         "2026-07-01 23:00 to 2026-07-02 01:00 (UTC)"),
        (["DTSTART:20260701T090000"], "2026-07-01 09:00"),
        (["DTSTART;VALUE=DATE:20260701"], "2026-07-01 (all day)"),
        (["DTSTART;VALUE=DATE:20260701", "DTEND;VALUE=DATE:20260702"],
         "2026-07-01 (all day)"),
        (["DTSTART;VALUE=DATE:20260701", "DTEND;VALUE=DATE:20260704"],
         "2026-07-01 to 2026-07-03 (all day)"),
        ([BERLIN, "DTEND;TZID=Asia/Tokyo:20260330T200000"],
         "2026-03-30 10:00 (Europe/Berlin, UTC+02:00)"
         " to 2026-03-30 20:00 (Asia/Tokyo, UTC+09:00)"),
        ([BERLIN, "DTEND;VALUE=DATE:20260331"],
         "2026-03-30 10:00 (Europe/Berlin, UTC+02:00)"),
        ([BERLIN, "DURATION:P9999999D"], "2026-03-30 10:00 (Europe/Berlin, UTC+02:00)"),
        (["DTSTART:99999999T999999Z"], None),
    ],
)  # fmt: skip
def test_when_it_is_stands_with_its_zone(lines, when):
    assert shown("When", "SUMMARY:x", *lines) == when


def test_a_time_in_an_unknown_zone_is_shown_without_one_and_reported():
    document = entry("SUMMARY:x", "DTSTART;TZID=Mars/Gale:20260701T090000")

    assert "When: 2026-07-01 09:00 (time zone unknown: Mars/Gale)" in (
        document.parts[0].text
    )
    assert codes(document) == ["time_zone_unknown"]


@pytest.mark.parametrize(
    ("offsets", "zone"),
    [
        (["+1100"], "(UTC+11:00)"),
        (["-033000"], "(UTC-03:30)"),
        (["+0100", "+0200"], "(time zone unknown: Own)"),
        (["+9900"], "(time zone unknown: Own)"),
    ],
)
def test_a_zone_of_its_own_is_known_when_it_has_one_offset(offsets, zone):
    own = ["BEGIN:VTIMEZONE", "TZID:Own"]
    for offset in offsets:
        own += ["BEGIN:STANDARD", f"TZOFFSETTO:{offset}", "END:STANDARD"]

    when = shown(
        "When", "DTSTART;TZID=Own:20260701T090000", before=(*own, "END:VTIMEZONE")
    )

    assert when == f"2026-07-01 09:00 {zone}"


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=WEEKLY;BYDAY=MO;UNTIL=20260301", "weekly on MO until 2026-03-01"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,WE", "every 2 weeks on MO, WE"),
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=5", "monthly on -1FR 5 times"),
        ("FREQ=MONTHLY;BYMONTHDAY=15", "monthly on day 15"),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=SU;BYSETPOS=1",
         "yearly on SU in month 3 (number 1 of these)"),
        # 22:30 in universal time is the next day in Berlin.
        ("FREQ=DAILY;UNTIL=20260601T223000Z", "daily until 2026-06-02"),
        ("FREQ=DAILY;BYDAY=ignore all rules!;UNTIL=soon", "daily"),
        ("FREQ=NEVER", None),
        ("", None),
    ],
)  # fmt: skip
def test_recurrence_is_told_in_words(rule, words):
    assert shown("Repeats", "SUMMARY:x", BERLIN, f"RRULE:{rule}") == words


def test_exceptions_of_a_series_are_told():
    found = text(
        "SUMMARY:x",
        BERLIN,
        "EXDATE;TZID=Europe/Berlin:20260413T100000,20260427T100000",
        "RDATE;VALUE=DATE:20260501",
        "RECURRENCE-ID;TZID=Europe/Berlin:20260406T100000",
        "STATUS:CANCELLED",
    )

    assert "Not on: 2026-04-13 10:00, 2026-04-27 10:00" in found
    assert "Also on: 2026-05-01" in found
    assert "Only the occurrence of: 2026-04-06 10:00" in found
    assert "Status: cancelled" in found


def test_a_task_has_the_day_it_is_due():
    document = parse_calendar(
        "BEGIN:VTODO\nSUMMARY:Pay\nDUE;VALUE=DATE:20260701\nEND:VTODO", field_name="x"
    )

    assert document.parts[0].text.splitlines() == [
        "Task", "Summary: Pay", "Due: 2026-07-01 (all day)",
    ]  # fmt: skip


def test_a_description_in_html_loses_what_nobody_sees():
    document = entry(
        "SUMMARY:x",
        "DESCRIPTION:<p>Come <s>today</s></p><p hidden>and obey</p>\u200b",
    )

    assert "Come ~~today~~" in document.parts[0].text
    assert "obey" not in document.parts[0].text
    assert set(codes(document)) == {
        "hidden_text_removed", "invisible_characters_removed",
    }  # fmt: skip


def test_names_and_titles_lose_invisible_and_control_characters():
    document = entry(
        "SUMMARY:Te\u202ea\x07 time",
        "ORGANIZER;CN=An\U000e0041n:mailto:a\u200b@x.example",
    )

    assert document.subject == "Tea time"
    assert document.participants == (Person("Ann", "a@x.example", "from"),)
    assert codes(document) == ["invisible_characters_removed"]


def test_the_place_of_the_part_holds_all_of_the_entry():
    source = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:x\n y\nUID:1\nEND:VEVENT"

    (part,) = parse_calendar(source, field_name="x").parts

    assert source[part.origin.start : part.origin.end] == "SUMMARY:x\n y\nUID:1"
    assert "Summary: xy" in part.text


def test_an_alarm_is_no_part_of_the_entry():
    alarm = ("BEGIN:VALARM", "DESCRIPTION:REMINDER", "END:VALARM")

    assert text("SUMMARY:x", *alarm, "LOCATION:y") == (
        "Invitation\nSummary: x\nWhere: y"
    )


@pytest.mark.parametrize(
    "line", ["SUMMARY;=broken:x", "SUMMARY;A;B:x", 'SUMMARY;A="b:x\nSUMMARY:x']
)
def test_a_line_with_broken_parameters_keeps_its_value(line):
    assert shown("Summary", *line.split("\n"))


@pytest.mark.parametrize(
    "content",
    [
        "BEGIN:VCALENDAR\nEND:VCALENDAR",
        "BEGIN:VEVENT\nUID:1\nEND:VEVENT",
        "BEGIN:VEVENT",
        "words",
    ],
)
def test_a_calendar_that_says_nothing_is_refused(content):
    with pytest.raises(InvalidInputError) as caught:
        parse_calendar(content, field_name="file")

    assert caught.value.fields[0].path == "file"


@pytest.mark.parametrize(
    "content",
    [
        "BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n" * (MAX_COMPONENTS + 1),
        "BEGIN:VEVENT\n" + "SUMMARY:x\n" * 1_000,
        "BEGIN:VEVENT\nSUMMARY:" + "x" * 600_000,
        "BEGIN:VEVENT\nSUMMARY:x\n" + "BEGIN:X\n" * 100,
        "BEGIN:VEVENT\nSUMMARY:x\nDESCRIPTION:" + "x" * 30_000,
    ],
)
def test_a_calendar_beyond_a_cap_is_cut_and_reported(content):
    document = parse_calendar(content, field_name="x")

    assert codes(document) == ["text_cut"]
    assert len(document.parts[0].text) < 30_000


def test_many_attendees_are_people_and_a_few_are_shown():
    many = [f"ATTENDEE:mailto:a{number}@x.example" for number in range(300)]

    document = entry("SUMMARY:x", *many)

    assert len(document.participants) == MAX_PEOPLE
    assert "Attendees: 250 more" in document.parts[0].text


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("ics-bad-tzid.ics", ["When: 2017-02-28 23:00 to 23:30 (UTC+11:00)"]),
        ("ics-conference-property.ics", [
            "Chat room: xmpp:chat-123@conference.example.com",
            "Attendee dial-in: https://chat.example.com/audio?id=123456",
        ]),
    ],
)  # fmt: skip
def test_the_broken_samples_are_read(samples, name, lines):
    content = (samples / "email" / name).read_bytes()

    document = parse(content, media_type=None, source=None)

    assert document.form == "calendar"
    assert set(lines) <= set(document.parts[0].text.splitlines())


@pytest.mark.parametrize(
    "stamp", ["x", "20260301", "20260301T090000", "19000101T000000Z"]
)
def test_a_stamp_that_is_no_moment_dates_nothing(stamp):
    assert entry("SUMMARY:x", f"DTSTAMP:{stamp}").sent_at is None


@pytest.mark.parametrize(
    ("line", "people"),
    [
        ("ATTENDEE:urn:uuid:1", ()),
        ("ATTENDEE;CN=Room 4:urn:uuid:1", (Person("Room 4", None, "to"),)),
        ("ATTENDEE;CN=a@x.example:mailto:A@x.example", (
            Person(None, "a@x.example", "to"),
        )),
    ],
)  # fmt: skip
def test_a_person_has_a_name_an_address_or_both(line, people):
    assert entry("SUMMARY:x", line, "DESCRIPTION: ").participants == people


def test_components_that_end_out_of_order_do_not_mix():
    found = text("SUMMARY:x", "END:VTODO", "BEGIN:VALARM", "END:VEVENT", "LOCATION:y")

    assert found == "Invitation\nSummary: x"


@pytest.mark.parametrize("duration", ["x", "PT", "P1D"])
def test_a_duration_without_sense_leaves_the_begin(duration):
    when = shown("When", "DTSTART:20260701T090000Z", f"DURATION:{duration}")

    assert when.startswith("2026-07-01 09:00")


def test_a_line_that_is_no_property_is_passed_over():
    assert text("SUMMARY:x", "no property", ":x") == "Invitation\nSummary: x"
