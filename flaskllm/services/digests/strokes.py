"""Struck-out text, `~~so~~`: its author took it back, and it proves nothing now. Pure.

Strokes of HTML are written so when a mail is read; plain text may hold them itself.
"""

import re

from flaskllm.core.folding import CONTINUOUS
from flaskllm.services.digests.instructions import Span, blank

_MARK = re.compile(r"\n|(?<!~)~~(?!~)")
_WORD = re.compile(r"\w")
# Such a letter outside of a mark shows that it is none: "a~~b". In scripts without
# spaces a stroke may begin at any letter.
_LETTER = re.compile(rf"[^\W_{CONTINUOUS}]")


def find_strokes(text: str) -> tuple[Span, ...]:
    """Return the spans of struck-out text with their marks, in order.

    The marks stand right beside what they enclose and beside no letter outside of
    it, on one line; of several opening ones the last counts. Linear in time.
    """
    spans: list[Span] = []
    start: int | None = None
    for mark in _MARK.finditer(text):
        before = text[max(0, mark.start() - 1) : mark.start()]
        after = text[mark.end() : mark.end() + 1]
        if mark[0] == "\n":
            start = None
        elif start is not None and _parts(before, after):
            spans.append((start, mark.end()))
            start = None
        elif _parts(after, before):
            start = mark.start()
    return tuple(spans)


def _parts(inner: str, outer: str) -> bool:
    """Tell whether a mark may stand between what is struck out and what is not."""
    return bool(inner.strip()) and not _LETTER.match(outer)


def is_struck(text: str, start: int, end: int, strokes: tuple[Span, ...]) -> bool:
    """Tell whether `text[start:end]` cites struck-out words as if they held.

    It does not where it has the marks of every stroke that it touches, and says
    something beside them.
    """
    touched = [each for each in strokes if each[0] < end and start < each[1]]
    if not touched:
        return False
    if any(first < start or end < last for first, last in touched):
        return True
    inner = tuple((first - start, last - start) for first, last in touched)
    return not _WORD.search(blank(text[start:end], inner))


def unstruck(text: str) -> str:
    """Return a text without its struck-out words, unless it has no others."""
    left = blank(text, find_strokes(text))
    return left if _WORD.search(left) else text


def told(quote: str) -> str:
    """Return words of a source as they are told: in one line, without strokes."""
    return " ".join(unstruck(quote).split())
