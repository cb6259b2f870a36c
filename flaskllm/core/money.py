"""US dollars as people write them, and as we count them: whole nano-dollars. Pure."""

import re
from decimal import Decimal

NANOS_PER_DOLLAR = 1_000_000_000

_CENTS = 2
_DECIMALS = 9
_DOLLARS = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?")


def nanos_of(text: str) -> int:
    """Return the nano-dollars that a decimal text such as `25.00` means, exactly.

    Raises:
        ValueError: It is not one: a sign, an exponent, more than 9 decimals.
    """
    if _DOLLARS.fullmatch(text) is None:
        raise ValueError("not a decimal number with at most 9 decimals")
    # At most 21 digits: within the 28 that a product keeps exactly.
    return int(Decimal(text) * NANOS_PER_DOLLAR)


def dollars_of(nanos: int) -> str:
    """Return nano-dollars as a decimal text of dollars, exactly, cents always there.

    Example:
        `dollars_of(25_100_000_000)` is `25.10`, `dollars_of(1)` is `0.000000001`.
    """
    whole, rest = divmod(abs(nanos), NANOS_PER_DOLLAR)
    decimals = f"{rest:0{_DECIMALS}d}".rstrip("0").ljust(_CENTS, "0")
    return f"{'-' if nanos < 0 else ''}{whole}.{decimals}"


def dollars(nanos: int | None) -> float | None:
    """Return nano-dollars as dollars, for reading; None stays None."""
    return None if nanos is None else nanos / NANOS_PER_DOLLAR
