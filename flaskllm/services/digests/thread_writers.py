"""Who wrote the words that prove a fact of a mail, when later mails tell of it. Pure.

What a mail says itself its sender wrote; what it quotes, whoever stands above the quote
as its writer. Where that is not plain, nobody did: a wrong name is worse than none.
"""

import re
from collections.abc import Iterator, Sequence

from flaskllm.inputs import quote_marks
from flaskllm.inputs.document import Document, Part
from flaskllm.services.digests.everyday_names import PARTICLES, name_key
from flaskllm.services.digests.instructions import find_instructions
from flaskllm.services.digests.types import Evidence

_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]{1,250}\w")
_NAMED = re.compile(r"[\"']?([^\"<>\n]{1,100})[\"']?\s*<[^<>\s]{1,320}>")
_WORD = re.compile(r"(?:[^\W\d_]+[.'’-]?)+")
# What may stand between a time of day and a name.
_CLOCK_WORDS = frozenset("am pm a.m. p.m. uhr utc gmt cet cest h".split())  # noqa: SIM905
_MOST_WORDS = 4


def writer_of(evidence: Evidence, document: Document, sender: str | None) -> str | None:
    """Return who wrote the words of a fact that was proved in a mail.

    Args:
        evidence: What proves it.
        document: The mail.
        sender: Who sent it.
    """
    part = document.part(evidence.part or evidence.turn or "")
    if part is None or part.kind != "quoted":
        return sender
    if part.speaker:
        return part.speaker
    heads = list(_heads(part.text[: evidence.offset or 0]))
    if not heads:
        heads = [head for head in [_head_before(part, document)] if head]
    # Below a second one it is not known where the inner quote ends.
    return _writer_in(heads[0], document) if len(heads) == 1 else None


def _heads(text: str) -> Iterator[str]:
    """Yield what says who is quoted: senders of headers, "On Monday Ann wrote:"."""
    lines, at = text.split("\n"), 0
    while at < len(lines):
        length = quote_marks.header_length(lines, at)
        if length:
            yield quote_marks.header_field(lines, at, "from")
        else:
            length, _ = quote_marks.attribution_length(lines, at)
            head = " ".join(lines[at : at + (length or 1)])
            if length or _is_head(head):
                yield head
        at += length or 1


def _is_head(line: str) -> bool:
    """Tell whether a line without a date says who is quoted: "Ann Lee wrote:"."""
    is_end = line.rstrip().endswith((":", "："))
    return is_end and quote_marks.around_wrote(line) is not None


def _head_before(part: Part, document: Document) -> str | None:
    """Return the last line above a quote, where that says whose it is."""
    place = document.parts.index(part)
    above = document.parts[place - 1].text.rstrip() if place else ""
    line = above.rpartition("\n")[2]
    return line if _is_head(line) else None


def _writer_in(head: str, document: Document) -> str | None:
    """Return who a line names as the writer."""
    address = _ADDRESS.search(head)
    if address:
        known = (
            person.name or person.email
            for person in document.participants
            if person.email == address[0].casefold()
        )
        found = next(known, None)
        if found:
            return found
        named = _NAMED.search(head)
        return (named and _name_in(named[1], 1)) or address[0].casefold()
    return _name_in(head, 2)


def _name_in(text: str, fewest: int) -> str | None:
    """Return the name that a line is or ends with; None for anything else.

    Args:
        text: A sender, or a line such as "On Monday at 9:00, Ann Lee wrote:".
        fewest: How many words make it a name.
    """
    around = quote_marks.around_wrote(text)
    before, after = around or (text, "")
    said = after.strip(" :：,") or re.split(r"\d[,.:]?|,\s", before)[-1]
    words = said.strip(" :：,'\"").split()
    while words and words[0].casefold() in _CLOCK_WORDS:
        words = words[1:]
    name = " ".join(words)
    is_name = fewest <= len(words) <= _MOST_WORDS and _are_capitalised(words)
    return name if is_name and not find_instructions(name) else None


def _are_capitalised(words: Sequence[str]) -> bool:
    """Tell whether words look like a name: "On Monday" begins a sentence."""
    if quote_marks.starts_attribution(words[0]):
        return False
    return all(
        _WORD.fullmatch(word) and (not word[0].islower() or name_key(word) in PARTICLES)
        for word in words
    )
