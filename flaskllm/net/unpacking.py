"""Bodies that come compressed though it was not asked for."""

import zlib

from flaskllm.core.errors import LLMProtocolError

CODINGS = frozenset({"gzip", "x-gzip", "deflate"})

_PIECE_BYTES = 256 * 1024
_EITHER_HEADER = 32  # added to the window's size: zlib finds out which it is


class Unpacker:
    """Unpacks gzip and deflate a piece at a time, so that a bomb stays small."""

    def __init__(self) -> None:
        """Start before the first byte."""
        self._packed = b""
        self._holds_back = False
        self._begin_member()

    @property
    def needs_more(self) -> bool:
        """Whether `read` waits for `feed`."""
        return not (self._packed or self._holds_back)

    def feed(self, packed: bytes) -> None:
        """Take the next bytes, once there is need of them."""
        self._packed = packed

    def read(self) -> bytes:
        """Return at most a quarter of a mebibyte; it may be nothing.

        Raises:
            LLMProtocolError: It is not what it says, or damaged.
        """
        if self._unpacks.eof:
            self._begin_member()
        try:
            data = self._unpacks.decompress(self._packed, _PIECE_BYTES)
        except zlib.error as error:
            raise _not_readable() from error
        self._packed = self._unpacks.unconsumed_tail or self._unpacks.unused_data
        self._holds_back = len(data) == _PIECE_BYTES
        self._has_begun = True
        return data

    def end(self) -> None:
        """Return when the body may end here.

        Raises:
            LLMProtocolError: It was cut.
        """
        if self._has_begun and not self._unpacks.eof:
            raise _not_readable()

    def _begin_member(self) -> None:
        self._unpacks = zlib.decompressobj(zlib.MAX_WBITS + _EITHER_HEADER)
        self._has_begun = False


def _not_readable() -> LLMProtocolError:
    return LLMProtocolError(details="The upstream's answer cannot be unpacked.")
