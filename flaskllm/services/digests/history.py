"""Quoted history: what a mail repeats of earlier ones, and does not say itself. Pure.

Answers within a quote, and what is forwarded, are the mail's own.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from flaskllm.inputs.document import Document, Part
from flaskllm.services.digests.answers import Quoted
from flaskllm.services.digests.evidence import prove, proving_part
from flaskllm.services.digests.ground import Ground
from flaskllm.services.digests.types import Evidence

_OWN = frozenset({"body", "attachment"})
_PARAGRAPH_END = re.compile(r"\n[>\s]*\n")
_LOOK_BACK = 80
_ITEM_MARK = re.compile(r"[-*•]\s+\Z")
# What ends with a colon speaks about the paragraph after it.
_NEW_PARAGRAPH = re.compile(r"[^:：\s]\s*\n[^\S\n]*\n\s*\Z")
_AFTER_SENTENCE = re.compile(r"(?:[.!…]\s+|[。！]\s*)\Z")
_SENTENCE_END = re.compile(r"[.!…。！]|[^\S\n]*\n[^\S\n]*\n|\s*\Z")


def in_own_words(evidence: Evidence, ground: Ground) -> Evidence:
    """Return evidence in the mail's own text where that says the same words.

    They have to be whole sentences there: within another one they may be denied.
    Else it is as it was: also where it does not stand in quoted history.
    """
    if not _is_quoted(proving_part(evidence, ground)):
        return evidence
    own = (part for part in ground.document.parts if part.kind in _OWN)
    found = ((_prove_in(part, evidence.quote, ground), part) for part in own)
    return next((each for each, part in found if _is_stated(each, part)), evidence)


def is_only_history(evidence: Evidence, ground: Ground) -> bool:
    """Tell whether evidence stands in quoted history that the mail does not renew.

    It renews the paragraph that its own text answers: that stands right below. Where
    all its own text stands below its only quote, it answers the whole of it.
    """
    part = proving_part(evidence, ground)
    if part is None or not _is_quoted(part):
        return False
    parts = ground.document.parts
    below = next((after for each, after in pairwise(parts) if each is part), None)
    if below is None or below.kind != "body":
        return True
    if _answers_whole_quote(ground.document):
        return False
    end = (evidence.offset or 0) + (evidence.length or 0)
    return bool(_PARAGRAPH_END.search(part.text.rstrip("> \n"), end))


def holds_now(fact: Any, ground: Ground) -> bool:
    """Tell whether a fact may be told as one of now: not an old task that is open.

    Of earlier mails one that is not verified may be no more than that, too. A task
    whose owner or day was taken off holds all the same.
    """
    if getattr(fact, "status", None) != "open" or fact.evidence.verified:
        return True
    is_placed = proving_part(fact.evidence, ground) is not None
    return is_placed and not is_only_history(fact.evidence, ground)


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


def _prove_in(part: Part, quote: str, ground: Ground) -> Evidence:
    # The source's own words may be longer than an answer's quote may be.
    return prove(Quoted.model_construct(quote=quote, part=part.id), ground)


def _is_stated(evidence: Evidence, part: Part) -> bool:
    """Tell whether evidence is whole sentences of a part, and not asked there only.

    A line break parts no sentences, for lines are wrapped; a blank line does.
    """
    start, length = evidence.offset, evidence.length
    if not evidence.verified or start is None or length is None:
        return False
    return _begins_sentence(part.text, start) and (
        evidence.quote[-1:] in ".!?…。！？"
        or _SENTENCE_END.match(part.text, start + length) is not None
    )


def _begins_sentence(text: str, start: int) -> bool:
    before = _ITEM_MARK.sub("", text[max(0, start - _LOOK_BACK) : start])
    is_first = start <= _LOOK_BACK and not before.strip()
    if is_first or _NEW_PARAGRAPH.search(before):
        return True
    # After an abbreviation a sentence goes on in small letters.
    return bool(_AFTER_SENTENCE.search(before)) and not text[start].islower()


def _answers_whole_quote(document: Document) -> bool:
    kinds = [part.kind for part in document.parts if part.kind in ("quoted", "body")]
    return kinds[0] == "quoted" and kinds.count("quoted") == 1


def _proofs(values: Iterable[Any]) -> Iterable[Evidence]:
    for value in values:
        facts = value if isinstance(value, tuple | list) else (value,)
        for fact in facts:
            proof = getattr(fact, "evidence", fact)
            if isinstance(proof, Evidence):
                yield proof


def _is_quoted(part: Part | None) -> bool:
    return part is not None and part.kind == "quoted"
