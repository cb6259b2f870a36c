"""Read the headers of a mail: people, subject, date and the thread's facts.

The structured headers of `email.policy.default` raise on bracketed message ids,
on encoded line breaks and on group syntax, and take a second for one long To.
So headers are read raw and each is interpreted here, on its own, within caps.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from flaskllm.inputs.document import Notice, Person, Role
from flaskllm.inputs.encoded_words import decode_words, unfold_header
from flaskllm.inputs.text import clean

MAX_HEADER_CHARACTERS = 32_768
MAX_PEOPLE = 200

_ROLES: tuple[tuple[str, Role], ...] = (
    ("from", "from"),
    ("reply-to", "reply_to"),
    ("to", "to"),
    ("cc", "cc"),
)
_KEPT = (
    "message-id", "in-reply-to", "references", "list-id", "auto-submitted",
    "precedence", "authentication-results",
)  # fmt: skip
_ADDRESS = re.compile(r"[^\s@<>,;:]{1,256}@[^\s@<>,;:]{1,255}")


@dataclass(frozen=True, slots=True)
class MailFacts:
    """What the headers say. `headers` has lower-case names."""

    participants: tuple[Person, ...]
    subject: str
    sent_at: datetime | None
    headers: dict[str, str]
    warnings: tuple[Notice, ...]


@dataclass(slots=True)
class _Headers:
    """The raw headers, and what was wrong with those already read.

    `invisible` counts the characters without a shape that were taken out.
    """

    message: "Message[str, str]"
    defects: dict[str, str] = field(default_factory=dict)
    invisible: int = 0

    def all(self, name: str) -> list[str]:
        """Return the unfolded values of a header, not yet decoded."""
        values = [
            str(value) for key, value in self.message.raw_items() if key.lower() == name
        ]
        return [self._capped(unfold_header(value)) for value in values]

    def first(self, name: str) -> str:
        """Return the decoded value of a header, empty when there is none."""
        values = self.all(name)
        return self.clean(decode_words(values[0])) if values else ""

    def clean(self, text: str) -> str:
        """Return text as one clean line."""
        cleaned = clean(text)
        self.invisible += cleaned.removed
        return " ".join(cleaned.text.split())

    def _capped(self, value: str) -> str:
        if len(value) <= MAX_HEADER_CHARACTERS:
            return value
        self.defects["header_cut"] = (
            f"A header of {len(value)} characters was cut to {MAX_HEADER_CHARACTERS}."
        )
        return value[:MAX_HEADER_CHARACTERS]


def read_facts(message: "Message[str, str]") -> MailFacts:
    """Return the facts of a mail's header. What cannot be read is left out."""
    headers = _Headers(message)
    participants = _participants(headers)
    kept = {name: headers.first(name) for name in _KEPT}
    subject, sent_at = headers.first("subject"), _sent_at(headers)
    if headers.invisible:
        headers.defects["invisible_characters_removed"] = (
            f"Invisible characters that were removed from headers: {headers.invisible}."
        )
    return MailFacts(
        participants=participants,
        subject=subject,
        sent_at=sent_at,
        headers={name: value for name, value in kept.items() if value},
        warnings=tuple(Notice(code, text) for code, text in headers.defects.items()),
    )


def _participants(headers: _Headers) -> tuple[Person, ...]:
    people: dict[Person, None] = {}
    for name, role in _ROLES:
        for person in _people(headers, name, role):
            people.setdefault(person)
    if len(people) > MAX_PEOPLE:
        headers.defects["participants_cut"] = (
            f"{len(people)} people are named; the first {MAX_PEOPLE} were kept."
        )
    return tuple(people)[:MAX_PEOPLE]


def _people(headers: _Headers, header: str, role: Role) -> list[Person]:
    values = headers.all(header)
    try:
        pairs = getaddresses(values)
    except (RecursionError, ValueError, IndexError, AttributeError, TypeError):
        headers.defects["addresses_unreadable"] = (
            f"The header {header} is broken; only bare addresses were read from it."
        )
        pairs = [("", found) for value in values for found in _ADDRESS.findall(value)]
    found = [_person(headers, name, address, role) for name, address in pairs]
    return [person for person in found if person.name or person.email]


def _person(headers: _Headers, name: str, address: str, role: Role) -> Person:
    shown = headers.clean(decode_words(name)).strip("'\" ")
    bare = headers.clean(address).lower()
    email = bare if _ADDRESS.fullmatch(bare) else None
    return Person(shown or (None if email else bare or None), email, role)


def _sent_at(headers: _Headers) -> datetime | None:
    value = headers.first("date")
    if not value:
        return None
    try:
        found = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        found = None
    if found is None or not 1970 <= found.year <= 2100:
        headers.defects["date_unreadable"] = "The date of the mail could not be read."
        return None
    # "-0000" says: universal time, zone unknown (RFC 5322, section 3.3).
    return found if found.tzinfo else found.replace(tzinfo=UTC)
