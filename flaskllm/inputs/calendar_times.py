"""When an event is: moments and zones, as text that can be quoted.

Dates are ISO, so that they read alike in every language. A zone is an IANA name,
the name that Windows gives it, or one whose offset the calendar itself tells;
the time of any other stands without a zone, and that is reported.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from icalendar.prop import vDDDTypes, vDuration
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from flaskllm.inputs.calendar_lines import Component, Property
from flaskllm.inputs.text import clean_line

_IANA = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,30}(?:/[A-Za-z0-9_+-]{1,30}){0,2}")
_OFFSET = re.compile(r"([+-])(\d{2}):?(\d{2})(?:\d{2})?")
_WINDOWS = {name.casefold(): zone for name, zone in WINDOWS_TO_OLSON.items()}
_MAX_MOMENTS = 40
_MAX_DAY = timedelta(days=366 * 100)


@dataclass(frozen=True, slots=True)
class Moment:
    """A day, or a time with or without a zone. `zone_name` is for a reader."""

    value: date
    zone_name: str = ""

    @property
    def is_day(self) -> bool:
        """Whether it is a whole day."""
        return not isinstance(self.value, datetime)

    @property
    def clock(self) -> str:
        """The time of day; empty for a whole day."""
        return f"{self.value:%H:%M}" if isinstance(self.value, datetime) else ""

    @property
    def zone(self) -> tzinfo | None:
        """The zone of a time, None where it has none."""
        return self.value.tzinfo if isinstance(self.value, datetime) else None

    @property
    def day(self) -> str:
        """The day in ISO form."""
        return f"{self.value.year:04}-{self.value:%m-%d}"

    def __str__(self) -> str:
        """Return the day, and the time where there is one."""
        return f"{self.day} {self.clock}".strip()


@dataclass(slots=True)
class Zones:
    """Finds zones; `offsets` are those the calendar names for its own.

    `unknown` counts the names that no zone was found for.
    """

    offsets: Mapping[str, set[str]]
    unknown: set[str] = field(default_factory=set)

    def moments(self, found: Property) -> list[Moment]:
        """Return the moments a property names; those without sense are left out."""
        zone_id = found.parameters.get("TZID", "")
        pieces = found.value.split(",")[:_MAX_MOMENTS]
        read = (read_moment(piece.strip()) for piece in pieces)
        return [self._placed(moment, zone_id) for moment in read if moment]

    def _placed(self, moment: Moment, zone_id: str) -> Moment:
        """Return a time in the zone of its property, where it names none itself."""
        if not isinstance(moment.value, datetime) or moment.zone is not None:
            return moment
        zone, name = self._zone(zone_id)
        return Moment(moment.value.replace(tzinfo=zone), name)

    def _zone(self, zone_id: str) -> tuple[tzinfo | None, str]:
        if not zone_id:
            return None, ""
        zone_id = zone_id.strip("\"' ")
        for name in _spellings(zone_id):
            zone = _iana(name)
            if zone is not None:
                return zone, name
        own = {_offset(each) for each in self.offsets.get(zone_id, ())} - {None}
        if len(own) == 1 and (only := own.pop()):
            return only, str(only)
        self.unknown.add(zone_id)
        return None, f"time zone unknown: {clean_line(zone_id)[:60]}"


def read_moment(written: str) -> Moment | None:
    """Return the day, the time or the begin of the period that is written."""
    try:
        value = vDDDTypes.from_ical(written)  # type: ignore[no-untyped-call]
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    value = value[0] if isinstance(value, tuple) else value
    if isinstance(value, datetime) and value.tzinfo is not None:
        return Moment(value.astimezone(UTC), "UTC")
    return Moment(value) if isinstance(value, date) else None


def _spellings(zone_id: str) -> Iterator[str]:
    """Yield the names a zone may have: libraries put a path before it."""
    yield from (_WINDOWS[key] for key in (zone_id.casefold(),) if key in _WINDOWS)
    yield zone_id
    pieces = zone_id.split("/")
    if len(pieces) > 2:
        yield "/".join(pieces[-3:])
        yield "/".join(pieces[-2:])


def _iana(name: str) -> tzinfo | None:
    if not _IANA.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def _offset(written: str) -> timezone | None:
    match = _OFFSET.fullmatch(written.strip())
    if match is None or int(match[2]) > 23 or int(match[3]) > 59:
        return None
    distance = timedelta(hours=int(match[2]), minutes=int(match[3]))
    return timezone(-distance if match[1] == "-" else distance)


def first_moment(component: Component, name: str, zones: Zones) -> Moment | None:
    """Return the moment of a property, or None when there is none that has sense."""
    found = component.first(name)
    return next(iter(zones.moments(found)), None) if found else None


def span(start: Moment, end: Moment | None) -> str:
    """Return from when to when something is, with its zone.

    The end of whole days is the day after the last one (RFC 5545, section 3.6.1).
    """
    if start.is_day:
        last = _last_day(start, end)
        until = f" to {last}" if last != start.day else ""
        return f"{start.day}{until} (all day)"
    zone = _shown_zone(start)
    if end is None or end.is_day or str(end) == str(start):
        return f"{start}{zone}"
    if _shown_zone(end) != zone and end.zone_name != start.zone_name:
        return f"{start}{zone} to {end}{_shown_zone(end)}"
    until = end.clock if end.day == start.day else str(end)
    return f"{start} to {until}{zone}"


def _last_day(start: Moment, end: Moment | None) -> str:
    if end is None or end.value.toordinal() - start.value.toordinal() < 2:
        return start.day
    return Moment(end.value - timedelta(days=1)).day


def _shown_zone(moment: Moment) -> str:
    if not moment.zone_name:
        return ""
    if not isinstance(moment.value, datetime) or moment.zone is None:
        return f" ({moment.zone_name})"
    offset = moment.value.strftime("%z")
    shown = f"UTC{offset[:3]}:{offset[3:5]}"
    if moment.zone_name in ("UTC", shown):
        return f" ({moment.zone_name})"
    return f" ({moment.zone_name}, {shown})"


def after(start: Moment, duration: Property) -> Moment | None:
    """Return the end of what lasts for a duration, None when that has no sense."""
    try:
        written = duration.value.strip()
        length = vDuration.from_ical(written)  # type: ignore[no-untyped-call]
        if not timedelta(0) < length < _MAX_DAY:
            return None
        return Moment(start.value + length, start.zone_name)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
