"""The lines that one entry of a calendar becomes, and the people in it."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from flaskllm.inputs.calendar_lines import Calendar, Component, Property
from flaskllm.inputs.calendar_rules import recurrence
from flaskllm.inputs.calendar_times import Zones, after, first_moment, span
from flaskllm.inputs.document import Person, Role
from flaskllm.inputs.html import read_html
from flaskllm.inputs.text import Line, clean, read_lines

LONGEST_LABEL = 500
_MAX_DESCRIPTION = 20_000
_MAX_SHOWN_PEOPLE = 50

_METHODS = {
    "REQUEST": "Invitation",
    "CANCEL": "Cancellation",
    "REPLY": "Reply to an invitation",
    "COUNTER": "Counter-proposal",
    "DECLINECOUNTER": "Counter-proposal declined",
    "ADD": "Added occurrence",
    "REFRESH": "Request for the latest version",
}
_NAMES = {"VEVENT": "Calendar entry", "VTODO": "Task", "VJOURNAL": "Note"}
_ANSWERS = {
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "TENTATIVE": "tentative",
    "DELEGATED": "delegated",
    "COMPLETED": "completed",
    "IN-PROCESS": "in process",
    "NEEDS-ACTION": "no answer yet",
}
_STATES = {
    "CANCELLED": "cancelled",
    "TENTATIVE": "tentative",
    "COMPLETED": "completed",
}
_ROLES = {"OPT-PARTICIPANT": "optional", "NON-PARTICIPANT": "for information"}
# Who speaks: with these methods an attendee writes to the organizer.
_BY_ATTENDEES = frozenset({"REPLY", "COUNTER", "REFRESH"})
_TO_ATTENDEES = frozenset({"REQUEST", "CANCEL", "ADD", "DECLINECOUNTER"})
_ADDRESS = re.compile(r"(?:mailto:)?([^\s@<>,;:]{1,256}@[^\s@<>,;:]{1,255})", re.I)
_HTML = re.compile(
    r"<(?:br|p|a|b|i|u|ul|ol|li|div|span|html|table|strong)\b[^<>]*>", re.I
)
_TEXTS = (("SUMMARY", "Summary"), ("LOCATION", "Where"), ("RESOURCES", "Resources"))
_LINKS = (
    "CONFERENCE",
    "X-GOOGLE-CONFERENCE",
    "X-MICROSOFT-SKYPETEAMSMEETINGURL",
    "URL",
)


@dataclass(slots=True)
class EntryWriter:
    """Writes the lines of entries and counts what was taken out of them.

    `people` are kept in their order; `is_cut` when a text was too long.
    """

    calendar: Calendar
    zones: Zones
    people: dict[Person, None] = field(default_factory=dict)
    invisible: int = 0
    hidden: int = 0
    is_cut: bool = False

    def clean(self, text: str) -> str:
        """Return text as one clean line."""
        cleaned = clean(text)
        self.invisible += cleaned.removed
        return " ".join(cleaned.text.split())

    def entry(self, component: Component) -> Iterator[Line]:
        """Yield an empty line and the lines of one entry, nothing when it is empty."""
        lines = [line for write in _WRITERS for line in write(self, component)]
        if lines:
            start, end = component.properties[0].start, component.properties[-1].end
            yield Line("", start, start)
            yield Line(self._title(component), start, end)
            yield from lines

    def _title(self, component: Component) -> str:
        title = _METHODS.get(self.calendar.method, _NAMES[component.name])
        sequence = component.first("SEQUENCE")
        number = sequence.value.strip()[:6] if sequence else "0"
        is_update = self.calendar.method == "REQUEST" and number.isdecimal()
        return f"{title} (update {int(number)})" if is_update and int(number) else title

    def line(self, label: str, text: str, place: Property) -> Iterator[Line]:
        """Yield a labelled line unless there is nothing to say."""
        shown = self.clean(text)
        self.is_cut = self.is_cut or len(shown) > LONGEST_LABEL
        if shown:
            yield Line(f"{label}: {shown[:LONGEST_LABEL]}", place.start, place.end)

    def texts(self, component: Component) -> Iterator[Line]:
        """Yield what and where it is."""
        for name, label in _TEXTS:
            for found in component.all(name)[:1]:
                yield from self.line(label, found.value, found)

    def times(self, component: Component) -> Iterator[Line]:
        """Yield when it is, and when it is due."""
        start = first_moment(component, "DTSTART", self.zones)
        found = component.first("DTSTART")
        if start and found:
            end = first_moment(component, "DTEND", self.zones)
            duration = component.first("DURATION")
            if end is None and duration:
                end = after(start, duration)
            yield from self.line("When", span(start, end), found)
        due, place = first_moment(component, "DUE", self.zones), component.first("DUE")
        if due and place:
            yield from self.line("Due", span(due, None), place)

    def repeats(self, component: Component) -> Iterator[Line]:
        """Yield how it recurs, and on which days it does not."""
        start = first_moment(component, "DTSTART", self.zones)
        for found in component.all("RRULE")[:1]:
            yield from self.line("Repeats", recurrence(found.value, start), found)
        for name, label in (
            ("RECURRENCE-ID", "Only the occurrence of"),
            ("RDATE", "Also on"),
            ("EXDATE", "Not on"),
        ):
            for found in component.all(name)[:20]:
                moments = map(str, self.zones.moments(found))
                yield from self.line(label, ", ".join(moments), found)

    def state(self, component: Component) -> Iterator[Line]:
        """Yield that it is cancelled, tentative or done."""
        for found in component.all("STATUS")[:1]:
            state = _STATES.get(found.value.strip().upper(), "")
            yield from self.line("Status", state, found)

    def persons(self, component: Component) -> Iterator[Line]:
        """Yield who invites and who is invited, and remember them."""
        by, to = _roles(self.calendar.method)
        organizers = component.all("ORGANIZER")[:1]
        for found in organizers:
            yield from self._person("Organizer", found, by)
        attendees = component.all("ATTENDEE")
        for number, found in enumerate(attendees):
            shown = list(self._person("Attendee", found, to))
            yield from shown if number < _MAX_SHOWN_PEOPLE else ()
        if len(attendees) > _MAX_SHOWN_PEOPLE:
            text = f"{len(attendees) - _MAX_SHOWN_PEOPLE} more"
            yield from self.line("Attendees", text, attendees[-1])

    def _person(self, label: str, found: Property, role: Role) -> Iterator[Line]:
        name = self.clean(found.parameters.get("CN", "")).strip("'\" ")[:LONGEST_LABEL]
        match = _ADDRESS.fullmatch(found.value.strip())
        email = self.clean(match[1]).lower() if match else None
        if not name and not email:
            return
        if name.lower() == email:
            name = ""
        self.people.setdefault(Person(name or None, email, role))
        shown = f"{name} <{email}>" if name and email else name or email or ""
        notes = ", ".join(_notes(found.parameters)) if label == "Attendee" else ""
        yield from self.line(label, f"{shown} ({notes})" if notes else shown, found)

    def links(self, component: Component) -> Iterator[Line]:
        """Yield where to dial in or to read more."""
        for name in _LINKS:
            for found in component.all(name)[:10]:
                label = self.clean(found.parameters.get("LABEL", ""))[:100]
                yield from self.line(label or "Link", found.value, found)

    def description(self, component: Component) -> Iterator[Line]:
        """Yield the text of the entry, as a reader would see it."""
        for found in chain(component.all("DESCRIPTION")[:1], component.all("COMMENT")):
            value = found.value[:_MAX_DESCRIPTION]
            self.is_cut = self.is_cut or len(value) < len(found.value)
            lines = read_html(value) if _HTML.search(value) else read_lines(value)
            self.invisible += lines.invisible
            self.hidden += lines.hidden
            visible = [line.text for line in lines.lines]
            if any(text.strip() for text in visible):
                label = "Description" if found.name == "DESCRIPTION" else "Comment"
                shown = (f"{label}:", *visible)
                yield from (Line(text, found.start, found.end) for text in shown)


def _roles(method: str) -> tuple[Role, Role]:
    """Return the roles of the organizer and of the attendees."""
    if method in _BY_ATTENDEES:
        return "to", "from"
    return "from", "to" if method in _TO_ATTENDEES else "participant"


def _notes(parameters: Mapping[str, str]) -> Iterator[str]:
    answer = _ANSWERS.get(parameters.get("PARTSTAT", "").upper())
    role = _ROLES.get(parameters.get("ROLE", "").upper())
    yield from (note for note in (answer, role) if note)


_WRITERS: tuple[Callable[[EntryWriter, Component], Iterator[Line]], ...] = (
    EntryWriter.texts,
    EntryWriter.times,
    EntryWriter.repeats,
    EntryWriter.state,
    EntryWriter.persons,
    EntryWriter.links,
    EntryWriter.description,
)
