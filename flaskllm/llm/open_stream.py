"""One attempt at a stream: held back until its first token, then read to its end.

Until the first token another deployment can take over unnoticed.
"""

import contextlib
from collections.abc import Generator, Iterator
from dataclasses import replace

from flaskllm.core.clock import Clock
from flaskllm.core.errors import (
    CallerGone,
    LLMAPIError,
    LLMProtocolError,
    LLMRefused,
    LLMTimeout,
)
from flaskllm.llm.intake import LIMITS, Intake, Limits
from flaskllm.llm.senders import ByteStream
from flaskllm.llm.settlement import Settlement, estimate_answer
from flaskllm.llm.streams import Opening, Piece, StreamReader
from flaskllm.llm.types import Attempt, CompletionRequest, FinishReason, Usage


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
        self._limits = limits
        self._intake = Intake(stream, reader, settlement, clock, limits)
        self._held: list[Piece] = []
        self._pieces = self._run()

    @property
    def attempt(self) -> Attempt:
        """Return the attempt."""
        return self._settlement.attempt

    @property
    def text(self) -> str:
        """Return the text of the answer so far, without thoughts."""
        return self._reader.text

    @property
    def opening(self) -> Opening | None:
        """Return how the answer began, where its events are passed on."""
        return self._reader.opening

    @property
    def is_complete(self) -> bool:
        """Tell whether the upstream's end mark was read: what is left is at hand."""
        return self._reader.is_complete

    @property
    def is_joinable(self) -> bool:
        """Tell whether another deployment may go on with the answer."""
        return self._reader.is_joinable and self._reader.finish_reason is None

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

        What breaks in the same bytes is an error too: nobody has seen the token yet.

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
            while not (self._intake.is_over() or self._reader.has_token):
                self._hold_more(first_token_seconds)
            self._raise_refused()
        except BaseException as error:
            usage = self.usage if self._reader.has_token else self._reader.usage
            self._settlement.tell_error(error, usage)
            self._stream.close()
            raise
        self._settlement.mark_first_token()

    def __iter__(self) -> Iterator[Piece | None]:
        """Return the one iterator over what is held and what still comes."""
        return self._pieces

    def break_off(self, error: LLMAPIError) -> None:
        """Hang up on an upstream that says what is of no use; the error is told."""
        self._settlement.tell_error(error, self.usage)
        self.close()

    def close(self) -> None:
        """End the stream where it is; the attempt is settled."""
        self._pieces.close()
        self._abandon()

    def _hold_more(self, first_token_seconds: float | None) -> None:
        timeouts = self._settlement.attempt.deployment.timeouts
        data = self._stream.read(
            gap_seconds=timeouts.first_byte_seconds,
            tick_seconds=self._left(first_token_seconds),
        )
        if data is not None:
            self._held += self._intake.take(data)
        if self._reader.has_token:
            return
        if self._left(first_token_seconds) == 0.0:
            raise LLMTimeout(details="No first token came in time.")
        if self._intake.bytes_taken > self._limits.held_bytes:
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
            for _ in self._intake.rest():  # the usage is still to come
                pass
        refused = LLMRefused(details="Its content policy withheld the answer.")
        self._settlement.tell_error(refused, self.usage)
        raise refused

    def _run(self) -> Generator[Piece | None, None, None]:
        try:
            yield from self._held
            yield from self._intake.rest()
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
