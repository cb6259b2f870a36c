"""A stream that is kept while it goes out, to be told again as it was."""

from collections.abc import Callable, Iterator
from typing import Protocol

from flaskllm.core.sse import PING


class EndingBody(Protocol):
    """The body of a stream that knows how it ends, see `streaming.stream_reply`."""

    @property
    def is_ending(self) -> bool:
        """Tell whether what is left, if anything, comes without a wait."""
        ...

    @property
    def ended_well(self) -> bool:
        """Tell whether the end was reached, and was the clean one."""
        ...

    def __iter__(self) -> Iterator[bytes]: ...

    def __next__(self) -> bytes: ...

    def close(self) -> None:
        """End the stream where it is."""
        ...


class Recording:
    """Passes a stream on, and keeps what was sent, but for the signs of life.

    It is kept before the last bytes go out, and only when these are the clean end:
    who has read the end will be told the same again. A stream that broke, was cut or
    was left by its caller is not kept.
    """

    def __init__(
        self,
        body: EndingBody,
        keep: Callable[[bytes], object],
        release: Callable[[str], object],
        most_bytes: int,
    ) -> None:
        """Start before the first byte.

        Args:
            body: The stream.
            keep: Takes the whole of it. Of this and `release` one is called, once.
            release: Takes why it is not kept; empty where it did not end well.
            most_bytes: What is longer is passed on, and not kept.
        """
        self._body = body
        self._keep = keep
        self._release = release
        self._left_bytes = most_bytes
        self._pieces: list[bytes] = []
        self._is_decided = False

    def __iter__(self) -> "Recording":
        return self

    def __next__(self) -> bytes:
        try:
            data = next(self._body)
        except StopIteration:
            self._decide()
            raise
        self._note(data)
        if not self._body.is_ending:
            return data
        last = [data]
        for more in self._body:
            self._note(more)
            last.append(more)
        self._decide()
        return b"".join(last)

    def close(self) -> None:
        """End the stream where it is; more than once is fine."""
        try:
            self._body.close()
        finally:
            self._decide()

    def _note(self, data: bytes) -> None:
        if data == PING:
            return
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            self._pieces.clear()
        else:
            self._pieces.append(data)

    def _decide(self) -> None:
        if self._is_decided:
            return
        self._is_decided = True
        pieces, self._pieces = self._pieces, []
        if not self._body.ended_well:
            self._release("")
        elif self._left_bytes < 0:
            self._release("the stream is too long")
        else:
            self._keep(b"".join(pieces))
