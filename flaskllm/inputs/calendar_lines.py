"""Calendar text (RFC 5545) becomes components with their properties and places.

The library reads each content line. Components are gathered here, in one pass
and within caps, because evidence needs the place of every property and a
calendar from a stranger must not choose how deep or how long it is.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from icalendar.parser import Contentline

# What is read of one calendar.
MAX_CHARACTERS = 512 * 1024
MAX_COMPONENTS = 50
MAX_PROPERTIES = 500
_MAX_DEPTH = 16

# What somebody is invited to, is told or has to do.
_READ = frozenset({"VEVENT", "VTODO", "VJOURNAL"})
_ZONES = frozenset({"STANDARD", "DAYLIGHT"})
# A line that begins with white space goes on with the one before it.
_CONTENT_LINE = re.compile(r"[^\r\n]+(?:\r?\n[ \t][^\r\n]*+)*+")
_FOLD = re.compile(r"\r?\n[ \t]")


@dataclass(frozen=True, slots=True)
class Property:
    """One property: upper-case name, parameters by upper-case name, plain value.

    `start` and `end` are places in the calendar's text.
    """

    name: str
    parameters: Mapping[str, str]
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Component:
    """An event, a task or a note, and its own properties in their order."""

    name: str
    properties: list[Property] = field(default_factory=list)

    def all(self, name: str) -> list[Property]:
        """Return the properties of this name."""
        return [each for each in self.properties if each.name == name]

    def first(self, name: str) -> Property | None:
        """Return the first property of this name, or None."""
        return next(iter(self.all(name)), None)


@dataclass(slots=True)
class Calendar:
    """What a calendar holds. `offsets` are those its own zones name, by zone.

    `is_cut` when a cap was met.
    """

    method: str = ""
    components: list[Component] = field(default_factory=list)
    offsets: dict[str, set[str]] = field(default_factory=dict)
    is_cut: bool = False


def is_calendar(text: str) -> bool:
    """Tell whether text begins as a calendar does."""
    return text.lstrip("\ufeff\r\n \t")[:15].upper() == "BEGIN:VCALENDAR"


def read_components(text: str) -> Calendar:
    """Return the components of a calendar; broken lines are passed over."""
    reader = _Reader(Calendar(is_cut=len(text) > MAX_CHARACTERS))
    for line in _CONTENT_LINE.finditer(text[:MAX_CHARACTERS]):
        written = line.group()
        keyword, _, name = written.partition(":")
        keyword = keyword.strip().upper()
        if keyword == "BEGIN":
            reader.begin(name.strip().upper())
        elif keyword == "END":
            reader.end(name.strip().upper())
        else:
            reader.take(written, line.start(), line.end())
    return reader.calendar


@dataclass(slots=True)
class _Reader:
    """The calendar read so far and the names of the open components."""

    calendar: Calendar
    open_names: list[str] = field(default_factory=list)
    component: Component | None = None
    zone: str = ""

    def begin(self, name: str) -> None:
        """Enter a component."""
        if len(self.open_names) >= _MAX_DEPTH:
            self.calendar.is_cut = True
            return
        self.open_names.append(name)
        if name == "VTIMEZONE":
            self.zone = ""
        if name not in _READ:
            return
        if len(self.calendar.components) >= MAX_COMPONENTS:
            self.component = None
            self.calendar.is_cut = True
            return
        self.component = Component(name)
        self.calendar.components.append(self.component)

    def end(self, name: str) -> None:
        """Leave a component, and those in it that nobody ended."""
        if name not in self.open_names:
            return
        while self.open_names.pop() != name:
            pass

    def take(self, written: str, start: int, end: int) -> None:
        """Keep a property where its component is read."""
        inside = self.open_names[-1] if self.open_names else ""
        if inside in _READ and self.component is not None:
            if len(self.component.properties) >= MAX_PROPERTIES:
                self.calendar.is_cut = True
                return
            self.component.properties.extend(_properties(written, start, end))
        elif inside in ("", "VCALENDAR", "VTIMEZONE") or inside in _ZONES:
            for found in _properties(written[:1_000], start, end):
                self._set(inside, found)

    def _set(self, inside: str, found: Property) -> None:
        if found.name == "METHOD":
            self.calendar.method = found.value.strip().upper()
        elif inside == "VTIMEZONE" and found.name == "TZID":
            self.zone = found.value
        elif inside in _ZONES and found.name == "TZOFFSETTO":
            self.calendar.offsets.setdefault(self.zone, set()).add(found.value)


def _properties(written: str, start: int, end: int) -> Iterator[Property]:
    """Yield the property of one line, or nothing when it is none."""
    unfolded = _FOLD.sub("", written)
    for read in (partial(_parts, unfolded), partial(_bare_parts, unfolded)):
        try:
            name, parameters, value = read()
        except (ValueError, IndexError, TypeError, AssertionError):
            continue
        yield Property(name.upper(), parameters, value, start, end)
        return


def _parts(line: str) -> tuple[str, dict[str, str], str]:
    content = Contentline(line)  # type: ignore[no-untyped-call]
    name, parameters, value = content.parts()
    return name, {key.upper(): _one(each) for key, each in parameters.items()}, value


def _bare_parts(line: str) -> tuple[str, dict[str, str], str]:
    """Read a line without its parameters, where they are broken."""
    head, _, value = line.partition(":")
    name, *_ = head.split(";")
    return _parts(f"{name}:{value}")


def _one(value: object) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)
