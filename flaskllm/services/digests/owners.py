"""Whom a claimed owner names: one participant for sure, a name in the text, or nobody.

A claim is compared with what each participant may be called, from the surest form to
the loosest. The surest form that fits anybody decides, and only when it fits one
person; what comes back is always written as the source writes it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from flaskllm.inputs.document import Document, Part, Person
from flaskllm.services.digests.name_forms import (
    Name,
    folded,
    is_abbreviation,
    is_initials,
    read_name,
)
from flaskllm.services.digests.quotes import locate

# Whoever speaks or writes; several people at once; and whom only the scene shows.
_FIRST_PERSON = frozenset(
    """
    i me myself ich mich mir je moi yo io eu ik jag speaker sender
    """.split()  # noqa: SIM905
)
_SEVERAL = frozenset(
    """
    we us ourselves team everyone everybody all both wir uns alle beide jeder nous
    equipe tous toutes nosotros nosotras equipo todos todas noi tutti nos
    someone somebody anyone jemand quelqu'un alguien
    """.split()  # noqa: SIM905
)
_SOMEBODY = frozenset(
    """
    you your he she they him her them it du dich dir sie ihr ihnen er es man tu te toi
    vous il elle ils elles on usted ustedes tu el ella ellos ellas
    """.split()  # noqa: SIM905
)
_ARTICLES = frozenset({"the", "our", "das", "unser", "l'equipe", "notre", "el", "todo"})


@dataclass(frozen=True, slots=True)
class Claim:
    """An owner as a model names it, taken apart once."""

    text: str
    name: Name


def names_several(claim: str) -> bool:
    """Tell whether a claim names a group ("we", "the team"), which owns nothing."""
    words = _bare(claim).replace("l'equipe", "equipe").split()
    rest = [word for word in words if word not in _ARTICLES]
    return bool(rest) and all(word in _SEVERAL for word in rest)


def find_owner(claim: str, part: Part, text: str, document: Document) -> str | None:
    """Return whom a claimed owner names, as the source writes it, or None.

    "I" is who speaks the quoted turn or wrote the quoted body. Else a participant
    in one of the forms of a name, when it fits one of them only; else a name that
    stands in the quoted part.

    Args:
        claim: What the model says.
        part: The part that holds the quote.
        text: That part's text without what proves nothing.
        document: Names the participants.
    """
    bare = _bare(claim)
    if bare.removeprefix("the ") in _FIRST_PERSON:
        return _who_speaks(part, document)
    if names_several(claim) or not bare:
        return None
    known = _find_participant(claim, _people(part, document))
    if known:
        return known
    return None if bare in _SOMEBODY else _find_in_text(claim, text)


def _who_speaks(part: Part, document: Document) -> str | None:
    if part.speaker or part.kind != "body":
        return part.speaker
    senders = [each for each in document.participants if each.role == "from"]
    return _written(senders[0]) if len(senders) == 1 else None


def _people(part: Part, document: Document) -> tuple[Person, ...]:
    speaker = (Person(part.speaker, None, "speaker"),) if part.speaker else ()
    return (*document.participants, *speaker)


def _find_participant(claim: str, people: Sequence[Person]) -> str | None:
    wanted = Claim(claim, read_name(claim))
    for fits in _FORMS:
        found = [person for person in people if fits(wanted, person)]
        if found:
            return _written(found[0]) if _are_one(found) else None
    return None


def _are_one(people: Iterable[Person]) -> bool:
    """Tell whether all these are one person: by address, else by name."""
    return all(
        one.email == other.email if one.email and other.email else _same(one, other)
        for one, other in pairwise(people)
    )


def _same(one: Person, other: Person) -> bool:
    return bool(one.name) and folded(one.name or "") == folded(other.name or "")


def _is_whole(claim: Claim, person: Person) -> bool:
    return folded(claim.text) in {folded(person.name or ""), folded(person.email or "")}


def _is_full_name(claim: Claim, person: Person) -> bool:
    if len(claim.name.every) < 2:
        return False
    return bool(claim.name.forms & read_name(person.name or "").forms)


def _is_local_part(claim: Claim, person: Person) -> bool:
    if not person.email:
        return False
    local = person.email.partition("@")[0]
    words = folded(claim.text).removesuffix("@")
    return words == folded(local) or (
        len(claim.name.every) > 1 and claim.name.every == _local_words(local)
    )


def _is_shortened(claim: Claim, person: Person) -> bool:
    return is_abbreviation(claim.name, read_name(person.name or ""))


def _is_made_of_initials(claim: Claim, person: Person) -> bool:
    return is_initials(claim.text, read_name(person.name or ""))


def _is_first_name(claim: Claim, person: Person) -> bool:
    if len(claim.name.every) != 1:
        return False
    name = read_name(person.name or "")
    firsts = name.firsts or _local_words((person.email or "").partition("@")[0])[:1]
    return claim.name.every[0] in firsts


def _is_last_name(claim: Claim, person: Person) -> bool:
    name = read_name(person.name or "")
    return len(name.every) > 1 and claim.name.every == name.last


# From the surest to the loosest.
_FORMS: Sequence[Callable[[Claim, Person], bool]] = (
    _is_whole,
    _is_full_name,
    _is_local_part,
    _is_shortened,
    _is_first_name,
    _is_made_of_initials,
    _is_last_name,
)


def _local_words(local: str) -> tuple[str, ...]:
    words = folded(local).replace("_", ".").replace("-", ".").split(".")
    return tuple(filter(None, words))


def _find_in_text(claim: str, text: str) -> str | None:
    match = locate(claim, text)
    if match is None:
        return None
    words = text[match.offset : match.offset + match.length]
    return " ".join(words.split()) if _looks_like_name(words) else None


def _looks_like_name(words: str) -> bool:
    # Scripts without capitals give no such hint.
    first = next((character for character in words if character.isalpha()), "")
    return bool(first) and not first.islower()


def _written(person: Person) -> str | None:
    return person.name or person.email


def _bare(claim: str) -> str:
    return folded(claim).strip(" .,!")
