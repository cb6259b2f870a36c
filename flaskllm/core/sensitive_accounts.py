"""Payment cards and bank accounts in running text, by their check digits. Pure.

Sources: ISO/IEC 7812-1 (issuer numbers and the Luhn digit), ISO 13616 with the IBAN
registry of SWIFT (lengths by country) and ISO 7064 (MOD 97-10).
"""

import re
from collections.abc import Iterator, Mapping, Sequence

Span = tuple[int, int]
"""Code points from the first up to, not with, the second."""

_DIGITS = range(13, 20)
# Blanks and dashes of any kind between groups; a line break ends a number.
_RUN = re.compile(r"(?<![\w.,])\d+(?:[ \u00a0\u202f\u2010-\u2013-]\d+){0,40}(?!\w)")
_GROUP = re.compile(r"\d+")
_GROUPED = frozenset({(4, 6, 5), (4, 6, 4), (4, 4, 4, 1)})
# First digits from, up to (both as long), and how many digits such a number has.
_ISSUERS: Sequence[tuple[str, str, frozenset[int]]] = (
    ("4", "4", frozenset({13, 16, 19})),  # Visa
    ("51", "55", frozenset({16})),  # Mastercard
    ("2221", "2720", frozenset({16})),
    ("34", "34", frozenset({15})),  # American Express
    ("37", "37", frozenset({15})),
    ("6011", "6011", frozenset(range(16, 20))),  # Discover
    ("644", "659", frozenset(range(16, 20))),
    ("300", "305", frozenset(range(14, 20))),  # Diners Club
    ("36", "36", frozenset(range(14, 20))),
    ("38", "39", frozenset(range(14, 20))),
    ("3528", "3589", frozenset(range(16, 20))),  # JCB
    ("62", "62", frozenset(range(16, 20))),  # UnionPay
    ("2200", "2204", frozenset(range(16, 20))),  # Mir
    ("60", "60", frozenset({16})),  # RuPay
    ("81", "82", frozenset({16})),
    ("50", "50", frozenset(range(13, 20))),  # Maestro
    ("56", "58", frozenset(range(13, 20))),
    ("63", "63", frozenset(range(13, 20))),
    ("67", "67", frozenset(range(13, 20))),
)
_IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?=[ \u00a0-]?[A-Za-z0-9])")
_IBAN_LENGTHS: Mapping[str, int] = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}


def find_cards(text: str) -> Iterator[Span]:
    """Yield where a payment card's number stands: 13 to 19 digits.

    It begins as an issuer's does, its Luhn digit holds, it is written in one piece
    or in the usual groups, and is no part of a longer group of digits.
    """
    for run in _RUN.finditer(text):
        groups = [found.span() for found in _GROUP.finditer(text, *run.span())]
        yield from _cards_among(text, groups)


def _cards_among(text: str, groups: Sequence[Span]) -> Iterator[Span]:
    first = 0
    while first < len(groups):
        last = _last_group(text, groups, first)
        if last is not None:
            yield groups[first][0], groups[last][1]
            first = last
        first += 1


def _last_group(text: str, groups: Sequence[Span], first: int) -> int | None:
    """Return the last group of a card that begins with this one."""
    digits = ""
    sizes: list[int] = []
    for number in range(first, min(first + 5, len(groups))):
        start, end = groups[number]
        digits, sizes = digits + text[start:end], [*sizes, end - start]
        if len(digits) not in _DIGITS or not _is_usual(tuple(sizes)):
            continue
        if _has_issuer(digits) and has_luhn_digit(digits):
            return number
    return None


def _is_usual(sizes: tuple[int, ...]) -> bool:
    if len(sizes) == 1 or sizes in _GROUPED:
        return True
    return set(sizes[:-1]) == {4} and 1 <= sizes[-1] <= 4


def _has_issuer(digits: str) -> bool:
    plain = "".join(str(int(digit)) for digit in digits)
    return any(
        low <= plain[: len(low)] <= high and len(plain) in lengths
        for low, high, lengths in _ISSUERS
    )


def has_luhn_digit(digits: str) -> bool:
    """Tell whether the last digit is the check digit of those before it.

    Every second digit from the right is doubled, nine taken off where that is above
    nine; the sum of all is a multiple of ten.
    """
    values = [int(digit) for digit in reversed(digits)]
    doubled = (2 * value - 9 * (value > 4) for value in values[1::2])
    return (sum(values[::2]) + sum(doubled)) % 10 == 0


def find_ibans(text: str) -> Iterator[Span]:
    """Yield where an IBAN stands: as long as its country says, its sum right."""
    taken = 0
    for start in _IBAN_START.finditer(text):
        length = _IBAN_LENGTHS.get(text[start.start() : start.start() + 2].upper())
        if length is None or start.start() < taken:
            continue
        end = _end_of(text, start.start(), length)
        if end is not None and is_iban(text[start.start() : end]):
            taken = end
            yield start.start(), end


def _end_of(text: str, start: int, length: int) -> int | None:
    """Return where so many letters and digits end; one blank between two is none."""
    place, left, was_gap = start, length, False
    while left and place < len(text):
        sign = text[place]
        if sign.isascii() and sign.isalnum():
            left, was_gap = left - 1, False
        elif sign in " \u00a0-" and not was_gap:
            was_gap = True
        else:
            return None
        place += 1
    goes_on = place < len(text) and text[place].isalnum()
    return None if left or goes_on else place


def is_iban(text: str) -> bool:
    """Tell whether the check digits of an IBAN hold, whatever blanks it has."""
    plain = "".join(filter(str.isalnum, text)).upper()
    turned = plain[4:] + plain[:4]
    return int("".join(str(int(sign, 36)) for sign in turned)) % 97 == 1
