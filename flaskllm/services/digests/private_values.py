"""Which stretches of a text are addresses or numbers of somebody: places. Pure.

Numbers that carry facts are left: dates, times, amounts of money, and figures grouped
by thousands.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Literal

from flaskllm.core import entities
from flaskllm.core.sensitive import find_accounts_and_ids
from flaskllm.core.sensitive_accounts import Span

Kind = Literal["EMAIL", "PHONE", "NUMBER"]

_EMAIL = re.compile(
    r"(?<![\w.%+@-])[\w.!#$%&'*+/=?^`{|}~-]{1,64}"
    r"@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,126}[^\W\d_]{2,24}(?![^\W_])"
)
# What no link holds, and one of its parameters.
_LINK_END = re.compile(r"[\s<>\"]")
_PARAMETER = re.compile(r"[?&][\w.-]{0,64}=")
_LONGEST_LINK = 2048
_LONG_NUMBER = re.compile(r"\d{7,64}")
_DAY = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:\d{4,6})?")
_GROUPED = re.compile(
    r"(?<![\w.,/-])(?<!\d:)(?:[A-Z]{2}\d{2}[ \u00a0\u202f-])?"
    r"\(?\+?\d{1,14}\)?(?:[ \u00a0\u202f./()-]{1,2}\d{1,14}){1,9}"
    r"(?![\w:/]|[.,]\d)"
)
_THOUSANDS = re.compile(r"\d{1,3}(?:([.,'’\u00a0\u202f])\d{3})(?:\1\d{3})*")
_DATE_WITHIN = re.compile(
    r"(?<!\d)(?:(?:0?[1-9]|[12]\d|3[01])([./-])(?:0?[1-9]|1[0-2])\1(?:19|20)?\d{2}"
    r"|(?:19|20)\d{2}([./-])(?:0?[1-9]|1[0-2])\2(?:0?[1-9]|[12]\d|3[01])"
    r"|(?:0?[1-9]|1[0-2])/(?:0?[1-9]|[12]\d|3[01])/(?:19|20)?\d{2})(?!\d)"
)
_FEWEST_GROUPED = 9
# Figures one after the other are no number; those of France come two by two.
_NUMBERED = re.compile(r"\d{3}|^\(?[+0]")


def find_values(text: str) -> Iterator[tuple[Kind, Span]]:
    """Yield where something is to be hidden; what comes first has its stretch."""
    yield from (("EMAIL", span) for span in _find_emails(text))
    found: list[tuple[Kind, Span]] = []
    found += (("NUMBER", span) for span in find_accounts_and_ids(text))
    money = bytearray(len(text))
    for entity in entities.find(text):
        span = entity.start, entity.end
        if entity.kind == "phone" and not _DATE_WITHIN.search(entity.text):
            found.append(("PHONE", span))
        if entity.kind == "amount":
            money[slice(*span)] = b"\1" * (span[1] - span[0])
    for span in chain(_find_long(text), _find_grouped(text)):
        if not any(money[slice(*span)]):
            found.append(("NUMBER", span))
    yield from _joined(found)


def _joined(found: Iterable[tuple[Kind, Span]]) -> Iterator[tuple[Kind, Span]]:
    """Yield stretches that share no sign: what overlaps is hidden as a whole.

    The longest gives its kind; several that no single one holds are a number.
    """
    in_order = sorted(
        found, key=lambda each: (each[1][0], -each[1][1], each[0] != "PHONE")
    )
    kind: Kind = "NUMBER"
    start = end = 0
    for other, (first, last) in in_order:
        if first >= end:
            if end:
                yield kind, (start, end)
            kind, start, end = other, first, last
        elif last > end:
            kind, end = "NUMBER", last
    if end:
        yield kind, (start, end)


def _find_emails(text: str) -> Iterator[Span]:
    for found in _EMAIL.finditer(text):
        # `'ada@example.com'` and `*ada@example.com*` are an address between marks.
        start = found.start() + _link_before(text, found)
        address = text[start : found.end()]
        led = len(address) - len(address.lstrip("'*`{|/=.~_-?&#!"))
        yield start + led, found.end()


def _link_before(text: str, found: re.Match[str]) -> int:
    """Return how many signs of what looks like an address are the link around it."""
    local = found[0].rpartition("@")[0]
    if "/" not in local and "=" not in local:
        return 0
    before = text[max(0, found.start() - _LONGEST_LINK) : found.start()]
    link = _LINK_END.split(before)[-1] + local
    is_link = "://" in link or link.startswith("www.")
    if not is_link and not _PARAMETER.search(local):
        return 0
    return max(map(local.rfind, "=&?#")) + 1 or local.rfind("/") + 1


def _find_long(text: str) -> Iterator[Span]:
    """Yield runs of seven digits and more that are no day."""
    for found in _LONG_NUMBER.finditer(text):
        if not _DAY.fullmatch(found[0]):
            yield found.span()


def _find_grouped(text: str) -> Iterator[Span]:
    """Yield nine digits and more in groups: numbers of customers, of contracts."""
    for found in _GROUPED.finditer(text):
        digits = sum(map(str.isdigit, found[0]))
        if digits < _FEWEST_GROUPED or not _NUMBERED.search(found[0]):
            continue
        if not (_THOUSANDS.fullmatch(found[0]) or _DATE_WITHIN.search(found[0])):
            yield found.span()
