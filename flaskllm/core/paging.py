"""Where a page begins: behind a row, whatever was added or removed meanwhile.

The text is opaque to callers: base64url of the row's moment and its id.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime

from flaskllm.core.errors import InvalidInputError


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row stands in time: its moment, aware, and its id where two share one."""

    at: datetime
    row_id: str

    def text(self) -> str:
        """Return it as callers get it and send it back."""
        told = f"{self.at.isoformat()} {self.row_id}"
        return urlsafe_b64encode(told.encode()).decode().rstrip("=")


def read_place(text: str, path: str = "after") -> Place:
    """Return the place of a text that `Place.text` made.

    Raises:
        InvalidInputError: It is none; the field `path` is named.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        told = urlsafe_b64decode(padded.encode("ascii")).decode("ascii")
        moment, _, row_id = told.partition(" ")
        at = datetime.fromisoformat(moment)
        at.astimezone(UTC)  # where that is no year any more, no row can stand
    except (ValueError, OverflowError, binascii.Error):
        at, row_id = datetime.min, ""
    # PostgreSQL cannot even be asked for a text that holds a NUL.
    if at.tzinfo is None or not row_id or not row_id.isprintable():
        allowed = "`next` of the page before"
        raise InvalidInputError.of(path, "not the end of a page", allowed)
    return Place(at, row_id)
