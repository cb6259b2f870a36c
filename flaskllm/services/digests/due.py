"""Due dates and dates: whether a day follows from the words of the source."""

from datetime import date

from flaskllm.core import dates
from flaskllm.services.digests.evidence import proving_part
from flaskllm.services.digests.ground import Ground
from flaskllm.services.digests.strokes import unstruck
from flaskllm.services.digests.types import Evidence

_Days = frozenset[date]


def check_due(
    claim: str | None, words: str | None, evidence: Evidence, ground: Ground
) -> tuple[str | None, bool]:
    """Return the due date that holds, and whether the claim did.

    The nearest words decide: those of the quote; else the words that the model
    names; else those of the quoted part. Without a claim, named words that can
    mean one day only give that day.

    Args:
        claim: What the model says, an ISO date or None.
        words: The words that the model names, found in the quoted part.
        evidence: Where the fact stands.
        ground: Gives the reference time and the language of the words.
    """
    named = _days(words, ground) if words else _Days()
    quoted = _days_in(evidence.quote, ground)
    if claim is None:
        return _only(named), True
    if words and words in " ".join(evidence.quote.split()):
        quoted = named or quoted
    said = quoted or named or _days_around(evidence, ground)
    holds = _parse(claim) in said
    return (claim if holds else None), holds


def check_date(
    claim: str | None, words: str | None, quote: str, ground: Ground
) -> tuple[str | None, bool]:
    """Return the date that the quote's words can mean, and whether the claim did.

    Without a claim, words that can mean one day only give that day.

    Args:
        claim: What the model says, an ISO date or None.
        words: The words that the model names, found in the source.
        quote: The quote of the fact.
        ground: Gives the reference time and the language of the words.
    """
    if claim is None:
        return _only(_days(words, ground) if words else _days_in(quote, ground)), True
    holds = _parse(claim) in _days_in(quote, ground)
    return (claim if holds else None), holds


def _days_around(evidence: Evidence, ground: Ground) -> _Days:
    """Return the days that the quoted part names; each part is read once."""
    part = proving_part(evidence, ground)
    if part is None:
        return _Days()
    if part.id not in ground.days:
        ground.days[part.id] = _days_in(ground.live[part.id], ground)
    return ground.days[part.id]


def _days(words: str, ground: Ground) -> _Days:
    return dates.resolve(words, ground.reference, ground.source_language)


def _days_in(text: str, ground: Ground) -> _Days:
    mentions = dates.find(unstruck(text), ground.source_language)
    return _Days().union(*(_days(mention.text, ground) for mention in mentions))


def _only(days: _Days) -> str | None:
    return next(iter(days)).isoformat() if len(days) == 1 else None


def _parse(iso: str) -> date | None:
    try:
        return date.fromisoformat(iso)
    except ValueError:
        return None
