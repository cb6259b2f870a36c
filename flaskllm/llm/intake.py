"""How the bytes of one stream are read: so patiently, so many, and to which end."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flaskllm.core.clock import Clock
from flaskllm.core.errors import LLMAPIError, LLMProtocolError
from flaskllm.llm.senders import ByteStream
from flaskllm.llm.settlement import Settlement
from flaskllm.llm.streams import Piece, StreamReader

_MEBIBYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """What one stream may take; its duration ends with the call's deadline.

    Attributes:
        body_bytes: The whole body, unpacked.
        held_bytes: What may come before the first token.
        ping_seconds: After so much silence the caller gets a sign of life.
        tail_seconds: What an upstream that said its finish has for usage and end
            mark.
    """

    body_bytes: int = 256 * _MEBIBYTE
    held_bytes: int = _MEBIBYTE
    ping_seconds: float = 5.0
    tail_seconds: float = 1.0


LIMITS = Limits()


class Intake:
    """Turns what comes over the wire into pieces.

    An upstream that said its finish has said its answer: what goes wrong after it
    takes nothing from that.

    Attributes:
        bytes_taken: How many came so far, unpacked.
    """

    def __init__(
        self,
        stream: ByteStream,
        reader: StreamReader,
        settlement: Settlement,
        clock: Clock,
        limits: Limits,
    ) -> None:
        """Start before the first byte; `settlement` hears what was skipped."""
        self.bytes_taken = 0
        self._stream = stream
        self._reader = reader
        self._settlement = settlement
        self._clock = clock
        self._limits = limits
        self._timeouts = settlement.attempt.deployment.timeouts
        self._has_ended = False
        self._tail_until: float | None = None

    def rest(self) -> Iterator[Piece | None]:
        """Yield what still comes, to the end; None after a silence.

        Raises:
            LLMAPIError: The upstream told an error, fell silent or broke off.
            CallerGone: Nobody waits for the answer any more.
        """
        while not self.is_over():
            data = self._read()
            if data is None:
                yield None
            else:
                yield from self.take(data)

    def is_over(self) -> bool:
        """Tell whether all was read; what broke after the last pieces is raised."""
        if self._has_ended or self._reader.is_complete:
            return True
        if self._reader.broken is not None:
            raise self._reader.broken
        return False

    def _read(self) -> bytes | None:
        """Return what came; whatever breaks after the finish ends the answer well."""
        if not self._reader.is_finished:
            return self._read_on()
        try:
            return self._read_on() if self._reader.may_go_on else self._read_tail()
        except LLMAPIError:
            return b""

    def _read_on(self) -> bytes | None:
        return self._stream.read(
            gap_seconds=self._timeouts.chunk_gap_seconds,
            tick_seconds=self._limits.ping_seconds,
        )

    def _read_tail(self) -> bytes:
        """Return what follows the finish, nothing once its time is over."""
        now_seconds = self._clock.monotonic()
        if self._tail_until is None:
            self._tail_until = now_seconds + self._limits.tail_seconds
        left_seconds = self._tail_until - now_seconds
        if left_seconds <= 0.0:
            return b""
        data = self._stream.read(gap_seconds=left_seconds, tick_seconds=left_seconds)
        return data or b""

    def take(self, data: bytes) -> Sequence[Piece]:
        """Return what these bytes complete; none at all are the end.

        Raises:
            LLMAPIError: The upstream tells an error, or ends too early.
            LLMProtocolError: It says what cannot be read, or too much.
        """
        if not data:
            return self._end()
        self.bytes_taken += len(data)
        if self.bytes_taken > self._limits.body_bytes:
            raise LLMProtocolError(
                details=f"The stream is longer than {self._limits.body_bytes} bytes."
            )
        try:
            pieces = self._reader.feed(data)
        except LLMAPIError:
            if not self._was_finished():
                raise
            return self._end()
        finally:
            self._settlement.malformed = self._reader.malformed
        if self._reader.broken is not None and self._was_finished():
            return [*pieces, *self._end()]
        return pieces

    def _was_finished(self) -> bool:
        """Tell whether the answer is whole, so that no error can take from it."""
        return self._reader.is_finished and not self._reader.may_go_on

    def _end(self) -> Sequence[Piece]:
        self._has_ended = True
        return self._reader.end()
