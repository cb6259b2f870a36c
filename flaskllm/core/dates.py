"""Days in words: where a text names them, and which days the words can mean.

Words are resolved to a set of days, never to one guess: "Friday" said on a Friday is
today or in a week. A date that somebody derived from words is right when it is
in the set.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice

from flaskllm.core.date_calendar import possible_days
from flaskllm.core.date_clues import gather
from flaskllm.core.date_lexicon import lexicon
from flaskllm.core.date_parts import Part, parts
from flaskllm.core.date_tokens import Token, read

# They end the words of a day.
_BOUNDS = frozenset({"unknown", "stop", "not"})
# Of all that says something, these do not belong to the words of a day by themselves.
_SAYING = frozenset(
    {"weekday", "month", "day", "year", "dates", "offset", "dawn", "turn", "edge"}
    | {"unit", "length", "counted", "quarter", "week", "week_number", "nth", "time"}
    | {"ago", "before"}
)
_LONG_UNITS = frozenset({"week", "weekend", "month", "quarter", "year"})
_PREPOSITIONS = frozenset({"link", "in", "before"})
_FIRST_SURE_ORDINAL = 4
# Nobody says one day in so many words; it bounds the time.
_MOST_TOKENS = 64
_WORD_FOLLOWS = re.compile(r"\s+\w")


@dataclass(frozen=True, slots=True)
class DateMention:
    """Words for a day: code points from `start` up to, not with, `end`."""

    start: int
    end: int
    text: str


def find(text: str, language: str | None = None) -> tuple[DateMention, ...]:
    """Return where a text names days, in order, without prepositions.

    Only words that hardly mean anything else: "May fourth", not "you may".

    Args:
        text: Running text; 100,000 words take about a second.
        language: ISO 639-1; its words and the English ones are known. None stands
            for all languages.
    """
    mentions: list[DateMention] = []
    for group in _groups(read(text, lexicon(language, only=True))):
        for part in _certain_parts(group, text):
            start = min(token.start for token in part)
            end = max(token.end for token in part)
            mentions.append(DateMention(start, end, text[start:end]))
    return tuple(mentions)


def resolve(
    words: str, reference: datetime, language: str | None = None
) -> frozenset[date]:
    """Return every day that the words can mean, seen from the reference.

    None when they are not understood or contradict each other ("Friday 12 June" in a
    year when that is no Friday). Days that the words exclude ("after Friday") are
    not among them. Only the first 64 words are read.

    Args:
        words: What was said: "by Friday", "den neunzehnten", "6/24/2026".
        reference: When it was said; days are counted in its own zone.
        language: ISO 639-1, or None to read the words in all languages.

    Example:
        >>> resolve("next week Friday", datetime(2026, 3, 10, 9, 30))
        frozenset({datetime.date(2026, 3, 20)})
    """
    told = gather(tuple(islice(read(words, lexicon(language)), _MOST_TOKENS)))
    return frozenset[date]().union(*(possible_days(day, reference) for day in told))


def _groups(tokens: Iterable[Token]) -> Iterator[list[Token]]:
    """Yield the runs of tokens between words that say nothing of days.

    Each begins with the token before it, unless the text begins there.
    """
    group: list[Token] = []
    for token in tokens:
        if token.kind in _BOUNDS or len(group) > _MOST_TOKENS:
            yield group
            group = []
        group.append(token)
    yield group


def _certain_parts(group: Sequence[Token], text: str) -> Iterator[list[Token]]:
    """Yield the words of each day; "3-6 April" in one, as neither stands alone."""
    said = [_said(part) for part in parts(group)]
    telling = [tokens for tokens in said if tokens]
    certain = [tokens for tokens in telling if _is_certain(tokens, group, text)]
    bare = [tokens for tokens in telling if {token.kind for token in tokens} == {"day"}]
    if certain and bare and len(certain) + len(bare) == len(telling):
        yield [token for tokens in telling for token in tokens]
    else:
        yield from certain


def _said(part: Part) -> list[Token]:
    """Return the tokens without those at the ends that say nothing by themselves."""
    kinds = {token.kind for token in part.tokens}
    saying = _SAYING | {"in"} if "length" in kinds else _SAYING
    places = [place for place, token in enumerate(part.tokens) if token.kind in saying]
    if not places:
        return []
    last = places[-1] + 1
    # "Two o'clock": the hour was a number, and its clock says nothing else.
    ends_with_clock = part.tokens[last : last + 1] and part.tokens[last].kind == "clock"
    return list(part.tokens[places[0] : last + bool(ends_with_clock)])


def _is_certain(tokens: Sequence[Token], group: Sequence[Token], text: str) -> bool:
    """Tell whether these words hardly mean anything but a day."""
    kinds = {token.kind for token in tokens}
    sure = {token.kind for token in tokens if not token.weak}
    strong = {token.kind for token in tokens if not (token.weak or token.abbreviated)}
    units = {token.unit for token in tokens if token.kind == "unit"}
    introduced = _is_introduced(tokens, group)
    rules = (
        strong & {"dates", "offset", "week_number", "quarter"},
        kinds >= {"dates"} and (introduced or "weekday" in kinds),
        sure >= {"weekday"} and (introduced or "time" in kinds),
        kinds >= {"dawn"} and _is_tomorrow(tokens, group, text),
        kinds >= {"length"} and kinds & {"in", "ago"},
        units & _LONG_UNITS and kinds & {"turn", "edge"},
        "weekend" in units,
        kinds >= {"month"} and ("month" in strong or kinds & {"day", "year", "edge"}),
        kinds >= {"weekday"} and ("weekday" in strong or kinds & {"day", "month"}),
        kinds >= {"year", "edge"},
        kinds >= {"day"} and introduced and _stands_for_a_day(tokens, text),
    )
    return any(rules)


def _is_introduced(tokens: Sequence[Token], group: Sequence[Token]) -> bool:
    """Tell whether a preposition leads to the words, with or without an article."""
    start = tokens[0].start
    before = [token.kind for token in group if token.end <= start]
    while before and before[-1] == "article":
        before.pop()
    return bool(before) and before[-1] in _PREPOSITIONS


def _is_tomorrow(tokens: Sequence[Token], group: Sequence[Token], text: str) -> bool:
    """Tell "morgen" from "Guten Morgen": a noun has its capital letter."""
    starts_sentence = group[0].kind != "unknown"
    dawn = next(token for token in tokens if token.kind == "dawn")
    return starts_sentence or not text[dawn.start].isupper()


def _stands_for_a_day(tokens: Sequence[Token], text: str) -> bool:
    """Tell "on the sixteenth, we" from "on the sixteenth floor" and "the second"."""
    start, end = tokens[0].start, max(token.end for token in tokens)
    is_sure = text[start].isdigit() or tokens[0].value >= _FIRST_SURE_ORDINAL
    return is_sure and not _WORD_FOLLOWS.match(text, end)
