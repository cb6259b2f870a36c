"""Due dates and dates: whether a day follows from the words of the source.

Where words for a day are named, the whole mention of a day that they stand in counts:
"by Wednesday" within "by Wednesday 14 October" means that one Wednesday.
"""

import re
from datetime import date
from itertools import islice

from flaskllm.core import dates
from flaskllm.services.digests.evidence import proving_part
from flaskllm.services.digests.ground import Ground
from flaskllm.services.digests.instructions import Span
from flaskllm.services.digests.strokes import unstruck
from flaskllm.services.digests.types import Evidence

_Days = frozenset[date]

_WORD = re.compile(r"\w")
_FIRST_WORD = re.compile(r"\A\S+")
_LAST_WORD = re.compile(r"(?<!\S)\S+\Z")
# Nobody names one day in more characters; it bounds the time.
_REACH = 80
# The same words stand in a part more often only in lists.
_MOST_PLACES = 20


def check_due(
    claim: str | None, words: str | None, evidence: Evidence, ground: Ground
) -> tuple[str | None, bool]:
    """Return the due date that holds, and whether the claim did.

    The nearest words decide: those of the quote, of which the model may name the
    mention; else the words that the model names; else those of the quoted part.
    Without a claim, named words that can mean one day only give that day, unless
    the quote names others.

    Args:
        claim: What the model says, an ISO date or None.
        words: The words that the model names, found in the quoted part.
        evidence: Where the fact stands.
        ground: Gives the reference time and the language of the words.
    """
    quoted = _days_of_quote(evidence, ground)
    named = _days_of_words(words, evidence, ground) if words else None
    if named is not None:
        quoted = named or quoted
    elif words:
        named = _days_in_part(words, evidence, ground)
    if claim is None:
        contradicts = bool(quoted and named) and not (quoted & (named or _Days()))
        return (None if contradicts else _only(named or _Days())), not contradicts
    said = quoted or named or _days_around(evidence, ground)
    holds = _parse(claim) in said
    return (claim if holds else None), holds


def check_date(
    claim: str | None, words: str | None, evidence: Evidence, ground: Ground
) -> tuple[str | None, bool]:
    """Return the date that the quote's words can mean, and whether the claim did.

    Without a claim, words that can mean one day only give that day.

    Args:
        claim: What the model says, an ISO date or None.
        words: The words that the model names, found in the source.
        evidence: Where the fact stands.
        ground: Gives the reference time and the language of the words.
    """
    quoted = _days_of_quote(evidence, ground)
    if claim is None:
        named = _days_of_words(words, evidence, ground) if words else quoted
        if words and named is None:
            named = _days_in_part(words, evidence, ground)
        return _only(named or _Days()), True
    holds = _parse(claim) in quoted
    return (claim if holds else None), holds


def _days_of_quote(evidence: Evidence, ground: Ground) -> _Days:
    """Return the days that a quote names, in mentions that it may cut."""
    text, (start, end) = _told_in(evidence, ground)
    mentions = dates.find(text, ground.source_language)
    touched = (each for each in mentions if each.start < end and start < each.end)
    return _Days().union(*(_days(each.text, ground) for each in touched))


def _days_of_words(words: str, evidence: Evidence, ground: Ground) -> _Days | None:
    """Return the days of words within a quote, None where it does not hold them."""
    text, (start, end) = _told_in(evidence, ground)
    places = [
        (first, last)
        for first, last in _find_places(words, text)
        if start <= first and last <= end
    ]
    if not places:
        return None
    return _Days().union(*(_days_of_mention(text, each, ground) for each in places))


def _days_in_part(words: str, evidence: Evidence, ground: Ground) -> _Days:
    """Return the days of words that stand somewhere in the quoted part."""
    part = proving_part(evidence, ground)
    text = ground.live[part.id] if part else words
    near = [_surround(text, place) for place in _find_places(words, text)]
    if not near:
        return _days(words, ground)
    return _Days().union(*(_days_of_mention(*each, ground) for each in near))


def _find_places(words: str, text: str) -> list[Span]:
    """Return where words stand in a text, whatever white space is between them."""
    written = r"\s+".join(map(re.escape, words.split()))
    found = re.finditer(rf"(?<!\w){written}(?!\w)", text)
    return [each.span() for each in islice(found, _MOST_PLACES)]


def _days_of_mention(text: str, place: Span, ground: Ground) -> _Days:
    """Return the days of words with the mentions that they are a part of."""
    start, end = place
    mentions = dates.find(text, ground.source_language)
    touched = [each for each in mentions if each.start < end and start < each.end]
    first = min((start, *(each.start for each in touched)))
    last = max((end, *(each.end for each in touched)))
    return _days(text[first:last], ground)


def _told_in(evidence: Evidence, ground: Ground) -> tuple[str, Span]:
    """Return a text without strokes, and where the quote stands in it."""
    part, start = proving_part(evidence, ground), evidence.offset
    if part is not None and start is not None:
        place = (start, start + (evidence.length or 0))
        live = ground.live[part.id]
        if _WORD.search(live[slice(*place)]):
            return _surround(live, place)
    quote = unstruck(evidence.quote)
    return quote, (0, len(quote))


def _surround(text: str, place: Span) -> tuple[str, Span]:
    """Return words with what stands around them in their line, and their place in it.

    Lines of a list tell of different days; no word is cut.
    """
    start, end = place
    before = text[max(0, start - _REACH) : start].rpartition("\n")[2]
    after = text[end : end + _REACH].partition("\n")[0]
    if len(before) == _REACH:
        before = _FIRST_WORD.sub("", before)
    if len(after) == _REACH:
        after = _LAST_WORD.sub("", after)
    first = len(before)
    return before + text[start:end] + after, (first, first + end - start)


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
