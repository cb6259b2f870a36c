"""Names: which ones may be shown to a model."""

from collections.abc import Iterator
from dataclasses import replace

from flaskllm.inputs.document import Document
from flaskllm.services.digests.instructions import find_instructions

_MOST_CHARACTERS = 120
# They would forge the heading of a part.
_HEADING_MARKS = str.maketrans("[]|<>\n\t", "       ")


def without_orders(document: Document) -> tuple[Document, tuple[str, ...]]:
    """Return the document with plain names, and the names that were no names.

    A display name or a speaker can say "ignore previous instructions" as well as
    a mail can. Such a name is taken away; marks that could forge a heading and
    what is over 120 characters are taken out of the others.
    """
    names = {name for name in _names(document) if name}
    orders = {name for name in names if find_instructions(name)}
    plain = {name: _plain(name) for name in names - orders}
    people = tuple(
        replace(person, name=plain.get(person.name or ""))
        for person in document.participants
    )
    parts = tuple(
        replace(part, speaker=plain.get(part.speaker or "")) for part in document.parts
    )
    return replace(document, participants=people, parts=parts), tuple(sorted(orders))


def _names(document: Document) -> Iterator[str | None]:
    yield from (person.name for person in document.participants)
    yield from (part.speaker for part in document.parts)


def _plain(name: str) -> str | None:
    return " ".join(name.translate(_HEADING_MARKS).split())[:_MOST_CHARACTERS] or None
