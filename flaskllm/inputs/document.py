"""A parsed mail or transcript: what every parser makes and every digest reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Kind = Literal["email", "meeting", "chat", "document"]
SourceKind = Literal["email", "meeting", "document", "chat", "other"]
"""What a caller may say that it is."""
PartKind = Literal["subject", "body", "quoted", "signature", "attachment", "turn"]
Role = Literal["from", "reply_to", "to", "cc", "speaker", "participant"]
Automatic = Literal["bounce", "auto_reply", "read_receipt", "generated"]
"""What kind of machine wrote a mail; `generated` is a notification of any sort."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a part's text stands in what was sent.

    `path` is the MIME part number (`1.2`), `header` for the subject, or empty
    for content that is not MIME. `start` and `end` count code points in the
    decoded text of that part, subject or file, before tags and invisible
    characters were taken out. In JSON they enclose what is written between the
    quotation marks of the first and the last string of the part, escapes as they
    are.
    """

    path: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Part:
    """One piece of a document: a part of a mail, or a turn of a transcript.

    `id` is short and unique in the document (`p2`, `t14`): a model cites it.
    `text` is the decoded visible text: no tags, no entities, no zero-width,
    bidirectional, tag or control characters but line feeds. Offsets of
    evidence count code points in it. `quoted` marks what an earlier mail said.
    """

    id: str
    kind: PartKind
    text: str
    origin: Origin
    speaker: str | None = None
    start_ms: int | None = None
    end_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who wrote, received, spoke, or was named by the caller.

    `email` is lower case.
    """

    name: str | None
    email: str | None
    role: Role


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a reader of the digest should know.

    `code` is stable and snake_case (`hidden_text_removed`); `detail` is a
    sentence with figures, never with text from the source.
    """

    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a mail.

    `name` is clean: no folders, no control or invisible characters, at most 120
    characters; None when the file has none. `media_type` is what the sender says,
    in lower case. `size_bytes` is without the transfer encoding. `was_read` when
    its text is among the parts.
    """

    name: str | None
    media_type: str
    size_bytes: int
    was_read: bool


@dataclass(frozen=True, slots=True)
class Document:
    """What was sent, in reading order.

    `sent_at` is aware and keeps the sender's own offset. `headers` holds the
    thread facts of a mail under lower-case names (`message-id`, `in-reply-to`,
    `references`, `list-id`, `auto-submitted`, `precedence`), and in
    `forwarded-from` who wrote what the mail forwards. `form` names what it was
    read as (`mail`, `calendar`, `webvtt`, `otter`, `text` ...). `automatic` tells
    which machine wrote a mail, None for a person's.
    """

    kind: Kind
    parts: tuple[Part, ...]
    participants: tuple[Person, ...] = ()
    subject: str | None = None
    sent_at: datetime | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[Notice, ...] = ()
    form: str = "text"
    attachments: tuple[Attachment, ...] = ()
    automatic: Automatic | None = None

    def part(self, part_id: str) -> Part | None:
        """Return the part with this id, or None when nothing has it."""
        return next((part for part in self.parts if part.id == part_id), None)

    def text(self) -> str:
        """Return all visible text, parts separated by an empty line."""
        return "\n\n".join(part.text for part in self.parts)
