"""One attempt at a stream: held back until its first token, then read to its end.

Until the first token another deployment can take over unnoticed.
"""

import contextlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace

from flaskllm.core.clock import Clock
from flaskllm.core.errors import (
    CallerGone,
    LLMAPIError,
    LLMProtocolError,
    LLMRefused,
    LLMTimeout,
)
from flaskllm.llm.senders import ByteStream
from flaskllm.llm.settlement import Settlement, estimate_answer
from flaskllm.llm.streams import Piece, StreamReader
from flaskllm.llm.types import CompletionRequest, FinishReason, Usage

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


class OpenStream:
    """One attempt whose upstream has begun to answer with status 200."""

    def __init__(
        self,
        request: CompletionRequest,
        stream: ByteStream,
        reader: StreamReader,
        settlement: Settlement,
        clock: Clock,
        limits: Limits = LIMITS,
    ) -> None:
        self._request = request
        self._stream = stream
        self._reader = reader
        self._settlement = settlement
        self._clock = clock
        self._limits = limits
        self._timeouts = settlement.attempt.deployment.timeouts
        self._held: list[Piece] = []
        self._bytes = 0
        self._has_ended = False
        self._tail_until: float | None = None
        self._pieces = self._run()

    @property
    def usage(self) -> Usage:
        """Return the upstream's count, else an estimate.

        Of an answer that was broken off no count is believed that is smaller than
        what came: many upstreams count only at the end.
        """
        said = self._reader.usage
        is_whole = self._reader.is_finished or self._reader.is_complete
        if said.source != "none" and is_whole:
            return said
        model = self._settlement.attempt.deployment.model
        guess = estimate_answer(self._request, self._reader.output, model)
        if said.source == "none":
            return guess
        if said.tokens_output >= guess.output_text:
            return said
        text = guess.output_text - said.output_reasoning
        return replace(said, output_text=text, source="estimated")

    @property
    def finish_reason(self) -> FinishReason | None:
        """Return why the upstream ended, once it said so."""
        return self._reader.finish_reason

    @property
    def model(self) -> str:
        """Return the upstream's name for itself, else the deployment's model."""
        return self._reader.model or self._settlement.attempt.deployment.model

    def hold_until_token(self, first_token_seconds: float | None) -> None:
        """Read up to the first token and keep what came.

        Args:
            first_token_seconds: How long the attempt may take until then, from its
                start; None where there is nowhere else to go.

        Raises:
            LLMTimeout: No token in time, or silence.
            LLMRefused: The upstream finished before it said a word, for its
                content policy.
            LLMAPIError: The upstream told an error, or broke off.
            CallerGone: Nobody waits for the answer any more.
        """
        try:
            while not (self._reader.has_token or self._has_ended):
                self._hold_more(first_token_seconds)
            self._raise_refused()
        except BaseException as error:
            self._settlement.tell_error(error, self._reader.usage)
            self._stream.close()
            raise
        self._settlement.mark_first_token()

    def __iter__(self) -> Iterator[Piece | None]:
        """Return the one iterator over what is held and what still comes."""
        return self._pieces

    def close(self) -> None:
        """End the stream where it is; the attempt is settled."""
        self._pieces.close()
        self._abandon()

    def _hold_more(self, first_token_seconds: float | None) -> None:
        data = self._stream.read(
            gap_seconds=self._timeouts.first_byte_seconds,
            tick_seconds=self._left(first_token_seconds),
        )
        if data is not None:
            self._held += self._take(data)
        if self._reader.has_token:
            return
        if self._left(first_token_seconds) == 0.0:
            raise LLMTimeout(details="No first token came in time.")
        if self._bytes > self._limits.held_bytes:
            raise LLMProtocolError(
                details=f"{self._limits.held_bytes} bytes came without a token."
            )

    def _left(self, first_token_seconds: float | None) -> float | None:
        if first_token_seconds is None:
            return None
        return max(0.0, first_token_seconds - self._settlement.elapsed_seconds)

    def _raise_refused(self) -> None:
        reader = self._reader
        if reader.finish_reason != "content_filter" or reader.output:
            return
        with contextlib.suppress(LLMAPIError):
            for _ in self._rest():  # the usage is still to come
                pass
        refused = LLMRefused(details="Its content policy withheld the answer.")
        self._settlement.tell_error(refused, self.usage)
        raise refused

    def _run(self) -> Generator[Piece | None, None, None]:
        try:
            yield from self._held
            yield from self._rest()
        except GeneratorExit:
            self._abandon()
            raise
        except BaseException as error:
            self._settlement.tell_error(error, self.usage)
            raise
        else:
            self._settlement.tell("OK", self.usage)
        finally:
            self._stream.close()

    def _abandon(self) -> None:
        """Settle what the caller did not read to its end."""
        code = "OK" if self._reader.is_complete else CallerGone.code
        self._settlement.tell(code, self.usage)
        self._stream.close()

    def _rest(self) -> Iterator[Piece | None]:
        while not (self._reader.is_complete or self._has_ended):
            data = self._read()
            if data is None:
                yield None
            else:
                yield from self._take(data)

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

    def _take(self, data: bytes) -> Sequence[Piece]:
        if not data:
            self._has_ended = True
            return self._reader.end()
        self._bytes += len(data)
        if self._bytes > self._limits.body_bytes:
            raise LLMProtocolError(
                details=f"The stream is longer than {self._limits.body_bytes} bytes."
            )
        try:
            return self._reader.feed(data)
        finally:
            self._settlement.malformed = self._reader.malformed
