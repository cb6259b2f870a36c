"""The page an HTML reader writes on: runs of text become lines."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from html import unescape
from itertools import groupby

from flaskllm.inputs.text import MAX_CHARACTERS, MAX_LINES, Line, Lines, Region, clean

# The white space that HTML collapses; a no-break space is not among it.
_SPACE = " \t\n\r\f"
# Longer addresses are tracking codes; nobody could check or type them.
_MAX_ADDRESS = 2_000
_MARK = "~"
_TILDES = re.compile("~(?=~)")
_EDGES = _MARK + "".join(filter(str.isspace, map(chr, range(0x3001))))
_SCHEMES = ("http://", "https://", "mailto:")


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one look, and its place in the source."""

    text: str
    start: int
    end: int
    region: Region = ""
    colour: str | None = None
    struck: bool = False


@dataclass(slots=True)
class _Link:
    """An open link and the text seen in it so far."""

    address: str
    texts: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Page:
    """Lines written so far, and the line that is being written.

    `marker` is the bullet or number that the next text gets. `is_cut` says
    that something was left out because the page is too long.
    """

    lines: list[Line] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    marker: str = ""
    link: _Link | None = None
    wants_gap: bool = False
    is_header: bool = False
    is_cut: bool = False
    invisible: int = 0
    hidden: int = 0
    struck: bool = False
    characters: int = 0

    @property
    def is_full(self) -> bool:
        """Whether the page holds as much as is read."""
        return self.characters > MAX_CHARACTERS or len(self.lines) > MAX_LINES

    def hide(self, text: str) -> None:
        """Count text that no reader sees."""
        self.hidden += sum(map(len, unescape(text).split()))

    def write(self, text: str, run: Run, *, preformatted: bool) -> None:
        """Add text in the look and at the place of an empty run."""
        visible = unescape(text).replace("\r\n", "\n")
        pieces = visible.split("\n") if preformatted else [_collapsed(visible)]
        for number, piece in enumerate(pieces):
            if number:
                self.new_line()
            self._add(piece, run, preformatted=preformatted)

    def _add(self, text: str, run: Run, *, preformatted: bool) -> None:
        cleaned = clean(text.replace("\u00a0", "\u2007"))
        visible = cleaned.text
        at_start = not self.runs or self.runs[-1].text.endswith(" ")
        if at_start and not preformatted:
            visible = visible.lstrip(" ")
        self.invisible += cleaned.removed
        if not visible:
            return
        if self.marker and visible.strip():
            self.runs.append(replace(run, text=self.marker, struck=False))
            self.marker = ""
        if self.link is not None:
            self.link.texts.append(visible)
        self.struck = self.struck or run.struck
        self.characters += len(visible)
        self.runs.append(replace(run, text=visible))

    def begin_link(self, address: str) -> None:
        """Remember where a link leads; its text follows."""
        self.link = _Link("".join(clean(address).text.split()))

    def end_link(self) -> None:
        """Add the address of the link where its text does not show it."""
        link, self.link = self.link, None
        text = "".join(link.texts).strip() if link else ""
        if link is None or not text or not self.runs:
            return
        address = _shown_address(link.address, text)
        if address:
            last = self.runs[-1]
            self.runs.append(replace(last, text=f" <{address}>", struck=False))

    def mark_header(self) -> None:
        """Let the next line with text be the header of an earlier mail."""
        self.is_header = True

    def want_gap(self) -> None:
        """Leave a line empty before the next line."""
        self.wants_gap = True

    def new_cell(self) -> None:
        """Keep the cells of a row apart."""
        if self.runs and not self.runs[-1].text.endswith(" "):
            self.runs.append(replace(self.runs[-1], text=" ", struck=False))

    def new_line(self) -> None:
        """End the line, also when it is empty."""
        if self.runs:
            self.end_line()
        elif self.lines:
            self._blank()

    def end_line(self) -> None:
        """End the line unless nothing is written on it."""
        if not self.runs:
            return
        if not any(run.text.strip() for run in self.runs):
            self.runs = []
            self._blank()
            return
        if self.wants_gap and self.lines:
            self._blank()
        self.wants_gap = False
        self.lines.extend(self._pieces())
        self.runs = []

    def _blank(self) -> None:
        last = self.lines[-1] if self.lines else None
        if last is not None and last.text:
            region: Region = "" if last.region == "header" else last.region
            self.lines.append(Line("", last.end, last.end, region))

    def _pieces(self) -> list[Line]:
        """Return the line, cut where a striking colour begins or ends."""
        pieces: list[Line] = []
        for colour, group in groupby(_marked(self.runs), key=lambda run: run.colour):
            runs = list(group)
            text = "".join(run.text for run in runs).replace("\u2007", " ")
            region: Region = "header" if self.is_header else runs[0].region
            pieces.append(
                Line(text, runs[0].start, runs[-1].end, region, colour, bool(pieces))
            )
            self.is_header = False
        return pieces

    def finish(self) -> Lines:
        """Return everything written."""
        self.end_link()
        self.end_line()
        return Lines(
            tuple(self.lines), self.invisible, self.hidden, self.struck, self.is_cut
        )


def _collapsed(text: str) -> str:
    """Return text with runs of HTML's white space as single spaces."""
    for character in _SPACE[1:]:
        text = text.replace(character, " ")
    words = text.split(" ")
    lead = " " if text.startswith(" ") else ""
    tail = " " if len(text) > 1 and text.endswith(" ") else ""
    inner = " ".join(word for word in words if word)
    return f"{lead}{inner}{tail}" if inner else lead


def _marked(runs: Iterable[Run]) -> list[Run]:
    """Return the runs of a line with marks around what is struck out.

    Runs of one look become one. A mark touches no letter and no tilde outside of it:
    that tells it from tildes that somebody typed.
    """
    marked: list[Run] = []
    for (struck, _), group in groupby(runs, key=lambda run: (run.struck, run.colour)):
        same = list(group)
        text = "".join(run.text for run in same)
        text = _struck(text) if struck else text
        if marked and (struck or marked[-1].struck):
            sides = marked[-1].text[-1:], text[:1]
            text = f" {text}" if _MARK in sides and _touch(*sides) else text
        marked.append(replace(same[0], text=text, end=same[-1].end))
    return marked


def _touch(before: str, after: str) -> bool:
    return all(side == _MARK or side.isalnum() for side in (before, after))


def _struck(text: str) -> str:
    """Return text between marks; the tildes at its ends stay outside of them."""
    core = text.strip(_EDGES)
    if not core:
        return text
    start = len(text) - len(text.lstrip(_EDGES))
    before, after = text[:start], text[start + len(core) :]
    before += " " * before.endswith(_MARK)
    after = " " * after.startswith(_MARK) + after
    return f"{before}~~{_TILDES.sub('~ ', core)}~~{after}"


def _shown_address(address: str, text: str) -> str:
    """Return the address to show after a link's text, or nothing."""
    if not address.lower().startswith(_SCHEMES) or len(address) > _MAX_ADDRESS:
        return ""
    if address.lower().startswith("mailto:"):
        address = address[7:].partition("?")[0]
    safe = address.replace("<", "%3C").replace(">", "%3E")
    return "" if _plain(safe) in _plain(text) else safe


def _plain(address: str) -> str:
    bare = address.lower().removeprefix("https://").removeprefix("http://")
    return bare.removeprefix("www.").rstrip("/")
