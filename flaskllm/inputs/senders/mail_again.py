"""A mail that its sender took apart is put together again.

So one parser reads all mail. Each text keeps its bytes and its charset, and every
text and file is written in Base64: nothing in it can pass for a delimiter. Mails
inside the mail stay as they are, because that is how they are read.
"""

import re
from base64 import b64decode, encodebytes
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from urllib.parse import quote

from flaskllm.inputs.mime import MESSAGE_TYPES

MAX_HEADER_LINES = 2_000
_MAX_NAME = 255

# What says how the body was written; it is written anew.
_REWRITTEN = re.compile(rb"(?:content-[a-z-]+|mime-version):", re.IGNORECASE)
_HEADER_LINE = re.compile(rb"[!-9;-~]{1,100}:")
_HEADER_NAME = re.compile(r"[!-9;-~]{1,100}")
_BREAKS = re.compile(r"[\r\n]+[ \t]*")
_CHARSET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,39}")
_MEDIA_TYPE = re.compile(r"[a-z0-9][\w.+-]{0,60}/[a-z0-9][\w.+-]{0,80}")
_NOT_IN_NAMES = re.compile(r'[\x00-\x1f\x7f"\\]')


@dataclass(frozen=True, slots=True)
class Text:
    """A text as bytes, and the charset that its sender names, or None."""

    content: bytes = field(repr=False)
    charset: str | None = "utf-8"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a mail. `content_id` is empty unless the HTML shows the file."""

    content: bytes = field(repr=False)
    media_type: str = ""
    file_name: str = ""
    content_id: str = ""


@dataclass(frozen=True, slots=True)
class Pieces:
    """What a sender made of a mail.

    Attributes:
        header: The header block as it came, or made by `header_block`.
        plain: The text, or None.
        html: The same as HTML, or None.
        attachments: In their order.
    """

    header: bytes = field(repr=False)
    plain: Text | None = None
    html: Text | None = None
    attachments: Sequence[Attachment] = ()


def put_together(pieces: Pieces) -> bytes:
    """Return the mail as `message/rfc822`; the same pieces give the same bytes."""
    bodies = [
        _text(kind, text)
        for kind, text in (("plain", pieces.plain), ("html", pieces.html))
        if text is not None
    ] or [_text("plain", Text(b""))]
    files = [_file(each) for each in pieces.attachments]
    body = _multipart("alternative", bodies) if len(bodies) > 1 else bodies[0]
    if files:
        body = _multipart("mixed", [body, *files])
    kept = b"".join(line + b"\r\n" for line in _kept(pieces.header))
    return kept + b"MIME-Version: 1.0\r\n" + body


def header_block(pairs: Iterable[tuple[str, str]]) -> bytes:
    """Return header lines of names and decoded values.

    A value cannot begin a header of its own; a pair without a proper name or
    without a value is left out.
    """
    lines = []
    for name, value in pairs:
        flat = _BREAKS.sub(" ", value).strip()
        if flat and _HEADER_NAME.fullmatch(name):
            lines.append(f"{name}: {flat}\r\n".encode("utf-8", "replace"))
    return b"".join(lines)


def address(name: str, email: str) -> str:
    """Return one address as a header writes it, its name quoted."""
    if not name:
        return email
    quoted = re.sub(r'(["\\])', r"\\\1", name)
    return f'"{quoted}" <{email}>'


def unpacked(content: str) -> bytes:
    """Return decoded Base64; empty where it is none."""
    try:
        return b64decode(content)
    except ValueError:
        return b""


def _kept(header: bytes) -> Iterator[bytes]:
    """Yield the header lines that stay, with their continuation lines.

    What is no header line would end the block early and is left out with what
    follows it; so is everything after an empty line.
    """
    keeps = False
    for line in header.lstrip().splitlines()[:MAX_HEADER_LINES]:
        if not line.strip():
            return
        if line[:1] not in (b" ", b"\t"):
            keeps = bool(_HEADER_LINE.match(line)) and not _REWRITTEN.match(line)
        if keeps:
            yield line


def _text(kind: str, text: Text) -> bytes:
    charset = text.charset or ""
    declared = f"; charset={charset}" if _CHARSET.fullmatch(charset) else ""
    return _part(f"Content-Type: text/{kind}{declared}", text.content)


def _file(attachment: Attachment) -> bytes:
    found = attachment.media_type.partition(";")[0].strip().lower()
    kind = found if _MEDIA_TYPE.fullmatch(found) else "application/octet-stream"
    # A multipart without parts of its own would be read as text.
    kind = "application/octet-stream" if kind.startswith("multipart/") else kind
    is_shown = bool(attachment.content_id) and kind.startswith("image/")
    head = f"Content-Type: {kind}\r\nContent-Disposition: "
    head += "inline" if is_shown else "attachment"
    head += _file_name(attachment.file_name)
    content_id = _NOT_IN_NAMES.sub("", attachment.content_id).strip("<> ")[:_MAX_NAME]
    if content_id.isascii() and content_id:
        head += f"\r\nContent-ID: <{content_id}>"
    if kind in MESSAGE_TYPES:
        return head.encode("ascii") + b"\r\n\r\n" + attachment.content
    return _part(head, attachment.content)


def _file_name(name: str) -> str:
    clean = _NOT_IN_NAMES.sub("_", name)[:_MAX_NAME]
    if not clean:
        return ""
    if clean.isascii():
        return f'; filename="{clean}"'
    return f"; filename*=utf-8''{quote(clean, safe='', errors='replace')}"


def _part(head: str, content: bytes) -> bytes:
    encoded = encodebytes(content).replace(b"\n", b"\r\n")
    lines = f"{head}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    return lines.encode("ascii") + encoded


def _multipart(kind: str, parts: Sequence[bytes]) -> bytes:
    """Return the parts parted by a delimiter that none of them can hold.

    It is the hash of all of them: nobody can write it into one beforehand.
    """
    digest = sha256()
    for part in parts:
        digest.update(part)
    boundary = f"={digest.hexdigest()[:40]}"
    head = f'Content-Type: multipart/{kind}; boundary="{boundary}"\r\n\r\n'
    delimiter = f"\r\n--{boundary}".encode("ascii")
    pieces = b"".join(delimiter + b"\r\n" + part for part in parts)
    return head.encode("ascii") + pieces + delimiter + b"--\r\n"
