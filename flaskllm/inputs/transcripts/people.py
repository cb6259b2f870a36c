"""Who took part: those who speak, and those whom the file names beside them."""

from collections.abc import Sequence

from flaskllm.inputs.document import Notice, Person

# As many as of a mail's header.
MAX_PEOPLE = 200


def participants(
    speakers: Sequence[str], named: Sequence[Person]
) -> tuple[tuple[Person, ...], tuple[Notice, ...]]:
    """Return the speakers, in order, then who else is named; nobody twice.

    A speaker gets the address under which the file names the same person. Two
    people of one name stay two where their addresses differ.
    """
    emails = _emails(named)
    spoke = [Person(name, emails.get(name.casefold()), "speaker") for name in speakers]
    names = {name.casefold() for name in speakers}
    taken = {person.email for person in spoke if person.email}
    present: dict[tuple[str, str], Person] = {}
    for person in named:
        name, email = (person.name or "").casefold(), person.email or ""
        if email in taken or (name in names and not email):
            continue
        present.setdefault((name, email), person)
    everybody = (*spoke, *present.values())
    if len(everybody) <= MAX_PEOPLE:
        return everybody, ()
    detail = f"{len(everybody)} people are named; the first {MAX_PEOPLE} were kept."
    return everybody[:MAX_PEOPLE], (Notice("participants_cut", detail),)


def _emails(named: Sequence[Person]) -> dict[str, str]:
    """Return addresses by name, of those names that only one address has."""
    found: dict[str, set[str]] = {}
    for person in named:
        if person.name and person.email:
            found.setdefault(person.name.casefold(), set()).add(person.email)
    return {name: emails.pop() for name, emails in found.items() if len(emails) == 1}
