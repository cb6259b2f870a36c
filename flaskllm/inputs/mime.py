"""Cut a mail into its MIME parts without believing it.

The standard library reads each header block. The tree is cut here, from one
list of delimiter lines, because the library's own parser recurses once per
level (1,500 levels raise RecursionError) and checks every line against every
open boundary, which takes minutes on a hostile mail. Depth, number of parts and
size of headers are bounded before anything is read.
"""

import re
from bisect import bisect_left
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import policy
from email.message import Message
from email.parser import BytesHeaderParser
from itertools import islice

from flaskllm.inputs.document import Notice
from flaskllm.inputs.encoded_words import unfold_header

MAX_DEPTH = 100
MAX_PARTS = 1_000
MAX_HEADER_BYTES = 256 * 1024
_MAX_DELIMITERS = 20_000

_BLANK_LINE = re.compile(rb"\r?\n[ \t]*\r?\n|\r\r")
# Boundaries have at most 70 characters; senders break that rule, not wildly.
_DELIMITER = re.compile(rb"[\r\n]--([^\r\n]{1,200})(?=[\r\n]|\Z)")
_LINE_BREAK = re.compile(rb"\r\n|[\r\n]|")
# A header names these once; a text before its first empty line hardly ever does.
_IN_A_HEADER = re.compile(rb"^(?:mime-version|content-type):", re.I | re.M)
_HEADER_LINE = re.compile(rb"^(?:[!-9;-~]{1,100}:|[ \t]).*+(?:\r?\n|\Z)", re.M)
# Words with single spaces between them: no line of base64 has those.
_WORDS = re.compile(rb"\s*[\w.,;:'-]+ [\w.,;:'-]+ ?\S")
_TYPE = "content-type"
_PART_HEADER = re.compile(rb"content-[a-z-]{1,40}:", re.IGNORECASE)
_MEDIA_TYPE = re.compile(r"[\w.+-]{1,60}/[\w.+-]{1,80}")
# Messages inside a message; other message types hold reports, not text.
MESSAGE_TYPES = frozenset({"message/rfc822", "message/global", "message/news"})


@dataclass(frozen=True, slots=True)
class Node:
    """One MIME part. `path` is its number (`1.2`); `body` is empty for a tree.

    `media_type` is lower case; a multipart without parts is `text/plain`.
    """

    path: str
    header: "Message[str, str]"
    media_type: str
    body: bytes = b""
    children: tuple["Node", ...] = ()

    def parameter(self, name: str) -> str | None:
        """Return a parameter of the content type, or None."""
        return _parameter(self.header, name)

    @property
    def disposition(self) -> str:
        """`attachment`, `inline` or empty."""
        value = str(self.header.get("content-disposition", ""))
        return value.partition(";")[0].strip().lower()

    def file_name(self) -> str | tuple[str | None, str | None, str] | None:
        """Return the name of the file as it is written, or None.

        A tuple is what RFC 2231 makes of it: charset, language, value.
        """
        for header, name in (("content-disposition", "filename"), (_TYPE, "name")):
            # The library drops bytes of no charset; names hold them all the same.
            copy: Message[str, str] = Message()
            copy[header] = unfold_header(self._raw(header))
            found = _written(copy, header, name)
            if found:
                return found
        return None

    def _raw(self, header: str) -> str:
        items = self.header.raw_items()
        return next((str(value) for key, value in items if key.lower() == header), "")

    @property
    def is_encoded(self) -> bool:
        """Whether the body is written in other characters than its own."""
        encoding = str(self.header.get("content-transfer-encoding", ""))
        return encoding.strip().lower() not in ("", "7bit", "8bit", "binary")

    def payload(self) -> bytes:
        """Return the body with its transfer encoding undone, as far as it can be."""
        if self._is_not_base64():
            return self.body
        self.header.set_payload(self.body.decode("ascii", "surrogateescape"))
        decoded = self.header.get_payload(decode=True)
        return decoded if isinstance(decoded, bytes) else self.body

    def _is_not_base64(self) -> bool:
        """Whether the body says that it is base64 and begins with plain words."""
        encoding = str(self.header.get("content-transfer-encoding", ""))
        return "base64" in encoding.lower() and bool(_WORDS.match(self.body))


@dataclass(frozen=True, slots=True)
class Mail:
    """The tree of a mail and what was wrong with its form."""

    root: Node
    warnings: tuple[Notice, ...]


@dataclass(frozen=True, slots=True)
class _Delimiter:
    """A line that may end a part.

    `start` is the line break before it, which belongs to it; `end` is where the
    next line begins.
    """

    start: int
    end: int
    says: bytes


@dataclass(slots=True)
class _Cutter:
    """The content, its delimiter lines, and how much was cut so far."""

    content: bytes
    delimiters: list[_Delimiter]
    starts: list[int]
    parts: int = 0
    defects: dict[str, str] = field(default_factory=dict)

    def cut(self, start: int, end: int, path: str, depth: int) -> Node:
        """Return the part that stands between two places."""
        self.parts += 1
        header, body = self._header(start, end)
        media_type = _media_type(header)
        is_message = media_type in MESSAGE_TYPES
        if is_message and depth < MAX_DEPTH:
            inner = self.cut(body, end, f"{path}.1" if path else "1", depth + 1)
            return Node(path or "1", header, media_type, children=(inner,))
        if media_type.startswith("multipart/"):
            return self._cut_multipart(header, media_type, (body, end), path, depth)
        if is_message:
            self._cut_nesting()
        return Node(path or "1", header, media_type, self.content[body:end])

    def _cut_nesting(self) -> None:
        self.defects["nesting_cut"] = (
            f"Parts nested deeper than {MAX_DEPTH} levels were left out."
        )

    def _header(self, start: int, end: int) -> tuple["Message[str, str]", int]:
        header, body, dropped = _read_header(self.content, start, end)
        if dropped:
            self.defects["header_broken"] = (
                "Lines within a header that are no part of one were left out."
            )
        return header, body

    def _cut_multipart(
        self,
        header: "Message[str, str]",
        media_type: str,
        place: tuple[int, int],
        path: str,
        depth: int,
    ) -> Node:
        if depth >= MAX_DEPTH:
            self._cut_nesting()
            return Node(path, header, media_type)
        ranges = self._ranges(header, *place)
        if not ranges:
            self.defects["multipart_without_parts"] = (
                "The mail says that it has parts, but none was found."
            )
            body = self.content[place[0] : place[1]]
            return Node(path or "1", header, "text/plain", body)
        prefix = f"{path}." if path else ""
        children = []
        for number, (start, end) in enumerate(ranges, start=1):
            if self.parts >= MAX_PARTS:
                self.defects["parts_cut"] = (
                    f"Parts after the first {MAX_PARTS} were left out."
                )
                break
            children.append(self.cut(start, end, f"{prefix}{number}", depth + 1))
        return Node(path, header, media_type, children=tuple(children))

    def _ranges(
        self, header: "Message[str, str]", start: int, end: int
    ) -> list[tuple[int, int]]:
        """Return the places of the parts in a multipart body."""
        first = bisect_left(self.starts, start - 2)
        last = bisect_left(self.starts, end)
        inside = self.delimiters[first:last]
        declared = _parameter(header, "boundary") or ""
        boundary = declared.encode("utf-8", "surrogateescape").rstrip()
        ranges = list(_between(inside, boundary, end)) if boundary else []
        if ranges:
            return ranges
        guessed = self._guess(inside)
        return list(_between(inside, guessed, end)) if guessed else []

    def _guess(self, inside: list[_Delimiter]) -> bytes:
        """Return the boundary in use where the declared one never occurs."""
        for delimiter in inside[:50]:
            if _PART_HEADER.match(self.content, delimiter.end):
                return delimiter.says
        return b""


def read_mail(content: bytes, path: str = "") -> Mail | None:
    """Return the tree of a mail, or None when it has no header at all.

    Args:
        content: The raw mail.
        path: The number of its root where it was cut out of another mail; the
            caps of depth count from there.
    """
    content = content.removeprefix(BOM_UTF8).lstrip()
    found = islice(_DELIMITER.finditer(content), _MAX_DELIMITERS)
    delimiters = [_delimiter(content, match) for match in found]
    cutter = _Cutter(content, delimiters, [line.start for line in delimiters])
    root = cutter.cut(0, len(content), path, path.count(".") if path else 0)
    if not root.header.keys():
        return None
    warnings = [Notice(code, detail) for code, detail in cutter.defects.items()]
    return Mail(root, tuple(warnings))


def _delimiter(content: bytes, match: re.Match[bytes]) -> _Delimiter:
    start = match.start()
    start -= content[start - 1 : start + 1] == b"\r\n"
    line_break = _LINE_BREAK.match(content, match.end())
    end = line_break.end() if line_break else match.end()
    return _Delimiter(start, end, match.group(1).rstrip())


def _read_header(
    content: bytes, start: int, end: int
) -> tuple["Message[str, str]", int, bool]:
    """Return the header of a part, where its body begins, and if it was mended."""
    limit = min(end, start + MAX_HEADER_BYTES)
    # A part without a header begins with the empty line itself; the line break
    # that ends the line before it is the first half of the pattern then.
    blank = _BLANK_LINE.search(content, max(0, start - 1), limit)
    stop = blank.end() if blank else limit
    section = content[start:stop]
    header, left = _parse_header(section)
    if left and header.keys() and _IN_A_HEADER.search(section, len(section) - left):
        # A line that is no header ended it too early: the rest goes on after it.
        lines = _HEADER_LINE.findall(section)
        return _parse_header(b"".join(lines))[0], stop, True
    # What the library did not take for a header belongs to the body.
    return header, max(start, stop - left), False


def _parse_header(section: bytes) -> tuple["Message[str, str]", int]:
    """Return a header and how many bytes at the end are none of it."""
    parser = BytesHeaderParser(policy=policy.compat32)
    header: Message[str, str] = parser.parsebytes(section)
    left = header.get_payload()
    return header, len(left) if isinstance(left, str) else 0


def _media_type(header: "Message[str, str]") -> str:
    declared = str(header.get("content-type", "text/plain"))
    found = declared.partition(";")[0].strip().lower()
    return found if _MEDIA_TYPE.fullmatch(found) else "text/plain"


def _parameter(header: "Message[str, str]", name: str) -> str | None:
    # `get_boundary` and `get_content_charset` decode what RFC 2231 wrapped, with
    # any codec a stranger names, and raise; the raw third value is enough.
    found = _written(header, _TYPE, name)
    return found[2] if isinstance(found, tuple) else found


def _written(
    message: "Message[str, str]", header: str, name: str
) -> str | tuple[str | None, str | None, str] | None:
    """Return a parameter of a header as it is written, or None."""
    try:
        found = message.get_param(name, header=header)
    except TypeError:
        # One that is whole beside one in pieces: the library cannot put them in order.
        return None
    return found if isinstance(found, str | tuple) else None


def _between(
    delimiters: list[_Delimiter], boundary: bytes, end: int
) -> Iterator[tuple[int, int]]:
    """Yield the places between delimiter lines; an unclosed last part counts."""
    begun: int | None = None
    for delimiter in delimiters:
        if delimiter.says not in (boundary, boundary + b"--"):
            continue
        if begun is not None:
            yield begun, max(begun, delimiter.start)
        begun = None
        if delimiter.says != boundary:
            return
        begun = delimiter.end
    if begun is not None:
        yield begun, end
