"""Where the body of a reply ends, for each way in which HTTP/1.1 tells it.

`http.client` knows this too, but it cannot stop in the middle of a frame without
losing what it has read: a wait there could neither be used for a ping nor ended
by anything but an error. These take the bytes as they come (RFC 9112, 6 and 7).
"""

import re
from http.client import HTTPException, IncompleteRead
from typing import Protocol

_LONGEST_CHUNK_HEAD = 4096  # with extensions, which nobody reads
_LONGEST_TRAILERS = 64 * 1024

# The end of the chunk before, and how long the next one is.
_CHUNK_HEAD = re.compile(rb"\r\n([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r\n")
_CHUNK_HEAD_BEGUN = re.compile(
    rb"(?:\r(?:\n(?:[0-9A-Fa-f]{1,16}[ \t]*(?:;[^\r\n]*)?\r?)?)?)?"
)


class Framing(Protocol):
    """Finds the body in the bytes behind the head of a reply.

    Attributes:
        is_complete: Whether the body has ended.
        has_surplus: Whether there was something behind it.
    """

    is_complete: bool
    has_surplus: bool

    def feed(self, data: bytes) -> bytes:
        """Return what `data` holds of the body.

        Raises:
            HTTPException: It breaks the rules.
        """
        ...

    def end(self) -> None:
        """Take note that the connection has ended.

        Raises:
            IncompleteRead: The body has not.
        """
        ...


class Unsized:
    """A body that ends with its connection."""

    def __init__(self) -> None:
        """Start before its first byte."""
        self.is_complete = False
        self.has_surplus = False

    def feed(self, data: bytes) -> bytes:
        """Return all of it."""
        return data

    def end(self) -> None:
        """Take this for the end of the body."""
        self.is_complete = True


class Sized:
    """A body of a length that was announced."""

    def __init__(self, n_bytes: int) -> None:
        """Start before its first byte."""
        self._left = n_bytes
        self.is_complete = not n_bytes
        self.has_surplus = False

    def feed(self, data: bytes) -> bytes:
        """Return what belongs to the body."""
        piece = data[: self._left]
        self._left -= len(piece)
        self.is_complete = not self._left
        self.has_surplus = len(piece) < len(data)
        return piece

    def end(self) -> None:
        """Refuse: a byte is missing."""
        raise IncompleteRead(b"", self._left)


class Chunked:
    """A body in chunks, each with its length before it."""

    def __init__(self) -> None:
        """Start before the first chunk."""
        self.is_complete = False
        self.has_surplus = False
        self._left = 0
        self._is_last = False
        self._trailers_left = _LONGEST_TRAILERS
        # As if a chunk had just ended, so that every head has the same form.
        self._rest = b"\r\n"

    def feed(self, data: bytes) -> bytes:
        """Return what all chunks in `data` hold, finished or not."""
        data = self._rest + data
        pieces: list[bytes] = []
        place = 0
        while place < len(data):
            if not self._left:
                behind = self._read_frame(data, place)
                if behind == place:
                    break
                place = behind
            piece = data[place : place + self._left]
            pieces.append(piece)
            self._left -= len(piece)
            place += len(piece)
        self._rest = data[place:]
        self.has_surplus = self.is_complete and bool(self._rest)
        return b"".join(pieces)

    def end(self) -> None:
        """Refuse: the last chunk is missing."""
        raise IncompleteRead(b"")

    def _read_frame(self, data: bytes, place: int) -> int:
        """Return where the line at `place` ends, or `place` when it does not yet."""
        if self.is_complete:
            return place
        if self._is_last:
            return self._read_trailer(data, place)
        head = _CHUNK_HEAD.match(data, place)
        if head:
            self._left = int(head[1], 16)
            self._is_last = not self._left
            return head.end()
        begun = _CHUNK_HEAD_BEGUN.fullmatch(data, place)
        if not begun or len(data) - place > _LONGEST_CHUNK_HEAD:
            raise HTTPException("the length of a chunk cannot be read")
        return place

    def _read_trailer(self, data: bytes, place: int) -> int:
        end = data.find(b"\r\n", place)
        length = (end if end >= 0 else len(data)) - place
        if length > self._trailers_left:
            raise HTTPException("the trailers are too long")
        if end < 0:
            return place
        self._trailers_left -= length + 2
        self.is_complete = not length
        return end + 2
