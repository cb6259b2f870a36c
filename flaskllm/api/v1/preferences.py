"""The header `Prefer` (RFC 7240): an answer later, or so long waited for."""

from dataclasses import dataclass
from typing import Final

from flask import request
from werkzeug.http import parse_dict_header

from flaskllm.core.errors import InvalidInputError

HEADER: Final = "Prefer"
APPLIED: Final = "Preference-Applied"
MOST_WAIT_SECONDS: Final = 25
"""Zapier waits 30 seconds for an answer, and the way takes some of them."""

_ASYNC, _WAIT = "respond-async", "wait"
_MOST_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Preferences:
    """What the caller would rather have.

    Attributes:
        is_async: An answer later instead of a long wait (section 4.1).
        wait_seconds: How long it would wait, at most `MOST_WAIT_SECONDS`; None where
            it did not say (section 4.3).
    """

    is_async: bool = False
    wait_seconds: int | None = None

    def applied(self) -> dict[str, str]:
        """Return the header that tells which of them were heeded (section 3)."""
        told = [_ASYNC] if self.is_async else []
        if self.wait_seconds is not None:
            told.append(f"{_WAIT}={self.wait_seconds}")
        return {APPLIED: ", ".join(told)} if told else {}


def read_preferences() -> Preferences:
    """Return what this request would rather have.

    Raises:
        InvalidInputError: `wait` is no whole number of seconds.
    """
    return preferences_of(", ".join(request.headers.getlist(HEADER)))


def preferences_of(header: str) -> Preferences:
    """Return what the header says that is known here; the rest counts for nothing.

    Raises:
        InvalidInputError: As `read_preferences`.
    """
    said = {
        name.strip().lower(): value
        for name, value in parse_dict_header(header.replace(";", ",")).items()
    }
    return Preferences(_ASYNC in said, _seconds(said[_WAIT]) if _WAIT in said else None)


def _seconds(value: str | None) -> int:
    digits = (value or "").strip()
    if not (digits.isascii() and digits.isdigit()):
        raise InvalidInputError.of(
            HEADER, "wait is no number of seconds", "a header such as `wait=10`"
        )
    return min(int(digits[:_MOST_DIGITS]), MOST_WAIT_SECONDS)
