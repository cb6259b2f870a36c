"""Find the quote of a fact in the source, or say that it is not there."""

import unicodedata
from collections.abc import Iterable, Mapping

from flaskllm.inputs.document import Part
from flaskllm.services.digests.answers import Quoted
from flaskllm.services.digests.ground import Ground
from flaskllm.services.digests.instructions import Span
from flaskllm.services.digests.negations import is_cut_off
from flaskllm.services.digests.quotes import Match, Text, locate_anywhere
from flaskllm.services.digests.strokes import is_struck
from flaskllm.services.digests.types import Evidence

_FEWEST_CHARACTERS = 8
_FEWEST_WORDS = 2


def prove(quoted: Quoted, ground: Ground) -> Evidence:
    """Return verified evidence when the whole quote stands in the cited part.

    An answer that cites no part, or one that does not exist, is looked up in
    all of them; the strictest match wins. Text that addresses the machine proves
    nothing, and no quote reaches across it. Nor does struck-out text; a quote may
    leave it out, or hold it with its marks and words beside it.
    """
    found = find_quote(quoted, ground)
    holds = found.verified and not is_taken_back(found, ground)
    if holds or not ground.strokes:
        return found
    return _find(quoted, ground, ground.live_quotable)


def find_quote(quoted: Quoted, ground: Ground) -> Evidence:
    """Return evidence as `prove` does, also where the quote is struck out."""
    return _find(quoted, ground, ground.quotable)


def is_taken_back(evidence: Evidence, ground: Ground) -> bool:
    """Tell whether verified evidence stands in struck-out text."""
    place = evidence.turn or evidence.part or ""
    strokes = ground.strokes.get(place, ())
    start, length = evidence.offset, evidence.length
    if not strokes or start is None or length is None:
        return False
    return is_struck(ground.texts[place], start, start + length, strokes)


def _find(quoted: Quoted, ground: Ground, texts: Mapping[str, Text]) -> Evidence:
    parts = {part.id: part for part in _candidates(quoted, ground)}
    found = locate_anywhere(quoted.quote, ((each, texts[each]) for each in parts))
    if found is None:
        return Evidence(quoted.quote, verified=False)
    part_id, match = found
    if _reaches_across(match, ground.flagged.get(part_id, ())):
        return Evidence(quoted.quote, verified=False)
    return place(parts[part_id], match)


def place(part: Part, match: Match) -> Evidence:
    """Return verified evidence for a match: the source's own words and place."""
    quote = part.text[match.offset : match.offset + match.length]
    is_turn = part.kind == "turn"
    return Evidence(
        quote=quote,
        verified=True,
        part=None if is_turn else part.id,
        turn=part.id if is_turn else None,
        speaker=part.speaker,
        start_ms=part.start_ms,
        offset=match.offset,
        length=match.length,
    )


def proving_part(evidence: Evidence, ground: Ground) -> Part | None:
    """Return the part that holds this evidence."""
    return ground.document.part(evidence.turn or evidence.part or "")


def _reaches_across(match: Match, flagged: Iterable[Span]) -> bool:
    after = match.offset + match.length
    return any(match.offset < end and start < after for start, end in flagged)


def _candidates(quoted: Quoted, ground: Ground) -> tuple[Part, ...]:
    cited = ground.document.part(quoted.place) if quoted.place else None
    return (cited,) if cited else ground.document.parts


def proves_enough(evidence: Evidence, ground: Ground) -> bool:
    """Tell whether a quote says something: "to" would prove any fact.

    At least two words and eight characters, wide ones counting twice, or all
    that the part says; and no negation cut off beside it.
    """
    quote = evidence.quote.strip()
    part = proving_part(evidence, ground)
    if part is not None and quote == part.text.strip():
        return True
    if leaves_out_negation(evidence, ground):
        return False
    wide = sum(unicodedata.east_asian_width(each) in "WF" for each in quote)
    return len(quote) + wide >= _FEWEST_CHARACTERS and (
        wide > 0 or len(quote.split()) >= _FEWEST_WORDS
    )


def leaves_out_negation(evidence: Evidence, ground: Ground) -> bool:
    """Tell whether verified evidence ends just before the word that turns it round."""
    part = proving_part(evidence, ground)
    if part is None or evidence.offset is None or evidence.length is None:
        return False
    end = evidence.offset + evidence.length
    return is_cut_off(part.text, evidence.offset, end, ground.source_language)
