"""What a browser would show of an element: enough of CSS to know what is hidden.

Read are inline styles and the simple rules of style sheets (`p`, `.x`, `p.x`,
`#x`). Rules inside at-rules and longer selectors are left out: they may not hold
for the reader, and a wrong guess would lose visible text.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from flaskllm.inputs import html_colours
from flaskllm.inputs.html_colours import Colour

_MAX_SHEET_CHARACTERS = 200_000
_CSS_COMMENT = re.compile(r"/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)|<!--|-->")
_CSS_BLOCK = re.compile(r"([^{}]*+)([{}])")
_SELECTOR = re.compile(r"([a-z][a-z0-9]*)?([.#][\w-]+)?", re.IGNORECASE)
_LENGTH = re.compile(r"(-?\d{0,6}(?:\.\d{1,6})?)(px|pt|em|rem|%|cm|in|mm|ex|vw)?")
_COLOUR_TOKEN = re.compile(r"#[0-9a-f]{3,8}\b|rgba?\([^)]{0,60}\)|[a-z]+")
_PIXELS = {"px": 1.0, "pt": 4 / 3, "cm": 37.8, "in": 96.0, "mm": 3.78, "": 1.0}

# Smaller text than this is there to be found by machines only (2 pt = 2.7 px).
_SMALLEST_PIXELS = 3.0
# Further out than any page begins.
_OFF_SCREEN_PIXELS = -400.0


@dataclass(frozen=True, slots=True)
class Style:
    """How text in an element looks. `background` None means: not known."""

    hidden: bool = False
    font_pixels: float = 16.0
    colour: Colour | None = (0, 0, 0)
    background: Colour | None = (255, 255, 255)
    struck: bool = False
    preformatted: bool = False

    @property
    def visible(self) -> bool:
        """Whether a reader sees text in this style."""
        if self.hidden or self.font_pixels < _SMALLEST_PIXELS or self.colour is None:
            return False
        return self.background is None or not html_colours.is_same(
            self.colour, self.background
        )

    @property
    def striking(self) -> str | None:
        """The colour as `#rrggbb` when it is neither black, grey nor pale."""
        return html_colours.striking(self.colour) if self.colour else None


@dataclass(frozen=True, slots=True)
class Look:
    """The attributes of a tag as written, and the CSS that holds for it."""

    written: Mapping[str, str] = field(default_factory=dict)
    css: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Sheet:
    """The simple rules of all style sheets of one page, by selector."""

    rules: dict[str, dict[str, tuple[str, bool]]] = field(default_factory=dict)

    def read(self, css: str) -> None:
        """Add the rules of one style element."""
        css = _CSS_COMMENT.sub(" ", css[:_MAX_SHEET_CHARACTERS])
        depth, selectors = 0, ""
        for match in _CSS_BLOCK.finditer(css):
            text, brace = match.groups()
            if brace == "{":
                depth += 1
                # An at-rule without a block may stand before the selectors.
                selectors = text.rpartition(";")[2] if depth == 1 else ""
                continue
            if depth == 1 and not selectors.lstrip().startswith("@"):
                self._add(selectors, text)
            depth = max(0, depth - 1)

    def _add(self, selectors: str, declared: str) -> None:
        found = declarations(declared)
        for selector in selectors.split(","):
            name = selector.strip()
            if found and name and _SELECTOR.fullmatch(name):
                self.rules.setdefault(_folded(name), {}).update(found)

    def look(self, name: str, written: Mapping[str, str]) -> Look:
        """Return what holds for a tag with these attributes."""
        classes = written.get("class", "").split()[:16]
        identity = written.get("id", "")
        selectors = [name]
        selectors += [f".{token}" for token in classes]
        selectors += [f"{name}.{token}" for token in classes]
        selectors += [f"#{identity}", f"{name}#{identity}"] if identity else []
        rules = [self.rules.get(selector, {}) for selector in selectors]
        return Look(written, _merged([*rules, declarations(written.get("style", ""))]))


def _merged(rules: list[dict[str, tuple[str, bool]]]) -> dict[str, str]:
    """Return the values that win: the later rule, but an important one first."""
    merged: dict[str, tuple[str, bool]] = {}
    for rule in rules:
        for key, (value, important) in rule.items():
            if important or not merged.get(key, ("", False))[1]:
                merged[key] = (value, important)
    return {key: value for key, (value, _) in merged.items()}


def _folded(selector: str) -> str:
    """Return a selector with its element name in lower case."""
    match = _SELECTOR.fullmatch(selector)
    element, rest = match.groups(default="") if match else ("", "")
    return element.lower() + rest


def declarations(css: str) -> dict[str, tuple[str, bool]]:
    """Return property -> (value, important) of a style attribute or rule."""
    found: dict[str, tuple[str, bool]] = {}
    for declaration in css.split(";")[:64]:
        name, colon, value = declaration.partition(":")
        if not colon:
            continue
        value = value.strip().lower()
        bare = value.partition("!")[0].strip()
        found[name.strip().lower()] = (bare, "!important" in value.replace(" ", ""))
    return found


def inherit(parent: Style, name: str, look: Look) -> Style:
    """Return the style of an element inside one with the parent's style."""
    css, written = look.css, look.written
    decoration = css.get("text-decoration", "") + css.get("text-decoration-line", "")
    space = css.get("white-space", "")
    return Style(
        hidden=parent.hidden or "hidden" in written or _is_hiding(css),
        font_pixels=_font_pixels(css.get("font-size", ""), parent.font_pixels),
        colour=_text_colour(name, look, parent),
        background=_background(look, parent),
        struck=parent.struck or name in _STRUCK or "line-through" in decoration,
        preformatted=space in _PREFORMATTED
        or (parent.preformatted and not space)
        or name == "pre",
    )


_STRUCK = frozenset({"s", "strike", "del"})
_PREFORMATTED = frozenset({"pre", "pre-wrap", "pre-line", "break-spaces"})


def _is_hiding(css: Mapping[str, str]) -> bool:
    if not css:
        return False
    opacity = _number(css.get("opacity", "1"))
    return (
        css.get("display") == "none"
        or css.get("visibility") in ("hidden", "collapse")
        or css.get("mso-hide") in ("all", "screen")
        or css.get("content-visibility") == "hidden"
        or (opacity is not None and opacity < 0.05)
        or re.match(r"scale\(\s*0*\.?0*\s*[,)]", css.get("transform", "")) is not None
        or _is_collapsed(css)
        or _is_off_screen(css)
    )


def _is_collapsed(css: Mapping[str, str]) -> bool:
    overflow = css.get("overflow", css.get("overflow-y", css.get("overflow-x", "")))
    if overflow not in ("hidden", "clip"):
        return False
    sizes = (css.get(key, "") for key in ("height", "max-height", "width", "max-width"))
    return any((pixels(size) or 0) <= 1 for size in sizes if pixels(size) is not None)


def _is_off_screen(css: Mapping[str, str]) -> bool:
    keys = ["text-indent", "margin-left", "margin-top"]
    if css.get("position") in ("absolute", "fixed", "relative"):
        keys += ["left", "top", "right", "bottom"]
        if re.match(r"rect\(\s*[01](?:px)?[\s,]", css.get("clip", "")):
            return True
    return any((pixels(css.get(key, "")) or 0) <= _OFF_SCREEN_PIXELS for key in keys)


def pixels(value: str, em: float = 16.0) -> float | None:
    """Return a CSS length in pixels, or None when it is not a fixed length."""
    match = _LENGTH.match(value)
    if match is None or match.group(1) in ("", "-"):
        return None
    number, unit = float(match.group(1)), match.group(2) or ""
    if unit in ("em", "rem", "ex"):
        return number * em
    if unit in ("%", "vw"):
        return 0.0 if number == 0 else None
    return number * _PIXELS[unit]


def _font_pixels(value: str, parent: float) -> float:
    if value.endswith("%"):
        share = _number(value[:-1])
        return parent if share is None else parent * share / 100
    size = pixels(value, parent)
    # A keyword such as `small` is always readable.
    return size if size is not None else (16.0 if value else parent)


def _number(value: str) -> float | None:
    match = re.match(r"\d{0,6}\.?\d{1,6}", value)
    return float(match.group()) if match else None


def _text_colour(name: str, look: Look, parent: Style) -> Colour | None:
    attribute = {"font": "color", "body": "text"}.get(name, "")
    value = look.css.get("color") or look.written.get(attribute, "").strip().lower()
    if not value or value in ("inherit", "currentcolor"):
        return parent.colour
    if html_colours.is_transparent(value):
        return None
    # A colour we cannot name is some colour: neither hidden nor striking.
    return html_colours.parse(value) or (0, 0, 0)


def _background(look: Look, parent: Style) -> Colour | None:
    keys = ("background", "background-color", "background-image")
    written = " ".join(look.css.get(key, "") for key in keys)
    if "url(" in written or "gradient(" in written or look.written.get("background"):
        return None
    for token in _COLOUR_TOKEN.findall(written[:200]):
        colour = html_colours.parse(token)
        if colour is not None and not html_colours.is_transparent(token):
            return colour
    attribute = look.written.get("bgcolor", "").strip().lower()
    return html_colours.parse(attribute) or parent.background
