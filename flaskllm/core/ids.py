"""Identifiers: base62 alphabets, random ids, request ids."""

import re
import secrets
import time

BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

# Each character stands for four of the first 248 bytes; the others for none.
_OF_BYTES = (BASE62 * 5)[:256].encode("ascii")
_SURPLUS = bytes(range(248, 256))
_OF_AN_ID = re.compile(r"[0-9A-Za-z]{1,40}")
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,128}")


def random_base62(length: int) -> str:
    """Return `length` unpredictable characters, 5.95 bits each."""
    text = b""
    while len(text) < length:
        # A few more than are needed: what would make some likelier is dropped.
        text += secrets.token_bytes(length + 8).translate(_OF_BYTES, _SURPLUS)
    return text[:length].decode("ascii")


def to_base62(number: int, width: int) -> str:
    """Write a non-negative number in base62, padded with zeros to `width`."""
    digits = []
    while number:
        number, rest = divmod(number, 62)
        digits.append(BASE62[rest])
    return "".join(reversed(digits)).rjust(width, "0")


def new_id(prefix: str) -> str:
    """Return a fresh id such as `dig_4fZ…`: the prefix and 20 base62 characters."""
    return f"{prefix}_{random_base62(20)}"


def new_ordered_id(prefix: str) -> str:
    """Return a fresh id whose text is above those of the milliseconds before.

    The prefix, 8 base62 characters of the wall-clock time in milliseconds, and 12
    random ones. Rows of such ids lie together: an index takes a batch of them in one
    place, where random ids would rewrite as many of its pages.
    """
    milliseconds = to_base62(time.time_ns() // 1_000_000, 8)
    return f"{prefix}_{milliseconds}{random_base62(12)}"


def is_id(text: str, prefix: str) -> bool:
    """Tell whether a text has the form of an id: the prefix and base62 characters.

    At most 40 of these: ids of other programs' making may be longer than ours.
    """
    kind, mark, rest = text.partition("_")
    return (kind, mark) == (prefix, "_") and _OF_AN_ID.fullmatch(rest) is not None


def request_id(incoming: str | None) -> str:
    """Keep a sane incoming request id, else make one.

    Sane means 8 to 128 letters, digits, dots, dashes or underscores: it goes
    into a header and into every log line.
    """
    if incoming and _SANE_REQUEST_ID.fullmatch(incoming):
        return incoming
    return new_id("req")
