"""Names: which ones may be shown to a model, and whom an owner names."""

from collections.abc import Iterator
from dataclasses import replace

from flaskllm.core.folding import fold
from flaskllm.inputs.document import Document, Part, Person
from flaskllm.services.digests.instructions import find_instructions
from flaskllm.services.digests.quotes import locate

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


def find_owner(claim: str, part: Part, text: str, document: Document) -> str | None:
    """Return whom a claimed owner names, as the source writes it, or None.

    A participant by full name ("Last, First" too), by address, or by a first name
    that only one of them has; else a name that stands in the quoted part. `text`
    is that part's text without what proves nothing.
    """
    known = _find_participant(claim, document.participants)
    if known:
        return known
    match = locate(claim, text)
    if match is None:
        return None
    words = text[match.offset : match.offset + match.length]
    return " ".join(words.split()) if _looks_like_name(words) else None


def _find_participant(claim: str, people: tuple[Person, ...]) -> str | None:
    wanted = _fold(claim)
    for person in people:
        if wanted in (_fold(person.name or ""), _fold(person.email or "")) and wanted:
            return person.name or person.email
        if person.name and wanted == _fold(_turned(person.name)):
            return person.name
    full_names = {person.name for person in people if person.name}
    same_first = [name for name in full_names if _fold(_first(name)) == wanted]
    return same_first[0] if wanted and len(same_first) == 1 else None


def _looks_like_name(words: str) -> bool:
    # Scripts without capitals give no such hint.
    first = next((character for character in words if character.isalpha()), "")
    return bool(first) and not first.islower()


def _names(document: Document) -> Iterator[str | None]:
    yield from (person.name for person in document.participants)
    yield from (part.speaker for part in document.parts)


def _plain(name: str) -> str | None:
    return " ".join(name.translate(_HEADING_MARKS).split())[:_MOST_CHARACTERS] or None


def _turned(name: str) -> str:
    """Return "First Last" for "Last, First", as Outlook and Teams write it."""
    last, comma, first = name.partition(",")
    return f"{first} {last}" if comma else name


def _first(name: str) -> str:
    return (_turned(name).split() or [""])[0]


def _fold(name: str) -> str:
    return fold(name).text.strip()
