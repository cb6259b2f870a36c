"""What the JSON of transcripts is made of: texts, times, names and people.

Senders leave fields out, send null, and write numbers as text. Nothing here
raises: what cannot be read is None.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flaskllm.inputs.document import Notice, Person
from flaskllm.inputs.text import clean_line
from flaskllm.inputs.transcripts.cues import Cue
from flaskllm.inputs.transcripts.json_text import Placed

_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2})(?:[.,](\d{1,9}))?")
_ADDRESS = re.compile(r"[^\s@<>,;]{1,64}@[^\s@<>,;]{1,255}")
_LETTER = re.compile(r"[A-Za-z]|\d{1,3}")
# A year of milliseconds; nothing that is talked lasts longer.
_LONGEST_MS = 366 * 24 * 3_600_000
# Seconds since 1970 reach this in 5138; larger numbers count milliseconds.
_MOST_SECONDS = 100_000_000_000
_FIRST_YEAR, _LAST_YEAR = 1970, 2200
_NAME_KEYS = ("name", "displayName", "display_name", "full_name")


@dataclass(frozen=True, slots=True)
class Talk:
    """What a file says of a meeting: who said what, who was there, when it began."""

    cues: Iterable[Cue]
    people: tuple[Person, ...] = ()
    began_at: datetime | None = None
    warnings: tuple[Notice, ...] = ()


def at(value: Any, *path: str) -> Any:
    """Return what stands under keys of nested objects, or None."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def objects(value: Any, *path: str) -> list[dict[str, Any]]:
    """Return the objects of the list under keys; none where there is no list."""
    found = at(value, *path)
    if not isinstance(found, list):
        return []
    return [item for item in found if isinstance(item, dict)]


def first_of(value: Any, *keys: str) -> Any:
    """Return the first of some keys that an object has with a value, or None."""
    return next((found for key in keys if (found := at(value, key)) is not None), None)


def cue(
    text: Any, speaker: str | None, start_ms: int | None, end_ms: int | None
) -> Iterator[Cue]:
    """Yield the cue of a text; nothing where it is none."""
    if not isinstance(text, Placed) or not text.strip():
        return
    if start_ms is not None and end_ms is not None:
        end_ms = max(start_ms, end_ms)
    yield Cue(text, text.start, text.end, speaker, start_ms, end_ms)


def milliseconds(value: Any, factor: float) -> int | None:
    """Return a number, or a text that is one, times `factor` as milliseconds."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        counted = float(value) * factor
    except (ValueError, OverflowError):
        return None
    return round(counted) if 0 <= counted <= _LONGEST_MS else None


def clock(value: Any) -> int | None:
    """Return `HH:MM:SS`, `MM:SS`, both with fractions, as milliseconds."""
    match = _CLOCK.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    hours, minutes, seconds, part = match.groups()
    whole = (int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)
    return whole * 1000 + int((part or "0").ljust(3, "0")[:3])


def moment(value: Any) -> datetime | None:
    """Return ISO text, or seconds or milliseconds since 1970, as an aware time."""
    if isinstance(value, str) and not value.replace(".", "", 1).isdecimal():
        return _iso(value)
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        seconds = float(value)
        seconds = seconds / 1000 if seconds > _MOST_SECONDS else seconds
        found = datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return found if seconds > 0 and found.year < _LAST_YEAR else None


def _iso(value: str) -> datetime | None:
    try:
        # Nine digits of a second are more than Python reads.
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value.strip()))
    except ValueError:
        return None
    is_sane = found.tzinfo is not None and _FIRST_YEAR <= found.year < _LAST_YEAR
    return found if is_sane else None


def since(began_at: datetime | None, value: Any) -> int | None:
    """Return how many milliseconds after `began_at` a moment is, or None."""
    found = moment(value)
    if found is None or began_at is None:
        return None
    return milliseconds((found - began_at).total_seconds(), 1000)


def label(value: Any) -> str | None:
    """Return the speaker that a recogniser tells apart; it knows no names.

    A number or a letter becomes `Speaker 0`, `Speaker A`.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1000:
        return f"Speaker {value}"
    name = name_of(value)
    return f"Speaker {name}" if name and _LETTER.fullmatch(name) else name


def name_of(value: Any) -> str | None:
    """Return a name as one clean line, or None."""
    return (clean_line(value) or None) if isinstance(value, str) else None


def people(*values: Any) -> tuple[Person, ...]:
    """Return who is named: objects with a name or address, texts, lists of these."""
    found: list[Person] = []
    for value in values:
        for item in value if isinstance(value, list) else [value]:
            person = _person(item)
            if person is not None:
                found.append(person)
    return tuple(dict.fromkeys(found))


def _person(value: Any) -> Person | None:
    name = value if isinstance(value, str) else first_of(value, *_NAME_KEYS)
    name, email = name_of(name), _address(at(value, "email"))
    if name is not None and _ADDRESS.fullmatch(name):
        email = email or name.lower()
        name = None
    return Person(name, email, "participant") if name or email else None


def _address(value: Any) -> str | None:
    found = name_of(value)
    return found.lower() if found and _ADDRESS.fullmatch(found) else None
