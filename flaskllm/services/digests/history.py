"""Quoted history: what a mail repeats of earlier ones, and does not say itself. Pure.

Answers within a quote, and what is forwarded, are the mail's own.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from flaskllm.inputs.document import Part
from flaskllm.services.digests.answers import Quoted
from flaskllm.services.digests.evidence import prove, proving_part
from flaskllm.services.digests.ground import Ground
from flaskllm.services.digests.types import Evidence

_OWN = frozenset({"body", "attachment"})
_PARAGRAPH_END = re.compile(r"\n[>\s]*\n")


def in_own_words(evidence: Evidence, ground: Ground) -> Evidence:
    """Return evidence in the mail's own text where that says the same words.

    Else as it is: also where it does not stand in quoted history.
    """
    if not _is_quoted(proving_part(evidence, ground)):
        return evidence
    own = (part.id for part in ground.document.parts if part.kind in _OWN)
    found = (prove(Quoted(quote=evidence.quote, part=each), ground) for each in own)
    return next((each for each in found if each.verified), evidence)


def is_only_history(evidence: Evidence, ground: Ground) -> bool:
    """Tell whether evidence stands in quoted history that the mail does not renew.

    It renews the paragraph that its own text answers: that stands right below.
    """
    part = proving_part(evidence, ground)
    if part is None or not _is_quoted(part):
        return False
    parts = ground.document.parts
    below = next((after for each, after in pairwise(parts) if each is part), None)
    if below is None or below.kind != "body":
        return True
    end = (evidence.offset or 0) + (evidence.length or 0)
    return bool(_PARAGRAPH_END.search(part.text.rstrip("> \n"), end))


def list_history(fields: Mapping[str, Any], ground: Ground) -> list[str]:
    """Return the warning that tells which facts stand in quoted history, and where."""
    places = [each.part for each in _proofs(fields.values()) if each.part]
    quoted = {part.id for part in ground.document.parts if _is_quoted(part)}
    cited = [place for place in places if place in quoted]
    if not cited:
        return []
    told = set(cited)
    where = ", ".join(part.id for part in ground.document.parts if part.id in told)
    return [f"facts_in_quoted_history: {len(cited)} stand there, in {where}"]


def _proofs(values: Iterable[Any]) -> Iterable[Evidence]:
    for value in values:
        facts = value if isinstance(value, tuple | list) else (value,)
        for fact in facts:
            proof = getattr(fact, "evidence", fact)
            if isinstance(proof, Evidence):
                yield proof


def _is_quoted(part: Part | None) -> bool:
    return part is not None and part.kind == "quoted"
