"""Who wrote what a mail forwards."""

import re
from collections.abc import Iterable, Sequence

from flaskllm.inputs import quote_marks
from flaskllm.inputs.alternatives import Text
from flaskllm.inputs.document import Person
from flaskllm.inputs.mail_headers import read_facts
from flaskllm.inputs.mime import Node

_ADDRESS = re.compile(
    r"(?:mailto:)?([^\s@<>\[\](),;:]{1,256}@[^\s@<>\[\](),;:]{1,255})"
)
_BEFORE = re.compile(r"[<\[(]")
_LOOKED_AT = 4
_LONGEST = 300


def original_sender(
    texts: Iterable[Text], attached: Sequence[Node], *, is_forward: bool
) -> Person | None:
    """Return who wrote the forwarded mail, or None when nothing is forwarded.

    Args:
        texts: The texts of the mail.
        attached: The mails in it.
        is_forward: The subject says that the mail is a forward; only then an
            attached mail is what it forwards.
    """
    for text in texts:
        for block in text.blocks:
            lines = [quote_marks.strip_marks(line.text)[1] for line in block.lines]
            if block.kind == "body" and (found := _sender_of(lines)):
                return found
    return _sender_of_attached(attached[0]) if is_forward and attached else None


def name_sender(person: Person) -> str:
    """Return a person as a header names one."""
    if person.name and person.email:
        return f"{person.name} <{person.email}>"
    return person.name or person.email or ""


def _sender_of(lines: Sequence[str]) -> Person | None:
    """Read the header that begins a block of a forwarded mail."""
    for at in range(min(_LOOKED_AT, len(lines))):
        written = quote_marks.header_field(lines, at, "from")
        if written:
            return _person(written[:_LONGEST])
    return None


def _person(written: str) -> Person | None:
    match = _ADDRESS.search(written)
    email = match[1].lower() if match else None
    name = " ".join(_BEFORE.split(written)[0].split()).strip("\"'*_ ")
    if match and match[0] in name:
        name = ""
    return Person(name or None, email, "participant") if name or email else None


def _sender_of_attached(root: Node) -> Person | None:
    people = read_facts(root.header).participants
    sender = next((person for person in people if person.role == "from"), None)
    return Person(sender.name, sender.email, "participant") if sender else None
