"""Server-sent events and lines of JSON: bytes in pieces to whole events, and back.

The form is that of the HTML standard, section 9.2: lines end in LF, CRLF or CR,
a blank line ends an event, `:` begins a comment. Where a network cut the bytes
changes nothing about what comes out.
"""

import re
from itertools import pairwise
from typing import Final, NamedTuple

from flaskllm.core.errors import LLMProtocolError

MEBIBYTE = 1024 * 1024

PING: Final = b": ping\n\n"
DONE: Final = b"data: [DONE]\n\n"

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_LINE_BREAK = re.compile(rb"\r\n|\r|\n")
# The end of a line, then a blank line. A CR at the very end of what came may be
# half a CRLF: it waits for the next byte, unless the line before ended in CR too,
# which nobody mixes with CRLF.
_BLOCK_END = re.compile(rb"(?>\r\n|\n)(?>\r\n|\n|\r(?=[^\n]))|\r\r")
_LONGEST_HALF_END = 3  # CRLF CR
_NOT_IN_A_NAME = re.compile(r"[\r\n\0]")


class SSEEvent(NamedTuple):
    """One event.

    `raw` is the whole block with its blank line, as it was received; `name` is
    what `event:` says, else empty; `data` joins the lines of `data:` by LF.
    """

    raw: bytes
    name: str
    data: bytes


class SSEParser:
    """Turns the bytes of one stream into its events.

    A block without a line of data, such as a comment, is no event and is left
    out. One that is not finished waits, and is never given when it never ends.
    """

    def __init__(
        self, max_event_bytes: int = MEBIBYTE, max_events: int = 1_000_000
    ) -> None:
        """Start before the first byte; comments count as events here."""
        self._max_event_bytes = max_event_bytes
        self._blocks_left = max_events
        self._rest = bytearray()
        self._has_begun = False
        self._has_returns = False

    def feed(self, data: bytes) -> list[SSEEvent]:
        """Return the events that `data` completes.

        Raises:
            LLMProtocolError: One is longer than the cap, or they are too many.
        """
        searched = max(0, len(self._rest) - _LONGEST_HALF_END)
        self._rest += data
        if not self._has_returns:
            self._has_returns = b"\r" in data
        if not self._has_begun and not self._begin():
            return []
        blocks = self._take_blocks(searched)
        self._blocks_left -= len(blocks)
        if self._blocks_left < 0:
            raise LLMProtocolError(details="the upstream's stream has too many events")
        if max(map(len, [self._rest, *blocks])) > self._max_event_bytes:
            raise _too_long(self._max_event_bytes)
        return [event for block in blocks if (event := _event_of(block)) is not None]

    def _begin(self) -> bool:
        """Drop a byte order mark; tell whether enough is there to see one."""
        if self._rest.startswith(_BYTE_ORDER_MARK):
            del self._rest[: len(_BYTE_ORDER_MARK)]
            self._has_begun = True
        else:
            self._has_begun = len(self._rest) >= len(_BYTE_ORDER_MARK)
        return self._has_begun

    def _take_blocks(self, searched: int) -> list[bytes]:
        """Take out the blocks that end behind `searched`."""
        if not self._has_returns:
            if self._rest.find(b"\n\n", searched) < 0:
                return []
            *blocks, rest = bytes(self._rest).split(b"\n\n")
            self._rest = bytearray(rest)
            return [block + b"\n\n" for block in blocks]
        ends = [end.end() for end in _BLOCK_END.finditer(self._rest, searched)]
        blocks = [bytes(self._rest[a:b]) for a, b in pairwise([0, *ends])]
        del self._rest[: ends[-1] if ends else 0]
        return blocks


class LineParser:
    """Turns the bytes of one stream into its lines: one JSON text each (NDJSON)."""

    def __init__(
        self, max_line_bytes: int = MEBIBYTE, max_lines: int = 1_000_000
    ) -> None:
        """Start before the first byte; blank lines count too."""
        self._max_line_bytes = max_line_bytes
        self._lines_left = max_lines
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Return the lines that `data` completes, without breaks, none of them blank.

        Raises:
            LLMProtocolError: One is longer than the cap, or they are too many.
        """
        if b"\n" not in data:
            self._rest += data
            self._check(self._rest)
            return []
        *whole, rest = (bytes(self._rest) + data).split(b"\n")
        self._rest = bytearray(rest)
        self._lines_left -= len(whole)
        if self._lines_left < 0:
            raise LLMProtocolError(details="The upstream's stream has too many lines.")
        for line in (*whole, rest):
            self._check(line)
        return [line for line in map(bytes.strip, whole) if line]

    def end(self) -> list[bytes]:
        """Return the last line when it has no break, else nothing."""
        last = bytes(self._rest).strip()
        self._rest.clear()
        return [last] if last else []

    def _check(self, line: bytes | bytearray) -> None:
        if len(line) > self._max_line_bytes:
            raise _too_long(self._max_line_bytes)


def encode_event(
    data: bytes | str, *, name: str | None = None, id: int | None = None
) -> bytes:
    """Return one event, which stays one whatever breaks its data holds.

    Raises:
        ValueError: The name holds a line break or a NUL.
    """
    if name is not None and _NOT_IN_A_NAME.search(name):
        raise ValueError("the name of an event holds a line break or a NUL")
    if isinstance(data, str):
        data = data.encode("utf-8", "replace")
    if b"\n" in data or b"\r" in data:
        data = b"\ndata: ".join(_LINE_BREAK.split(data))
    head = b"" if id is None else b"id: %d\n" % id
    if name is not None:
        head += b"event: %b\n" % name.encode("utf-8", "replace")
    return b"%bdata: %b\n\n" % (head, data)


def _event_of(block: bytes) -> SSEEvent | None:
    """Return the event in a block that ends in a blank line, or None."""
    block = block.lstrip(b"\r\n")
    is_usual = block.startswith(b"data: ") and b"\r" not in block
    if is_usual and block.find(b"\n") == len(block) - 2:
        return SSEEvent(block, "", block[6:-2])
    name = b""
    lines: list[bytes] = []
    for line in block.splitlines():  # of bytes: LF, CRLF and CR only
        field, _, value = line.partition(b":")
        if field == b"data":
            lines.append(value.removeprefix(b" "))
        elif field == b"event":
            name = value.removeprefix(b" ")
    if not lines:
        return None
    return SSEEvent(block, name.decode("utf-8", "replace"), b"\n".join(lines))


def _too_long(most_bytes: int) -> LLMProtocolError:
    return LLMProtocolError(
        details=f"One event of the upstream's stream is longer than {most_bytes} bytes."
    )
