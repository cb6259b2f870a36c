"""National identity numbers in running text, by their check digits. Pure.

German tax number, French NIR, Spanish DNI and NIE, Italian codice fiscale, British
National Insurance number, American Social Security number. The last two have no check
digit: they are known by their form and by what is never given out.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from flaskllm.core.sensitive_accounts import Span

_OPEN, _SHUT = r"(?<![^\W_])(?<!\d[.,/-])", r"(?![^\W_])(?![.,/-]\d)"
_GAP = r"[ \u00a0]?"
_GERMAN = re.compile(
    rf"{_OPEN}[1-9]\d{_GAP}\d{{3}}{_GAP}\d{{3}}{_GAP}\d{{3}}{_SHUT}", re.ASCII
)
_FRENCH = re.compile(
    rf"{_OPEN}[1-478]{_GAP}\d{{2}}{_GAP}(?:0[1-9]|1[0-2]|[2-9]\d){_GAP}"
    rf"(?:\d{{2}}|2[ABab]){_GAP}\d{{3}}{_GAP}\d{{3}}{_GAP}[-/]?{_GAP}\d{{2}}{_SHUT}",
    re.ASCII,
)
_SPANISH = re.compile(
    rf"{_OPEN}(?:\d{{8}}|\d{{2}}\.\d{{3}}\.\d{{3}}|[XYZxyz][ -]?\d{{7}})"
    rf"[ -]?[A-Za-z]{_SHUT}",
    re.ASCII,
)
_ITALIAN = re.compile(
    rf"{_OPEN}[A-Z]{{3}}{_GAP}[A-Z]{{3}}{_GAP}[0-9LMNP-V]{{2}}[ABCDEHLMPRST][0-9LMNP-V]{{2}}"
    rf"{_GAP}[A-Z][0-9LMNP-V]{{3}}[A-Z]{_SHUT}",
    re.IGNORECASE | re.ASCII,
)
_BRITISH = re.compile(
    rf"{_OPEN}(?!BG|GB|KN|NK|NT|TN|ZZ)[ABCEGHJ-PRSTW-Z][ABCEGHJ-NPRSTW-Z]"
    rf"{_GAP}\d{{2}}{_GAP}\d{{2}}{_GAP}\d{{2}}{_GAP}[A-D]{_SHUT}",
    re.IGNORECASE | re.ASCII,
)
_AMERICAN = re.compile(
    rf"{_OPEN}(?!000|666|9)\d{{3}}([- ])(?!00)\d{{2}}\1(?!0000)\d{{4}}{_SHUT}", re.ASCII
)
_SPANISH_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"
_CORSICA = str.maketrans({"A": "0", "B": "0"})
# What a sign at an odd place counts in a codice fiscale, in the order of 0-9 and A-Z.
_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)
_ODD_LETTERS = (
    *_ODD,
    *_ODD,
    *(2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
)


def find_national_ids(text: str) -> Iterator[Span]:
    """Yield where an identity number of one of these countries stands."""
    for pattern, holds in _KINDS.items():
        for found in pattern.finditer(text):
            if holds("".join(filter(str.isalnum, found[0])).upper()):
                yield found.span()


def is_german(digits: str) -> bool:
    """Tell whether eleven digits are a Steuer-Identifikationsnummer.

    Of the first ten one digit stands two or three times and no other twice; the
    last is the check digit of ISO 7064, MOD 11,10.
    """
    often = [count for count in Counter(digits[:10]).values() if count > 1]
    if often not in ([2], [3]):
        return False
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return (11 - product) % 10 == int(digits[10])


def is_french(signs: str) -> bool:
    """Tell whether a NIR's last two digits are 97 less the rest modulo 97.

    Corsica's `2A` counts as 19, its `2B` as 18.
    """
    number = int(signs[:13].translate(_CORSICA))
    number -= {"A": 1_000_000, "B": 2_000_000}.get(signs[6], 0)
    return 97 - number % 97 == int(signs[13:])


def is_spanish(signs: str) -> bool:
    """Tell whether the letter of a DNI or a NIE is that of its number modulo 23."""
    number = int(signs[:-1].translate(str.maketrans("XYZ", "012")))
    return _SPANISH_LETTERS[number % 23] == signs[-1]


def is_italian(signs: str) -> bool:
    """Tell whether the last letter of a codice fiscale is that of its sum."""
    odd = sum(_ODD_LETTERS[int(sign, 36)] for sign in signs[0:15:2])
    even = sum(_counted(sign) for sign in signs[1:15:2])
    return chr(ord("A") + (odd + even) % 26) == signs[15]


def _counted(sign: str) -> int:
    return int(sign) if sign.isdigit() else ord(sign) - ord("A")


def _needs_no_sum(signs: str) -> bool:
    return True


_KINDS: Mapping[re.Pattern[str], Callable[[str], bool]] = {
    _GERMAN: is_german,
    _FRENCH: is_french,
    _SPANISH: is_spanish,
    _ITALIAN: is_italian,
    _BRITISH: _needs_no_sum,
    _AMERICAN: _needs_no_sum,
}
