"""Header text as it was meant: unfolded, with encoded words decoded."""

import re
from email.errors import HeaderParseError
from email.header import decode_header

from flaskllm.inputs.charsets import decode

_MAX_CHARACTERS = 8_000


def unfold_header(value: str) -> str:
    """Return a raw value as text on one line; it may hold raw 8-bit bytes."""
    raw = value.encode("utf-8", errors="surrogateescape")
    return re.sub(r"[\r\n]+[ \t]*", " ", decode(raw).text)


def decode_words(value: str) -> str:
    """Return a header value with its encoded words (RFC 2047) decoded."""
    if "=?" not in value:
        return value
    try:
        pieces = decode_header(value[:_MAX_CHARACTERS])
    except (HeaderParseError, ValueError):
        return value
    return "".join(
        piece if isinstance(piece, str) else decode(piece, charset).text
        for piece, charset in pieces
    )
