"""A mail as it was sent (RFC 5322 and MIME) becomes a document.

Whatever is broken in a mail becomes a warning; no mail makes this fail that has
a header at all.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from flaskllm.core.errors import InvalidInputError
from flaskllm.inputs import quote_marks
from flaskllm.inputs.alternatives import Text
from flaskllm.inputs.attachments import MAX_LISTED
from flaskllm.inputs.automatic import automatic_kind, label_notices
from flaskllm.inputs.document import Attachment, Document, Notice, Origin, Part, Person
from flaskllm.inputs.forwards import name_sender, original_sender
from flaskllm.inputs.mail_headers import MAX_PEOPLE, MailFacts, read_facts
from flaskllm.inputs.mail_texts import TNEF, Reader
from flaskllm.inputs.mime import MESSAGE_TYPES, read_mail
from flaskllm.inputs.parts import promote, to_parts


def parse_mail(content: bytes | str, *, field_name: str) -> Document:
    """Return the document of a mail.

    Args:
        content: The raw mail; as text where somebody decoded it already.
        field_name: What the caller's field is called in an error.

    Raises:
        InvalidInputError: There is no header at all.
    """
    is_decoded = isinstance(content, str)
    raw = content.encode("utf-8") if isinstance(content, str) else content
    mail = read_mail(raw)
    if mail is None:
        raise InvalidInputError.of(
            field_name,
            "it is no mail: it does not begin with a header",
            "a raw message with header lines such as From: and Subject:, "
            "an empty line, and the text",
        )
    facts = read_facts(mail.root.header)
    is_forward = quote_marks.is_forward_subject(facts.subject)
    reader = Reader(is_forward, is_decoded)
    texts = reader.texts(mail.root)
    kind = automatic_kind(mail.root)
    warnings = [*mail.warnings, *facts.warnings, *label_notices(mail.root, kind)]
    warnings += reader.warnings
    for text in texts:
        warnings += text.warnings
    # What a bounce returns is nobody's forward.
    attached = reader.attached if kind is None else []
    author = original_sender(texts, attached, is_forward=is_forward)
    document = _document(_with_people(facts, reader.people, author), texts)
    return replace(
        document,
        warnings=tuple(dict.fromkeys([*warnings, *_remarks(reader, texts)])),
        attachments=tuple(reader.attachments[:MAX_LISTED]),
        automatic=kind,
    )


def _with_people(
    facts: MailFacts, invited: Sequence[Person], author: Person | None
) -> MailFacts:
    """Return the facts with those whom the headers of the mail do not name."""
    known = {
        (person.email or person.name or "").lower() for person in facts.participants
    }
    added: dict[str, Person] = {}
    for person in (*([author] if author else ()), *invited):
        key = (person.email or person.name or "").lower()
        if key not in known:
            added.setdefault(key, person)
    people = (*facts.participants, *added.values())[:MAX_PEOPLE]
    headers = dict(facts.headers)
    if author:
        headers["forwarded-from"] = name_sender(author)
    return replace(facts, participants=people, headers=headers)


def _document(facts: MailFacts, texts: Sequence[Text]) -> Document:
    parts: list[Part] = []
    for text in texts:
        parts += to_parts(text.blocks, text.path, first=len(parts) + 1)
    subject = [
        Part(
            "subject", "subject", facts.subject, Origin("header", 0, len(facts.subject))
        )
    ]
    return Document(
        kind="email",
        parts=(*(subject if facts.subject else []), *promote(parts)),
        participants=facts.participants,
        subject=facts.subject or None,
        sent_at=facts.sent_at,
        headers=facts.headers,
        form="mail",
    )


def _remarks(reader: Reader, texts: Sequence[Text]) -> Iterator[Notice]:
    ignored = sum(map(_is_ignored, reader.attachments))
    if ignored:
        yield Notice(
            "attachments_ignored", f"Attachments that were not read: {ignored}."
        )
    if reader.invisible:
        detail = (
            "Invisible characters that were removed from names of attachments: "
            f"{reader.invisible}."
        )
        yield Notice("invisible_characters_removed", detail)
    if not any(text.blocks for text in texts):
        yield Notice("no_text_found", "The mail holds no text that can be read.")


def _is_ignored(attachment: Attachment) -> bool:
    """Tell whether nothing else says that an attachment was left out."""
    told = attachment.media_type in TNEF | MESSAGE_TYPES
    return not attachment.was_read and not told
