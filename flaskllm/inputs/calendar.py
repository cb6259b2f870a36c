"""A calendar invitation (RFC 5545, RFC 5546) becomes text and people.

Each event is a few short lines; their labels are plain English words, their
values those of the calendar. What an invitation says is untrusted text like that
of a mail and is cleaned in the same way.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs.calendar_entries import LONGEST_LABEL, EntryWriter
from flaskllm.inputs.calendar_lines import Component, read_components
from flaskllm.inputs.calendar_times import Zones, first_moment
from flaskllm.inputs.document import Document, Notice, Person
from flaskllm.inputs.parts import to_parts
from flaskllm.inputs.quotes import Block
from flaskllm.inputs.text import Lines, removal_notices

MAX_PEOPLE = 200


@dataclass(frozen=True, slots=True)
class Entries:
    """What a calendar says: lines to read, people, the subject, when it was made."""

    lines: Lines
    people: tuple[Person, ...] = ()
    subject: str | None = None
    sent_at: datetime | None = None
    warnings: tuple[Notice, ...] = ()


def parse_calendar(text: str, *, field_name: str) -> Document:
    """Return the document of a calendar file; its one part is the body.

    It is a `document`, not a `meeting`: it tells of a meeting to come and holds
    nothing that was said in one.

    Raises:
        InvalidInputError: It holds no event, task or note.
    """
    found = read_calendar(text)
    parts = (
        to_parts([Block("body", found.lines.lines)], "") if found.lines.lines else []
    )
    if not parts:
        raise InvalidInputError.of(
            field_name,
            "it is a calendar without an event",
            "an invitation with BEGIN:VEVENT, or a mail, a transcript or a text",
        )
    return Document(
        kind="document",
        parts=tuple(parts),
        participants=found.people,
        subject=found.subject,
        sent_at=found.sent_at,
        warnings=found.warnings,
        form="calendar",
    )


def read_calendar(text: str) -> Entries:
    """Return what a calendar says; no lines where it holds nothing. Never fails."""
    calendar = read_components(text)
    writer = EntryWriter(calendar, Zones(calendar.offsets))
    lines = [line for each in calendar.components for line in writer.entry(each)]
    is_cut = calendar.is_cut or writer.is_cut
    found = Lines(
        tuple(lines[1:]), writer.invisible, writer.hidden, is_cut=is_cut,
        effort=len(lines),
    )  # fmt: skip
    first = calendar.components[0] if calendar.components else Component("VEVENT")
    subject = first.first("SUMMARY")
    return Entries(
        found,
        tuple(writer.people)[:MAX_PEOPLE],
        (writer.clean(subject.value)[:LONGEST_LABEL] or None) if subject else None,
        _sent_at(first, writer.zones),
        tuple(_warnings(found, writer.zones)),
    )


def _warnings(lines: Lines, zones: Zones) -> Iterator[Notice]:
    yield from removal_notices(lines)
    if zones.unknown:
        detail = (
            f"Time zones that are not known: {len(zones.unknown)}; "
            "their times are shown without one."
        )
        yield Notice("time_zone_unknown", detail)


def _sent_at(component: Component, zones: Zones) -> datetime | None:
    """Return when the entry was made, in the zone that its times are in."""
    made = first_moment(component, "DTSTAMP", zones)
    if made is None or not isinstance(made.value, datetime) or made.zone is None:
        return None
    if not 1970 < made.value.year < 2100:
        return None
    start = first_moment(component, "DTSTART", zones)
    return made.value.astimezone(start.zone if start and start.zone else made.zone)
