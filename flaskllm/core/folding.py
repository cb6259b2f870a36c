"""A plain form of a text for comparing, with the way back to its own offsets.

Two texts that a reader takes for the same (other case, curly quotes, a narrow
space, a ligature, a decomposed accent) have the same plain form. What changes the
meaning stays: accents, digits, apostrophes, and exponents and fractions (10² is
not 102).
"""

import re
import unicodedata
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from functools import cache, lru_cache

# Long runs of ASCII keep their length, so that one map entry serves them.
_PIECE = re.compile(
    r"(?P<plain>[!-_a-~]+(?: [!-_a-~]+)*)"
    # A line of a quoted mail opens with `>`, which is not a word of it.
    r"|(?P<space>\s+(?:(?<=\n)>[> \t]*\s*)*)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_ALIKE = {
    **dict.fromkeys("‘’‚‛`´ʼ′‹›", "'"),
    **dict.fromkeys("“”„‟«»″", '"'),
    **dict.fromkeys("‐‑‒–−﹣－", "-"),  # a long dash parts words, these join them
    "―": "—",
}
# Soft hyphen, zero-width, bidirectional and tag characters, shape selectors.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff]"
)
_MEANINGFUL = ("<super>", "<sub>", "<fraction>", "<circle>")
# Scripts that put no space between words: Thai, Lao, Myanmar, Khmer, kana, Han.
CONTINUOUS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_JOINER = "['’ʼ.@‐‑-]"
_LAST_MARK = 0x1E950


@dataclass(frozen=True, slots=True)
class Folded:
    """A plain text and the pieces that it was made from, in order.

    Piece `n` begins at `starts[n]` in `text`, and was `origins[n]` up to
    `origins[n + 1]`. One that kept its length was kept character by character.
    """

    text: str
    starts: "array[int]"
    origins: "array[int]"

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where `text[start:end]`, which is not empty, stood at first."""
        return self._origin(start)[0], self._origin(end - 1)[1]

    def splits_character(self, index: int) -> bool:
        """Tell whether `index` falls between two code points made from one."""
        inside = 0 < index < len(self.text)
        return inside and self._origin(index) == self._origin(index - 1)

    def _origin(self, index: int) -> tuple[int, int]:
        piece = bisect_right(self.starts, index) - 1
        start, end = self.origins[piece], self.origins[piece + 1]
        if end - start != self.starts[piece + 1] - self.starts[piece]:
            return start, end
        offset = start + index - self.starts[piece]
        return offset, offset + 1


def fold(text: str) -> Folded:
    """Return the plain form: one space for white space, no case, plain marks."""
    pieces: list[str] = []
    starts, origins = array("L"), array("L")
    length = 0
    for match in _PIECE.finditer(text):
        piece = _fold_piece(match)
        pieces.append(piece)
        starts.append(length)
        origins.append(match.start())
        length += len(piece)
    starts.append(length)
    origins.append(len(text))
    return Folded("".join(pieces), starts, origins)


def is_border(text: str, index: int) -> bool:
    """Tell whether no word and no number of `text` runs across `index`.

    `can|'t`, `non|-binding`, `1|,000`, `1| 000`, `-|5`, `5|%`, `example|.com` are not
    borders: cutting there would say something else. Scripts without spaces have
    a border before every character but not before a mark that belongs to it.
    """
    sides = text[max(0, index - 1) : index + 1]
    if sides.isascii() and sides.isalpha() and len(sides) == 2:
        return False  # by far the commonest case, at a tenth of the time
    starts = range(max(0, index - 2), index)
    matches = (_across().match(text, start) for start in starts)
    return not any(match and match.end() > index for match in matches)


def next_border(text: str, index: int) -> int:
    """Return a place after `index` with no border between them, in one leap.

    For searches that would else try every place of a megabyte without a space.
    The place itself need not be a border.
    """
    match = _glued().match(text, index)
    return match.end() if match else index + 1


@cache
def mark_class() -> str:
    r"""Return the inside of a regex class: combining marks, which `\w` lacks.

    Without them the vowel signs of Indic scripts would end words.
    """
    codes = [code for code in range(0x300, _LAST_MARK) if _is_mark(code)]
    firsts = [code for code in codes if not _is_mark(code - 1)]
    lasts = [code for code in codes if not _is_mark(code + 1)]
    ranges = zip(firsts, lasts, strict=True)
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


@cache
def _word_character() -> str:
    # A word goes on over a soft hyphen or a joiner.
    return rf"(?:(?![{CONTINUOUS}])[\w\xad\u200d\u2060{mark_class()}])"


@cache
def _across() -> re.Pattern[str]:
    """Match what belongs together, from its first code point to beyond its second.

    Only the two code points before a place are tried as the start.
    """
    word = _word_character()
    return re.compile(
        rf"{word}{_JOINER}{word}"
        r"|\d[,:/]\d"
        r"|(?<!\d\d\d)\d[ \u00a0\u2009\u202f]\d{3}(?!\d)"
        r"|(?<!\w)[+−-]\d"
        r"|\d ?[%‰]"
        rf"|.[{mark_class()}]"
        rf"|{word}{word}",
        re.DOTALL,
    )


@cache
def _glued() -> re.Pattern[str]:
    word = _word_character()
    return re.compile(rf"(?:{word}|(?<={word}){_JOINER}(?={word}))+")


def _is_mark(code: int) -> bool:
    return unicodedata.category(chr(code)).startswith("M")


def _fold_piece(match: re.Match[str]) -> str:
    if match.lastgroup == "plain":
        return match[0].lower()
    return " " if match.lastgroup == "space" else _fold_character(match[0])


@lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    if _INVISIBLE.match(character):
        return ""
    if character in _ALIKE:
        return _ALIKE[character]
    if unicodedata.decomposition(character).startswith(_MEANINGFUL):
        return character
    plain = unicodedata.normalize("NFKD", character).casefold()
    return "".join(_ALIKE.get(letter, letter) for letter in plain)
