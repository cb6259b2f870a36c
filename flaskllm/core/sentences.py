"""Where the sentences of a text stand, in any language that has sentences.

The rules of each language (abbreviations, ordinals, full stops of other
scripts) are those of `sentencex`. Line breaks are read here, because a mail
uses them in two ways: to wrap a paragraph and to end something.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a text: code points from `start` up to, not with, `end`."""

    start: int
    end: int


# A bullet, a letter with a bracket, or a number: what opens a list item.
_MARKER = re.compile(r"\s*(?:[-*+•‣◦▪·]|\(?[a-zA-Z]\)|\(?(\d{1,3})[.)])\s+")
# Its rules see one paragraph, so that every line break is ours to judge.
_LINE_BREAK = re.compile(r"[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# "am 6. Mai": an ordinal number, which sentencex takes for an end before a comma.
# Of the languages that write so, only German has months with a capital letter.
_ORDINAL = re.compile(r"(?<!\w)\d{1,2}\.\s*$")
_MONTH = re.compile(r"(?:Jan|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez)")
# Quotation marks that never close make sentencex quadratic: 40 s for a million
# of them, 0.5 s when they come in windows of this many code points.
_WINDOW_LENGTH = 10_000


def split(text: str, language: str) -> tuple[Span, ...]:
    """Return the sentences of a text, in order, without the space around them.

    A sentence also ends at a blank line, before and after a list item, and at
    a line break that no wrapping explains. The spans are disjoint, cover
    everything but white space, and a list item's span holds its marker.

    Args:
        text: Anything; nothing is raised for any text.
        language: ISO 639-1; a language without rules of its own is split by
            the rules of English and the full stops of all scripts.

    Example:
        >>> split("Is it 5 p.m.? Yes.", "en")
        (Span(start=0, end=13), Span(start=14, end=18))
    """
    plain = _LINE_BREAK.sub(" ", _SURROGATE.sub("\ufffd", text))
    return tuple(
        span
        for block in _blocks(text)
        for piece in _sentences(plain, block, language)
        if (span := _stripped(text, piece)).start < span.end
    )


def _blocks(text: str) -> Iterator[Span]:
    """Yield the stretches that no sentence crosses: paragraphs and list items."""
    start, position, number = 0, 0, 0
    lines = text.splitlines(keepends=True)
    widths = _paragraph_widths(lines)
    for index, line in enumerate(lines):
        number, opens_item = _read_marker(line, number)
        if opens_item or (index and _break_ends(lines[index - 1], line, widths[index])):
            yield Span(start, position)
            start = position
        position += len(line)
    yield Span(start, position)


def _paragraph_widths(lines: list[str]) -> list[int]:
    """Return for each line the length of the longest line of its paragraph."""
    widths = [len(line.rstrip()) for line in lines]
    for index in range(1, len(lines)):
        if widths[index] and widths[index - 1]:
            widths[index] = max(widths[index], widths[index - 1])
    for index in range(len(lines) - 2, -1, -1):
        if widths[index] and widths[index + 1]:
            widths[index] = widths[index + 1]
    return widths


def _read_marker(line: str, number: int) -> tuple[int, bool]:
    """Return the number of the list so far, and whether an item opens here.

    A number opens an item only in its turn: "24. June" may well be where a
    wrapped line goes on.
    """
    marker = _MARKER.match(line)
    if marker is None:
        return number, False
    if marker[1] is None:
        return number, True
    found = int(marker[1])
    return (found, True) if found in (1, number + 1) else (number, False)


def _break_ends(before: str, after: str, width: int) -> bool:
    """Tell whether the break between two lines is more than wrapping.

    The first word of the next line would have fitted on the line: then
    somebody pressed the key on purpose, unless it goes on with a small letter or a
    number.
    """
    words = after.split(maxsplit=1)
    if not words or not before.strip():
        return True
    fits = len(before.rstrip()) + 1 + len(words[0]) <= width
    return fits and not (words[0][0].islower() or words[0][0].isdigit())


def _sentences(plain: str, block: Span, language: str) -> Iterator[Span]:
    """Yield the sentences of one block; together they are the block."""
    # A compiled library without types, loaded by who splits.
    from sentencex import get_sentence_boundaries  # type: ignore[import-untyped]

    marker = _MARKER.match(plain, block.start, block.end)
    start, position = block.start, marker.end() if marker else block.start
    while position < block.end:
        window = plain[position : _window_end(plain, position, block.end)]
        for boundary in get_sentence_boundaries(language, window):
            end = position + boundary["end_index"]
            if not _ends_in_ordinal(plain, start, end):
                yield Span(start, end)
                start = end
        position += len(window)
    yield Span(start, block.end)


def _ends_in_ordinal(plain: str, start: int, end: int) -> bool:
    """Tell whether what looks like an end is the full stop of "the 6th"."""
    if not (plain[end : end + 1].islower() or _MONTH.match(plain, end)):
        return False
    return _ORDINAL.search(plain, max(start, end - 8), end) is not None


def _window_end(plain: str, start: int, end: int) -> int:
    """Return where to cut: at a space when there is one in the window."""
    if end - start <= _WINDOW_LENGTH:
        return end
    space = plain.rfind(" ", start, start + _WINDOW_LENGTH)
    return space + 1 if space > start else start + _WINDOW_LENGTH


def _stripped(text: str, span: Span) -> Span:
    """Return the span without the white space at its ends."""
    piece = text[span.start : span.end]
    start = span.start + len(piece) - len(piece.lstrip())
    return Span(start, max(start, span.start + len(piece.rstrip())))
