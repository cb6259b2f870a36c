"""The visible text of HTML, as lines: what a reader sees and nothing else.

Hidden elements, comments, scripts and alternative texts of images go; each is a
way to tell a model what no reader sees. Struck-out text is marked `~~so~~`
because a stroke changes the meaning. Nothing recurses, and every step is bounded
by the input.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from flaskllm.inputs import html_elements as elements
from flaskllm.inputs.html_elements import Element, OpenElements
from flaskllm.inputs.html_page import Page, Run
from flaskllm.inputs.html_style import Look, Sheet
from flaskllm.inputs.html_tokens import Token, attributes, tokens
from flaskllm.inputs.text import Lines

# Tags beyond these are left out: a mail with more was not written by people.
MAX_TAGS = 100_000
MAX_DEPTH = 10_000

# How many different tags are remembered.
_MAX_LOOKS = 2_000


def read_html(source: str) -> Lines:
    """Return the visible lines of HTML, with their places in the source."""
    reader = _Reader()
    for token in tokens(source):
        reader.tags += token.kind in ("open", "close")
        if reader.tags > MAX_TAGS or reader.page.is_full:
            reader.page.is_cut = True
            break
        _READERS[token.kind](reader, token)
    return replace(reader.page.finish(), effort=reader.tags)


@dataclass(slots=True)
class _Reader:
    """The open elements, the style sheets and the page written so far."""

    sheet: Sheet = field(default_factory=Sheet)
    page: Page = field(default_factory=Page)
    open_elements: OpenElements = field(default_factory=OpenElements)
    looks: dict[tuple[str, str], Look] = field(default_factory=dict)
    tags: int = 0
    too_deep: int = 0

    def text(self, token: Token) -> None:
        """Write text when it can be seen, else count it."""
        element = self.open_elements.innermost
        if not element.style.visible or self.too_deep:
            self.page.hide(token.content)
            return
        run = Run(
            "",
            token.start,
            token.end,
            element.region,
            colour=None if element.is_link else element.style.striking,
            struck=element.style.struck,
        )
        self.page.write(token.content, run, preformatted=element.style.preformatted)

    def comment(self, token: Token) -> None:
        """Count what a comment says, but not what it says to Outlook only."""
        if not token.content.lstrip().lower().startswith(("[if", "[endif", "<![")):
            self.page.hide(token.content)

    def raw(self, token: Token) -> None:
        """Read a style sheet; show a text area; drop scripts and the rest."""
        if token.name == "style":
            self.sheet.read(token.content)
            self.looks.clear()
        elif token.name in ("textarea", "xmp"):
            self.text(token)

    def open(self, token: Token) -> None:
        """Enter an element."""
        self._leave(self.open_elements.ended_by_opening(token.name))
        look = self._look(token)
        self._break_before(token.name, look.css)
        if token.name in elements.VOID:
            return
        if len(self.open_elements.stack) > MAX_DEPTH:
            self.too_deep += 1
            self.page.is_cut = True
            return
        self._enter(token.name, look)

    def close(self, token: Token) -> None:
        """Leave an element and everything still open in it."""
        if token.name in ("br", "p") and not self.open_elements.places.get(token.name):
            self.page.new_line()
        elif self.too_deep:
            self.too_deep -= 1
        else:
            self._leave(self.open_elements.ended_by_closing(token.name))

    def _look(self, token: Token) -> Look:
        """Return what a tag says; mails repeat the same few tags all over."""
        key = (token.name, token.content)
        look = self.looks.get(key)
        if look is None:
            look = self.sheet.look(token.name, attributes(token.content))
            if len(self.looks) < _MAX_LOOKS:
                self.looks[key] = look
        return look

    def _enter(self, name: str, look: Look) -> None:
        parent = self.open_elements.innermost
        element = Element.inside(parent, name, look)
        region = elements.region_of(name, look)
        if region == "header":
            self.page.mark_header()
        else:
            element.region = parent.region or region
        self.open_elements.push(element)
        if name == "a" and element.style.visible:
            self.page.begin_link(look.written.get("href", ""))
        if name == "li":
            self._mark_item(parent)

    def _leave(self, ended: Iterable[Element]) -> None:
        for element in ended:
            if element.name == "a":
                self.page.end_link()
            if element.name in elements.BLOCKS:
                self.page.end_line()

    def _mark_item(self, parent: Element) -> None:
        if parent.items is None:
            self.page.marker = "- "
            return
        self.page.marker = f"{parent.items}. "
        parent.items += 1

    def _break_before(self, name: str, css: Mapping[str, str]) -> None:
        if name == "br":
            self.page.new_line()
        elif name in elements.CELLS:
            self.page.new_cell()
        elif name in elements.BLOCKS or name == "hr":
            self.page.end_line()
            if name in elements.SPACED and not css.get("margin", "").startswith("0"):
                self.page.want_gap()


_READERS = {
    "text": _Reader.text,
    "comment": _Reader.comment,
    "raw": _Reader.raw,
    "open": _Reader.open,
    "close": _Reader.close,
}
