"""What proves a fact: which of its quotes hold, and what is counted of the others."""

from collections.abc import Iterable
from typing import TypeVar

from flaskllm.services.digests.answers import ActionItemAnswer, Proven, Quoted
from flaskllm.services.digests.evidence import (
    find_quote,
    is_taken_back,
    prove,
    proves_enough,
    proving_part,
)
from flaskllm.services.digests.ground import Ground
from flaskllm.services.digests.history import in_own_words
from flaskllm.services.digests.saying import Counts
from flaskllm.services.digests.strokes import told
from flaskllm.services.digests.types import Evidence

ProvenT = TypeVar("ProvenT", bound=Proven)


def list_proven(
    items: Iterable[ProvenT], ground: Ground, counts: Counts
) -> list[tuple[ProvenT, Evidence]]:
    """Return the facts whose quotes hold, with their evidence; count the others."""
    kept = []
    for item in items:
        evidence = _evidence_of(item, ground)
        if evidence.verified and proves_enough(evidence, ground):
            kept.append((item, evidence))
        else:
            count_miss(item.evidence, "quote_not_in_source", ground, counts)
    return kept


def find_words(claim: str | None, evidence: Evidence, ground: Ground) -> str | None:
    """Return the source's own words for those that a model claims stand with a quote.

    Struck-out ones count only where the quote is struck out. None for no such words.
    """
    part = proving_part(evidence, ground)
    if not claim or part is None:
        return None
    look = find_quote if is_taken_back(evidence, ground) else prove
    found = look(Quoted(quote=claim, part=part.id), ground)
    return told(found.quote) if found.verified else None


def names_struck_words(claim: str | None, evidence: Evidence, ground: Ground) -> bool:
    """Tell whether words that stand with a quote are struck out wherever they do."""
    part = proving_part(evidence, ground)
    if not claim or part is None or not ground.strokes:
        return False
    quoted = Quoted(quote=claim, part=part.id)
    is_struck = is_taken_back(find_quote(quoted, ground), ground)
    return is_struck and not prove(quoted, ground).verified


def count_miss(quoted: Quoted, code: str, ground: Ground, counts: Counts) -> None:
    """Count a quote that proves nothing: struck out, or why else."""
    is_struck = bool(ground.strokes) and is_taken_back(
        find_quote(quoted, ground), ground
    )
    counts["struck_out" if is_struck else code] += 1


def _evidence_of(item: Proven, ground: Ground) -> Evidence:
    """Return what proves a fact; a stroke may be how a task was ended."""
    if not isinstance(item, ActionItemAnswer):
        return prove(item.evidence, ground)
    if item.status != "open":
        return find_quote(item.evidence, ground)
    return in_own_words(prove(item.evidence, ground), ground)
