"""Free wording of a model on the ground of a source: what of it may be said."""

from collections import Counter

from flaskllm.core import entities, numerals
from flaskllm.services.digests.ground import Ground
from flaskllm.services.digests.wording import CODE_REMOVED, clean

Counts = Counter[str]


def say(text: str, ground: Ground, counts: Counts) -> str:
    """Return free wording that is safe to show, or nothing.

    Foreign links and identifiers are taken out, numbers that the source does not
    hold are counted, and wording that repeats a code from a passage that addresses
    the machine is dropped. What is said is one line, so that it cannot pass for more
    than one fact.
    """
    wording = clean(text, ground.links)
    counts["link_not_in_source"] += wording.removed
    if repeats_order(wording.text, ground):
        counts["instruction_in_source_repeated"] += 1
        return ""
    said = wording.text
    for code in ground.unknown_codes(said):
        said = said.replace(code, CODE_REMOVED)
        counts["code_not_in_source"] += 1
    if numerals.unsupported(said, ground.numbers):
        counts["number_not_in_source"] += 1
    return " ".join(said.split())


def repeats_order(text: str, ground: Ground) -> bool:
    """Tell whether wording holds a code that only an order to the machine gave."""
    return bool(entities.code_words(text.upper()) & ground.forbidden_codes)
