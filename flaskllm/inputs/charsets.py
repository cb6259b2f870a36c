"""Bytes become text, whatever they claim to be.

The order is: byte-order mark, declared charset, UTF-8, a detector's guess.
Every step but the last is strict, so that a wrong declaration is noticed.
"""

import codecs
import re
from dataclasses import dataclass

from flaskllm.inputs.document import Notice

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

# Senders name the old subset and write the vendor's superset of it.
_SUPERSETS = {
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "cp950",
}

# Python also calls these text encodings; no mail means them, and some of them
# take quadratic time.
_NOT_CHARSETS = frozenset(
    {"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "utf-7"}
)
_CHARSET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,39}")

# The detector tries dozens of charsets; a sample is enough for it.
_SAMPLE_BYTES = 32_768
# Broken characters per non-ASCII byte: fewer are damage, more a wrong charset.
_DAMAGE_SHARE = 0.1
# Guesses whose disorder differs by less are equally good.
_NEAR = 0.02
_NON_ASCII = bytes(range(128, 256))


@dataclass(frozen=True, slots=True)
class Decoded:
    """Text, the charset it was read with, and what had to be guessed."""

    text: str
    charset: str
    warnings: tuple[Notice, ...] = ()


def decode(content: bytes, charset: str | None = None) -> Decoded:
    """Return the text of bytes; it never holds a surrogate and never fails.

    Args:
        content: The bytes, with or without a byte-order mark.
        charset: What the sender declared, or None.
    """
    for mark, codec in _BYTE_ORDER_MARKS:
        if content.startswith(mark):
            return _damaged(content[len(mark) :], codec)
    codec_name = _codec(charset)
    for candidate in _strict_candidates(codec_name):
        text = _strict(content, candidate)
        if text is not None:
            return Decoded(text, candidate, _unknown(charset, codec_name, candidate))
    return _guessed(content, charset, codec_name)


def _codec(charset: str | None) -> str | None:
    """Return Python's name of a charset, or None when it is no charset."""
    if charset is None or not _CHARSET_NAME.fullmatch(charset):
        return None
    try:
        found = codecs.lookup(charset)
        "".encode(found.name)
    except (LookupError, ValueError):
        return None
    return None if found.name in _NOT_CHARSETS else found.name


def _strict_candidates(codec_name: str | None) -> list[str]:
    if codec_name is None or codec_name == "ascii":
        return ["utf-8"]
    superset = _SUPERSETS.get(codec_name, codec_name)
    return list(dict.fromkeys([superset, codec_name, "utf-8"]))


def _strict(content: bytes, codec_name: str) -> str | None:
    try:
        text = content.decode(codec_name)
        text.encode("utf-8")
    except (UnicodeError, ValueError):
        return None
    return text


def _guessed(content: bytes, charset: str | None, codec_name: str | None) -> Decoded:
    """Read what no strict reading fits: damaged, or declared wrongly."""
    declared = _SUPERSETS.get(codec_name or "utf-8", codec_name or "utf-8")
    damaged = _damaged(content, declared)
    non_ascii = len(content) - len(content.translate(None, _NON_ASCII))
    if damaged.text.count("\ufffd") <= non_ascii * _DAMAGE_SHARE:
        return damaged
    guess = _detect(content)
    if guess is None:
        return damaged
    guessed = _damaged(content, guess)
    code = "charset_guessed" if charset is None else "charset_wrong"
    notice = Notice(code, f"The text was not {declared}; it was read as {guess}.")
    return Decoded(guessed.text, guess, (notice, *guessed.warnings))


def _damaged(content: bytes, codec_name: str) -> Decoded:
    text = content.decode(codec_name, errors="replace")
    # Some codecs let lone surrogates through; they cannot be written out again.
    text = text.encode("utf-8", errors="replace").decode("utf-8")
    broken = text.count("\ufffd")
    if not broken:
        return Decoded(text, codec_name)
    detail = f"{broken} characters could not be read as {codec_name}."
    return Decoded(text, codec_name, (Notice("undecodable_bytes", detail),))


def _detect(content: bytes) -> str | None:
    # Imported here: its tables cost start-up time and few mails need them.
    from charset_normalizer import from_bytes

    matches = list(from_bytes(content[:_SAMPLE_BYTES]))
    if not matches:
        return None
    near = [match for match in matches if match.chaos <= matches[0].chaos + _NEAR]
    names = [match.encoding for match in near]
    # Short texts look as good in neighbouring charsets; mail programs write those
    # of Windows, and western ones most.
    windows = [name for name in names if name.startswith("cp125")]
    return _codec("cp1252" if "cp1252" in names else [*windows, *names][0])


def _unknown(
    charset: str | None, codec_name: str | None, used: str
) -> tuple[Notice, ...]:
    if not charset:
        return ()
    if codec_name is None:
        detail = f"The declared charset is not known; the text was read as {used}."
        return (Notice("charset_unknown", detail),)
    if used == "utf-8" and codec_name not in ("utf-8", "ascii"):
        detail = f"The text was not {codec_name}; it was read as utf-8."
        return (Notice("charset_wrong", detail),)
    return ()
