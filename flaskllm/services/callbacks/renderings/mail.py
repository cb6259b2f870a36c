"""For mailboxes: a plain text, and the mail that it becomes when it is sent."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from flaskllm.core.json_text import dump
from flaskllm.services.callbacks.events import Event
from flaskllm.services.callbacks.messages import Message, message_of


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a mail needs besides its text; `at` is when it is sent, aware.

    `sender` may hold a name: `flaskllm <digests@example.org>`.
    """

    delivery_id: str
    sender: str
    recipient: str
    at: datetime


def render(event: Event) -> bytes:
    """Return subject and text as JSON, to be kept until the mail is sent."""
    message = message_of(event)
    text = "\n".join(_lines(message)).strip() + "\n"
    return dump({"subject": message.subject, "text": text})


def compose(body: bytes, envelope: Envelope) -> EmailMessage:
    """Return the mail of what `render` made.

    Its Message-ID is made from the delivery's id, so that a mail server or a reader
    that gets it twice can tell. Nobody's machine is asked to answer it.
    """
    told = json.loads(body)
    name, address = parseaddr(envelope.sender)
    domain = address.rpartition("@")[2]
    mail = EmailMessage()
    mail["From"] = Address(name, addr_spec=address)
    mail["To"] = Address(addr_spec=envelope.recipient)
    mail["Subject"] = told["subject"]
    mail["Date"] = format_datetime(envelope.at)
    mail["Message-ID"] = f"<{envelope.delivery_id}@{domain}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834
    # Quoted: no mail server need carry lines longer than 998 bytes, or any byte.
    mail.set_content(told["text"], cte="quoted-printable")
    return mail


def _lines(message: Message) -> Iterator[str]:
    for paragraph in message.lead:
        yield from (paragraph, "")
    for section in message.sections:
        if section.heading:
            yield f"{section.heading}:"
        yield from (f"- {each}" for each in section.lines)
        yield ""
    yield from message.context
