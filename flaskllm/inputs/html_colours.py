"""Colours of CSS: which text cannot be seen, and which stands out."""

import re

Colour = tuple[int, int, int]

_RGB = re.compile(
    r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})(?:[\s,/]+([\d.]{1,8}%?))?\s*\)"
)
_NAMED_COLOURS: dict[str, Colour] = {
    "white": (255, 255, 255), "black": (0, 0, 0), "red": (255, 0, 0),
    "blue": (0, 0, 255), "green": (0, 128, 0), "lime": (0, 255, 0),
    "navy": (0, 0, 128), "maroon": (128, 0, 0), "purple": (128, 0, 128),
    "teal": (0, 128, 128), "olive": (128, 128, 0), "gray": (128, 128, 128),
    "grey": (128, 128, 128), "silver": (192, 192, 192), "yellow": (255, 255, 0),
    "orange": (255, 165, 0), "fuchsia": (255, 0, 255), "magenta": (255, 0, 255),
    "aqua": (0, 255, 255), "cyan": (0, 255, 255), "crimson": (220, 20, 60),
    "darkred": (139, 0, 0), "darkblue": (0, 0, 139), "darkgreen": (0, 100, 0),
    "brown": (165, 42, 42), "pink": (255, 192, 203), "snow": (255, 250, 250),
    "ivory": (255, 255, 240), "whitesmoke": (245, 245, 245),
    "ghostwhite": (248, 248, 255), "window": (255, 255, 255),
    "windowtext": (0, 0, 0),
}  # fmt: skip

# Two colours nearer than this cannot be told apart.
_SAME_COLOUR = 12
# Grey and nearly black text is no sign of anything.
_STRIKING = 80


def parse(value: str) -> Colour | None:
    """Return the colour a lower-case CSS value names, or None."""
    if value in _NAMED_COLOURS:
        return _NAMED_COLOURS[value]
    digits = value.removeprefix("#")
    if re.fullmatch(r"[0-9a-f]{3,4}", digits) and value.startswith("#"):
        return _hex("".join(digit * 2 for digit in digits[:3]))
    if re.fullmatch(r"[0-9a-f]{6}(?:[0-9a-f]{2})?", digits):
        return _hex(digits)
    match = _RGB.match(value)
    if match is None:
        return None
    red, green, blue = (min(255, int(number)) for number in match.groups()[:3])
    return red, green, blue


def _hex(digits: str) -> Colour:
    return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:6], 16)


def is_transparent(value: str) -> bool:
    """Tell whether text in this colour cannot be seen on anything."""
    match = _RGB.match(value)
    alpha = match.group(4) if match else None
    return value == "transparent" or (alpha is not None and _share(alpha) < 0.05)


def is_same(one: Colour, other: Colour) -> bool:
    """Tell whether a reader cannot tell two colours apart."""
    return all(abs(a - b) <= _SAME_COLOUR for a, b in zip(one, other, strict=True))


def _share(alpha: str) -> float:
    """Return an opacity written as a number or in per cent."""
    digits = alpha.rstrip("%")
    number = float(digits) if re.fullmatch(r"\d{0,6}\.?\d{1,6}", digits) else 1.0
    return number / 100 if alpha.endswith("%") else number


def striking(colour: Colour) -> str | None:
    """Return the colour as `#rrggbb` when it is neither black, grey nor pale."""
    if max(colour) - min(colour) < _STRIKING:
        return None
    return "#{:02x}{:02x}{:02x}".format(*colour)
