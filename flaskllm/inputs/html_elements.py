"""Which elements HTML has, how they end, and what mail programs mean by them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from flaskllm.inputs.html_style import Look, Style, inherit
from flaskllm.inputs.text import Region


def _names(names: str) -> frozenset[str]:
    return frozenset(names.split())


VOID = _names("area base br col embed hr img input link meta source track wbr")
_NEVER_SHOWN = _names("template datalist audio video canvas object")
CELLS = _names("td th")
BLOCKS = _names(
    "address article aside blockquote body center dd details dialog dir div dl dt "
    "fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 header hgroup html li "
    "main menu nav ol optgroup option p pre section summary table tbody tfoot thead "
    "tr ul textarea xmp caption"
)
SPACED = _names("p h1 h2 h3 h4 h5 h6 blockquote ul ol dl table pre")
_FORMATTING = _names("a b big code em font i nobr s small strike strong tt u")
_TABLE_PARTS = _names("table tbody thead tfoot tr td th caption")

# What an end tag cannot reach through, as in a browser: the elements between
# which a table is drawn. Ends of the table's own elements reach up to the table.
_BORDERS = ("table", "td", "th", "caption", "object", "template")
_PARAGRAPH_BORDERS = (*_BORDERS, "button")

# Opening one of these ends the open elements in the first list, but not through
# those in the second.
_ENDS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "li": (("li",), ("ul", "ol", "menu", "dir", *_BORDERS)),
    "dt": (("dt", "dd"), ("dl", *_BORDERS)),
    "dd": (("dt", "dd"), ("dl", *_BORDERS)),
    "td": (("td", "th"), ("table",)),
    "th": (("td", "th"), ("table",)),
    "tr": (("tr",), ("table",)),
    "tbody": (("tbody", "thead", "tfoot"), ("table",)),
    "option": (("option",), ("select", *_BORDERS)),
}

_QUOTED_CLASSES = _names(
    "gmail_attr moz-cite-prefix yahoo_quoted protonmail_quote zmail_extra"
)
_HEADER_IDS = _names(
    "divrplyfwdmsg x_divrplyfwdmsg appendonsend olk_src_body_section "
    "mail-editor-reference-message-container"
)
_SIGNATURE_CLASSES = _names("gmail_signature moz-signature")
_SIGNATURE_IDS = _names(
    "signature x_signature applemailsignature ms-outlook-mobile-signature"
)
_OUTLOOK_RULE = re.compile(
    r"solid #?(?:e1e1e1|b5c4df|cccccc) 1\.0pt|1pt solid #?e1e1e1"
)
_TRACKING_SIZES = frozenset({"0", "1", "0px", "1px"})
# How many elements may be styled anew when a mark of format ends inside them.
_MAX_LIFTED = 64


@dataclass(slots=True)
class Element:
    """An open element. `items` is the next number of a numbered list."""

    name: str
    style: Style
    look: Look = field(default_factory=Look)
    region: Region = ""
    is_link: bool = False
    items: int | None = None

    @classmethod
    def inside(cls, parent: "Element", name: str, look: Look) -> "Element":
        """Return the element a tag opens inside another."""
        return cls(
            name,
            _style(parent.style, name, look),
            look,
            parent.region,
            is_link=parent.is_link or name == "a",
            items=_first_number(name, look.written),
        )


@dataclass(slots=True)
class OpenElements:
    """The open elements, innermost last, and where each name stands among them.

    The places make every question of reach one look-up: a search through the
    stack would take quadratic time on tags that never close.
    """

    stack: list[Element] = field(default_factory=lambda: [Element("", Style())])
    places: dict[str, list[int]] = field(default_factory=dict)
    blocks: list[int] = field(default_factory=list)

    @property
    def innermost(self) -> Element:
        """The element that text is in now."""
        return self.stack[-1]

    def push(self, element: Element) -> None:
        """Open an element."""
        self.places.setdefault(element.name, []).append(len(self.stack))
        if _is_block(element.name):
            self.blocks.append(len(self.stack))
        self.stack.append(element)

    def ended_by_opening(self, name: str) -> Iterator[Element]:
        """Close and yield the elements that an opening tag ends by itself."""
        if name in BLOCKS and self._reaches("p", _PARAGRAPH_BORDERS):
            yield from self._pop_to("p")
        names, borders = _ENDS.get(name, ((), ()))
        for open_name in names:
            if self._reaches(open_name, borders):
                yield from self._pop_to(open_name)

    def ended_by_closing(self, name: str) -> Iterator[Element]:
        """Close and yield the elements that a closing tag ends, if any."""
        if not self._may_close(name):
            return
        if name in _FORMATTING and self.blocks and self.blocks[-1] > self._place(name):
            yield from self._lift(name)
        else:
            yield from self._pop_to(name)

    def _lift(self, name: str) -> Iterator[Element]:
        """Close a mark of format around the blocks in it, which stay open.

        A block that hides its text goes on hiding it, as in a browser.
        """
        at = self._place(name)
        if len(self.stack) - at > _MAX_LIFTED:
            return
        element = self.stack[at]
        self.places[name].pop()
        self.places.setdefault("", []).append(at)
        self.stack[at] = replace(self.stack[at - 1], name="")
        for index in range(at + 1, len(self.stack)):
            inner, parent = self.stack[index], self.stack[index - 1]
            inner.style = _style(parent.style, inner.name, inner.look)
            inner.is_link = parent.is_link or inner.name == "a"
        yield element

    def _may_close(self, name: str) -> bool:
        if name in _TABLE_PARTS:
            return self._reaches(name, () if name == "table" else ("table",))
        if not self._reaches(name, _BORDERS):
            return False
        # An inline end does not end a block around it; marks of format do.
        is_inside = not self.blocks or self._place(name) > self.blocks[-1]
        return name in BLOCKS or name in _FORMATTING or is_inside

    def _place(self, name: str) -> int:
        places = self.places.get(name)
        return places[-1] if places else -1

    def _reaches(self, name: str, borders: tuple[str, ...]) -> bool:
        place = self._place(name)
        return place >= 0 and all(place > self._place(border) for border in borders)

    def _pop_to(self, name: str) -> Iterator[Element]:
        for _ in range(self._place(name), len(self.stack)):
            element = self.stack.pop()
            self.places[element.name].pop()
            if _is_block(element.name):
                self.blocks.pop()
            yield element


def _is_block(name: str) -> bool:
    return name in BLOCKS or name in CELLS


def region_of(name: str, look: Look) -> Region:
    """Return what a mail program says about an element by its markup."""
    written, css = look.written, look.css
    classes = set(written.get("class", "").lower().split())
    identity = written.get("id", "").lower()
    if identity in _HEADER_IDS or _is_outlook_header(css):
        return "header"
    if classes & _QUOTED_CLASSES or (name == "blockquote" and _is_quote(css)):
        return "quoted"
    if classes & _SIGNATURE_CLASSES or identity in _SIGNATURE_IDS:
        return "signature"
    return ""


def _is_outlook_header(css: Mapping[str, str]) -> bool:
    """Outlook draws a line above the header of the mail that is answered."""
    padding = css.get("padding", "")
    return padding.startswith(("3.0pt 0", "3pt 0")) and bool(
        _OUTLOOK_RULE.search(css.get("border-top", ""))
    )


def _is_quote(css: Mapping[str, str]) -> bool:
    """Mail programs also indent with a block quote; then it has no border."""
    border = css.get("border", "")
    return not border.startswith(("none", "0")) or "border-left" in css


def _style(parent: Style, name: str, look: Look) -> Style:
    style = inherit(parent, name, look)
    if style.hidden or not _is_never_shown(name, look.written):
        return style
    return replace(style, hidden=True)


def _is_never_shown(name: str, written: Mapping[str, str]) -> bool:
    """Tell whether an element shows nothing: by its kind, or one pixel large."""
    sizes = {written.get("width"), written.get("height")}
    return name in _NEVER_SHOWN or (not _is_block(name) and sizes <= _TRACKING_SIZES)


def _first_number(name: str, written: Mapping[str, str]) -> int | None:
    if name != "ol":
        return None
    start = written.get("start", "")
    return int(start) if re.fullmatch(r"[0-9]{1,6}", start) else 1
