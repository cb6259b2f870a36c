"""A mail that was delivered becomes an `Item`, whoever delivered it.

Names of events: a sender without event ids repeats a mail under the same Message-ID
and to the same recipients. Programs that give all their mails one Message-ID exist,
and nothing of them may be lost, so the text belongs to the name as well. Where there
is no Message-ID the content alone tells.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import islice
from typing import Any

from flaskllm.inputs.mail_headers import MailFacts, read_facts
from flaskllm.inputs.media_types import MAIL
from flaskllm.inputs.mime import MAX_HEADER_BYTES, read_mail
from flaskllm.inputs.senders.types import Item, SenderRefusedError
from flaskllm.inputs.text import clean_line

MAX_RECIPIENTS = 200
MAX_EVENT_KEY = 100
NOT_FETCHED = "attachments_not_fetched"

_MAX_LINE = 250
_MAX_CLEANED = 2_000
_MAX_LISTED = 50
_MAX_SCANNED = 32_768
_BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n|\r\r")
_ADDRESS = re.compile(r"[^\s@<>,;:\"]{1,64}@[^\s@<>,;:\"]{1,255}")


@dataclass(frozen=True, slots=True)
class Delivered:
    """A whole mail and what its sender says of it.

    Attributes:
        sender: The sender's name, for the metadata.
        content: The mail as `message/rfc822`.
        event_key: The sender's own name of the event; None where it has none.
        recipients: Of the envelope, as they came; empty where there are none.
        is_decoded: Whether the mail came as text: its charsets are undone already.
        metadata: What else goes back with the answer.
        warnings: Codes.
        not_fetched: Names of attachments that were left at the sender.
    """

    sender: str
    content: bytes = field(repr=False)
    event_key: str | None = None
    recipients: Sequence[str] = ()
    is_decoded: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    not_fetched: Sequence[str] = ()


def mail_item(delivered: Delivered) -> Item:
    """Return the item of a mail, with its subject, id and writer as metadata.

    Raises:
        SenderRefusedError: `malformed`: it has no header at all.
    """
    head, body = _split(delivered.content)
    mail = read_mail(head)
    if mail is None:
        raise SenderRefusedError("malformed", "The mail has no header.")
    facts = read_facts(mail.root.header)
    recipients = addresses(delivered.recipients) or _named(facts)
    key = delivered.event_key
    if key is None:
        key = _mail_key(facts, recipients, body)
    return Item(
        content=delivered.content,
        # A mail that was text already is found from its content and read so.
        media_type=None if _is_text(delivered) else MAIL,
        charset="utf-8" if _is_text(delivered) else None,
        source="email",
        event_key=event_key(key) if key else "",
        recipients=recipients,
        metadata=_metadata(delivered, facts),
        warnings=delivered.warnings + ((NOT_FETCHED,) if delivered.not_fetched else ()),
    )


def event_key(*names: str) -> str:
    """Return one short name of an event; of long or several ones their hash."""
    if len(names) == 1 and len(names[0]) <= MAX_EVENT_KEY and names[0].isprintable():
        return names[0]
    return sha256("\0".join(names).encode("utf-8", "replace")).hexdigest()


def addresses(values: Iterable[str]) -> tuple[str, ...]:
    """Return the bare lower-case addresses in some texts, each once, in order."""
    found: dict[str, None] = {}
    for value in islice(values, MAX_RECIPIENTS):
        for match in _ADDRESS.finditer(value[:_MAX_SCANNED]):
            found.setdefault(match[0].lower())
    return tuple(found)[:MAX_RECIPIENTS]


def bounded(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is not empty, each text as one clean line of bounded length."""
    found = {
        name: _line(value) if isinstance(value, str) else value
        for name, value in metadata.items()
    }
    return {name: value for name, value in found.items() if value}


def _line(text: str) -> str:
    return clean_line(text[:_MAX_CLEANED])[:_MAX_LINE]


def _split(content: bytes) -> tuple[bytes, bytes]:
    """Return the header block and the body of a mail."""
    start = len(content) - len(content.lstrip())
    blank = _BLANK_LINE.search(content, start, start + MAX_HEADER_BYTES)
    stop = blank.end() if blank else min(len(content), start + MAX_HEADER_BYTES)
    return content[:stop], content[stop:]


def _is_text(delivered: Delivered) -> bool:
    # ASCII reads the same either way, and then nothing has to be guessed.
    return delivered.is_decoded and not delivered.content.isascii()


def _named(facts: MailFacts) -> tuple[str, ...]:
    return tuple(
        dict.fromkeys(
            person.email
            for person in facts.participants
            if person.email and person.role in ("to", "cc")
        )
    )


def _mail_key(facts: MailFacts, recipients: Sequence[str], body: bytes) -> str:
    message_id = facts.headers.get("message-id", "")
    if not message_id:
        return ""
    said = sha256(body).hexdigest()
    return event_key(message_id, ",".join(sorted(recipients)), said)


def _metadata(delivered: Delivered, facts: MailFacts) -> dict[str, Any]:
    writer = next((each for each in facts.participants if each.role == "from"), None)
    listed = delivered.not_fetched[:_MAX_LISTED]
    return bounded(
        {
            "sender": delivered.sender,
            "subject": facts.subject,
            "message_id": facts.headers.get("message-id", ""),
            "from": (writer and writer.email) or "",
            NOT_FETCHED: [_line(name) for name in listed],
            **delivered.metadata,
        }
    )
