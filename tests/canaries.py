"""A word that nobody says by chance, and all the ways in which it may lie somewhere."""

import base64
import contextlib
import zlib
from collections.abc import Iterator

WORD = "quetzalcanary7"


def forms_of(word: str = WORD) -> Iterator[tuple[str, bytes]]:
    """Yield the word as text, as UTF-16, in hex, in base64 and in URLs."""
    plain = word.encode()
    yield "plain", plain
    yield "reversed", plain[::-1]
    for codec in ("utf-16-le", "utf-16-be"):
        yield codec, word.encode(codec)
    yield "hex", plain.hex().encode()
    yield "HEX", plain.hex().upper().encode()
    yield "url", "".join(f"%{byte:02X}" for byte in plain).encode()
    for shift in range(3):
        # Within a longer text it may begin at any of three places; what stands
        # beside it changes the outermost characters.
        encoded = base64.b64encode(b"x" * shift + plain)
        yield f"base64, {shift}", encoded[4 if shift else 0 : -4]


def find_in(data: bytes, word: str = WORD) -> list[str]:
    """Return in which forms the word is in there, also in what unpacks."""
    haystacks = {"": data, "deflated ": b"".join(_unpacked(data))}
    return [
        f"{how}{name}"
        for how, hay in haystacks.items()
        for name, form in forms_of(word)
        if form in hay
    ]


def _unpacked(data: bytes) -> Iterator[bytes]:
    """Yield what the zlib streams in there hold, as far as they can be read."""
    at = data.find(b"\x78")
    while at != -1:
        if at + 1 < len(data) and int.from_bytes(data[at : at + 2]) % 31 == 0:
            unpacker = zlib.decompressobj()
            with contextlib.suppress(zlib.error):
                yield unpacker.decompress(data[at : at + 65536], 1_000_000)
        at = data.find(b"\x78", at + 1)
