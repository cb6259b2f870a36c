"""A long document in pieces: cut where turns, messages or sentences end.

A piece is a list of stretches of parts under their own ids, so that what a model
says of a piece is checked against the whole document. Pure.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby
from typing import Any

from flaskllm.core.sentences import split
from flaskllm.inputs.document import Part
from flaskllm.services.digests.ground import Ground

Count = Callable[[str], int]
"""Returns about how many tokens a text takes."""

_MOST_REPEATED = 3
# No more of a piece than this share repeats what the piece before it held.
_REPEATED_SHARE = 8
# A part that is longer is cut into units of this share of a piece.
_UNIT_SHARE = 8
_BETWEEN_PARTS = 2


@dataclass(frozen=True, slots=True)
class Stretch:
    """Code points `start` up to, not with, `end` of the text of part `part`."""

    part: str
    start: int
    end: int


Piece = tuple[Stretch, ...]


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is not cut any more, and how many tokens it takes."""

    stretch: Stretch
    tokens: int


def whole(ground: Ground) -> Piece:
    """Return the piece that is all of a document."""
    return tuple(Stretch(p.id, 0, len(p.text)) for p in ground.document.parts)


def cut(
    ground: Ground, most_tokens: int, count: Count, *, repeats: bool
) -> tuple[Piece, ...]:
    """Return the pieces of a document, in order; together they hold all of it.

    A part is cut only where it alone is too long: at the ends of sentences, and
    within one only where that is too long as well.

    Args:
        ground: The document.
        most_tokens: How many tokens a piece may take as a model reads it, > 0.
        count: Counts them.
        repeats: Whether each piece begins with up to three turns, messages or
            sentences of the one before, at most an eighth of it.
    """
    units = [
        unit
        for part in ground.document.parts
        for unit in _units(ground, part, most_tokens, count)
    ]
    pieces = _pack(units, most_tokens, _MOST_REPEATED if repeats else 0)
    return tuple(tuple(_joined(unit.stretch for unit in piece)) for piece in pieces)


def show(ground: Ground, piece: Piece) -> Ground:
    """Return the ground of one piece, as it is shown to a model.

    Parts keep their ids; what was flagged stays flagged. Offsets count from the
    beginning of a stretch: nothing is proved on it.
    """
    is_as_long = len(piece) == len(ground.document.parts)
    if is_as_long and piece == whole(ground):
        return ground
    parts = {part.id: part for part in ground.document.parts}
    return _with(ground, [(parts[each.part], each) for each in piece])


def to_json(pieces: Iterable[Piece]) -> list[Any]:
    """Return pieces as plain JSON."""
    return [[[s.part, s.start, s.end] for s in piece] for piece in pieces]


def from_json(told: Iterable[Any]) -> tuple[Piece, ...]:
    """Read what `to_json` wrote."""
    return tuple(tuple(Stretch(*each) for each in piece) for piece in told)


def characters_of(piece: Piece) -> int:
    """Return how many characters of the document a piece holds."""
    return sum(stretch.end - stretch.start for stretch in piece)


def is_continued(piece: Piece) -> bool:
    """Tell whether a piece begins within a part."""
    return bool(piece) and piece[0].start > 0


def _units(
    ground: Ground, part: Part, most_tokens: int, count: Count
) -> Iterator[_Unit]:
    everything = Stretch(part.id, 0, len(part.text))
    tokens = _tokens(ground, part, everything, count)
    if tokens <= most_tokens:
        yield _Unit(everything, tokens)
        return
    most = max(1, most_tokens // _UNIT_SHARE)
    language = ground.source_language or ground.language
    for start, end in _grouped(part.text, language, most, count):
        stretch = Stretch(part.id, start, end)
        yield _Unit(stretch, _tokens(ground, part, stretch, count))


def _grouped(
    text: str, language: str, most: int, count: Count
) -> Iterator[tuple[int, int]]:
    """Yield spans of whole sentences that cover the text; one is never empty."""
    begins = (span.start for span in split(text, language))
    borders = sorted({0, *begins, len(text)})
    start = end = 0
    for border in borders[1:]:
        if end > start and count(text[start:border]) > most:
            yield from _halved(text, start, end, most, count)
            start = end
        end = border
    yield from _halved(text, start, end, most, count)


def _halved(
    text: str, start: int, end: int, most: int, count: Count
) -> Iterator[tuple[int, int]]:
    """Yield a span, in halves as long as one is too long: at a space if there is."""
    if end - start < 2 or count(text[start:end]) <= most:
        if end > start:
            yield start, end
        return
    middle = (start + end) // 2
    space = text.rfind(" ", start + 1, middle)
    middle = space + 1 if space > (start + middle) // 2 else middle
    yield from _halved(text, start, middle, most, count)
    yield from _halved(text, middle, end, most, count)


def _tokens(ground: Ground, part: Part, stretch: Stretch, count: Count) -> int:
    return count(_with(ground, [(part, stretch)]).rendered()) + _BETWEEN_PARTS


def _with(ground: Ground, shown: Iterable[tuple[Part, Stretch]]) -> Ground:
    """Return the ground with these stretches of parts alone."""
    parts, flagged = [], {}
    for part, stretch in shown:
        start, end = stretch.start, stretch.end
        parts.append(replace(part, text=part.text[start:end]))
        flagged[part.id] = tuple(
            (max(first, start) - start, min(last, end) - start)
            for first, last in ground.flagged.get(part.id, ())
            if first < end and last > start
        )
    document = replace(ground.document, parts=tuple(parts))
    return replace(ground, document=document, flagged=flagged, days={})


def _pack(
    units: Sequence[_Unit], most_tokens: int, most_repeated: int
) -> Iterator[list[_Unit]]:
    """Yield the units in full pieces."""
    piece: list[_Unit] = []
    taken = fresh = 0
    for unit in units:
        if fresh and taken + unit.tokens > most_tokens:
            yield piece
            piece = _repeated(piece, most_repeated, most_tokens, unit.tokens)
            taken, fresh = sum(each.tokens for each in piece), 0
        piece.append(unit)
        taken, fresh = taken + unit.tokens, fresh + 1
    if fresh:
        yield piece


def _repeated(
    piece: Sequence[_Unit], most: int, most_tokens: int, coming: int
) -> list[_Unit]:
    """Return the last units of a piece, as far as they leave room for the next one."""
    room = min(most_tokens // _REPEATED_SHARE, most_tokens - coming)
    behind = piece[:-1] if len(piece) == 1 else piece[1:]
    last = list(reversed(behind))[:most]
    sums = accumulate(unit.tokens for unit in last)
    kept = sum(1 for tokens in sums if tokens <= room)
    return list(reversed(last[:kept]))


def _joined(stretches: Iterable[Stretch]) -> Iterator[Stretch]:
    """Yield stretches, neighbours in the same part as one."""
    for part, group in groupby(stretches, key=lambda each: each.part):
        several = list(group)
        yield Stretch(part, several[0].start, several[-1].end)
