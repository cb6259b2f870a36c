"""Plain text as lines that know where they stand, free of what nobody sees.

Zero-width, bidirectional and tag characters can hide instructions from a human
reader, split words and turn text around. They are taken out here, before
anything else looks at the text, and they are counted.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

from flaskllm.inputs.document import Notice

# What is kept of one text, in code points and in lines.
MAX_CHARACTERS = 5 * 1024 * 1024
MAX_LINES = 100_000

Region = Literal["", "quoted", "header", "signature"]

# Characters without a shape of their own: soft hyphen, fillers, joiners, marks
# of direction, annotation, shorthand and music formats, and the whole plane of
# tags and supplementary variation selectors (which can carry smuggled bytes).
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
    # One emoji selector chooses a shape; a second one in a row only hides data.
    "|(?<=[\ufe0e\ufe0f])[\ufe0e\ufe0f]"
)
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u00a0]")
_BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Text without invisible characters, and how many of them there were."""

    text: str
    removed: int


@dataclass(frozen=True, slots=True)
class Line:
    """One visible line and where it stands in the decoded source.

    `region` is what the markup says of it; plain text says nothing. `colour`
    is a striking colour of the text, or None. `continues` marks a piece that
    stands on the same visual line as the one before it.
    """

    text: str
    start: int
    end: int
    region: Region = ""
    colour: str | None = None
    continues: bool = False


@dataclass(frozen=True, slots=True)
class Lines:
    """The visible lines of one text, and what was taken out of it.

    `invisible` and `hidden` count characters, `effort` the lines and tags that
    were read. `struck` says that some text is struck out, `is_cut` that a part
    of the text is missing.
    """

    lines: tuple[Line, ...]
    invisible: int = 0
    hidden: int = 0
    struck: bool = False
    is_cut: bool = False
    effort: int = 0


def clean(text: str) -> Cleaned:
    """Return one line of text as a reader sees it.

    Invisible characters are removed and counted; control characters and
    no-break spaces become spaces, lone surrogates question marks.
    """
    if text.isascii():
        return Cleaned(_CONTROL.sub(" ", text), 0)
    text = text.encode("utf-8", errors="replace").decode("utf-8")
    visible, removed = _INVISIBLE.subn("", text)
    return Cleaned(_CONTROL.sub(" ", visible), removed)


def clean_line(text: str) -> str:
    """Return text as one clean line with single spaces: a name, a subject."""
    return " ".join(clean(text).text.split())


def read_lines(text: str) -> Lines:
    """Return the cleaned lines of decoded plain text, with their places."""
    lines: list[Line] = []
    removed = 0
    for start, end in _places(text[:MAX_CHARACTERS]):
        cleaned = clean(text[start:end])
        removed += cleaned.removed
        lines.append(Line(cleaned.text, start, end))
    is_cut = len(text) > MAX_CHARACTERS or len(lines) >= MAX_LINES
    return Lines(tuple(lines), invisible=removed, is_cut=is_cut, effort=len(lines))


def _places(text: str) -> Iterable[tuple[int, int]]:
    start = 0
    for number, match in enumerate(_BREAK.finditer(text), start=1):
        yield start, match.start()
        start = match.end()
        if number == MAX_LINES:
            return
    yield start, len(text)


def unfold(lines: Iterable[Line], *, delete_space: bool) -> tuple[Line, ...]:
    """Return format=flowed lines as the paragraphs they were (RFC 3676).

    Args:
        lines: Lines with their trailing spaces.
        delete_space: The DelSp parameter: the space at a soft break is not
            part of the text.
    """
    lines = tuple(lines)
    # A sender that never doubles the space at a break means it as a space.
    doubles = any(line.text.endswith("  ") for line in lines)
    paragraphs: list[list[Line]] = []
    depth, is_open = -1, False
    for line in lines:
        marks = len(line.text) - len(line.text.lstrip(">"))
        stuffed = line.text[marks:].removeprefix(" ")
        is_soft = stuffed.endswith(" ") and stuffed != "-- "
        is_dropped = is_soft and delete_space and (doubles or not stuffed.isascii())
        piece = stuffed[:-1] if is_dropped else stuffed
        if is_open and marks == depth and stuffed != "-- ":
            paragraphs[-1].append(replace(line, text=piece))
        else:
            prefix = ">" * marks + " " if marks else ""
            paragraphs.append([replace(line, text=prefix + piece)])
        depth, is_open = marks, is_soft
    return tuple(_paragraph(pieces) for pieces in paragraphs)


def _paragraph(pieces: list[Line]) -> Line:
    text = "".join(piece.text for piece in pieces)
    return Line(text, pieces[0].start, pieces[-1].end)


def join(lines: Iterable[Line]) -> str:
    """Return lines as one text without outer and repeated empty lines."""
    texts: list[list[str]] = []
    for line in lines:
        if line.continues and texts:
            texts[-1].append(line.text)
        else:
            texts.append([line.text])
    kept: list[str] = []
    for text in ("".join(pieces).rstrip() for pieces in texts):
        if text or (kept and kept[-1]):
            kept.append(text)
    return "\n".join(kept).strip()


def removal_notices(lines: Lines) -> list[Notice]:
    """Return a notice for each kind of text that was taken out."""
    counted = (
        ("invisible_characters_removed", "Invisible characters", lines.invisible),
        ("hidden_text_removed", "Characters of hidden text", lines.hidden),
    )
    notices = [
        Notice(code, f"{what} that were removed: {number}.")
        for code, what, number in counted
        if number
    ]
    if lines.is_cut:
        detail = "The text is very long or very deeply nested; a part was left out."
        notices.append(Notice("text_cut", detail))
    return notices
