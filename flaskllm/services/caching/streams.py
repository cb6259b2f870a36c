"""Streams that are kept while they pass, and streams that are told again."""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import replace
from typing import Any

from flaskllm.core.clock import Clock
from flaskllm.core.errors import CallerGone, LLMAPIError
from flaskllm.llm.streaming import StreamAnswer
from flaskllm.llm.streams import Chunk, Piece, Seam
from flaskllm.llm.types import Completion, FinishReason, Usage
from flaskllm.llm.whole import Gathered, chunks_of
from flaskllm.services.caching.entries import MOST_CHARACTERS, Entry, as_cached
from flaskllm.services.caching.flights import CLAIM_SECONDS


class Recording:
    """A stream that passes as it is, and is told to somebody once it is whole.

    What breaks, is joined from two deployments, or is longer than 8 MiB, is not. When
    its reader comes back after holding it up for six seconds in all, nobody is to wait
    for it any more: it is given up, and is told all the same. Who does not come back is
    hung up on, which closes it.
    """

    def __init__(
        self,
        answer: StreamAnswer,
        read_again: Callable[[bytes], Iterator[Chunk]],
        conclude: Callable[[Completion, bytes | None], None],
        give_up: Callable[[BaseException | None], None],
        clock: Clock,
    ) -> None:
        """Take over a stream that has begun.

        Args:
            answer: The stream.
            read_again: Reads in chunks what was passed on as it came.
            conclude: Hears the whole answer, and its events where they were passed on.
            give_up: Hears that there is none; and why, where it broke or was closed.
            clock: Times who reads it.
        """
        self._answer = answer
        self._read_again = read_again
        self._conclude = conclude
        self._give_up = give_up
        self._clock = clock
        self._held_up_seconds = 0.0
        self._gathered = Gathered()
        self._events: list[bytes] = []
        self._length = 0
        self._is_over = False
        self._pieces = self._run()

    def __getattr__(self, name: str) -> Any:
        """Return what the stream tells of itself, a `StreamAnswer` as this is."""
        if name.startswith("_"):  # ours, and not there yet
            raise AttributeError(name)
        return getattr(self._answer, name)

    def __iter__(self) -> Iterator[Piece | None]:
        """Return the one iterator over the pieces."""
        return self._pieces

    def close(self) -> None:
        """Close the stream; who waits for it is told that it was not whole."""
        self._pieces.close()
        self._answer.close()
        self._end(CallerGone())

    def _run(self) -> Generator[Piece | None, None, None]:
        try:
            for piece in self._answer:
                self._keep(piece)
                passed_seconds = self._clock.monotonic()
                yield piece
                self._hold_up(self._clock.monotonic() - passed_seconds)
            self._tell_whole()
        except BaseException as error:  # or those who wait would wait for ever
            self._end(error)
            raise

    def _hold_up(self, seconds: float) -> None:
        was_patient = self._held_up_seconds <= CLAIM_SECONDS
        self._held_up_seconds += seconds
        if was_patient and self._held_up_seconds > CLAIM_SECONDS:
            self._give_up(CallerGone())

    def _keep(self, piece: Piece | None) -> None:
        if self._length > MOST_CHARACTERS:
            return
        if isinstance(piece, bytes):
            self._events.append(piece)
            self._length += len(piece)
        elif isinstance(piece, Chunk):
            self._gathered.add(piece)
            self._length = self._gathered.characters

    def _tell_whole(self) -> None:
        answer, reason = self._answer, self._answer.finish_reason
        is_whole = answer.seam is None and self._length <= MOST_CHARACTERS
        if not is_whole or reason is None:
            self._end(None)
            return
        events = b"".join(self._events) if answer.is_raw else None
        try:
            if events is not None:
                for chunk in self._read_again(events):
                    self._gathered.add(chunk)
            whole = self._gathered.completion(reason, answer.usage, answer.model)
            self._conclude(whole, events)
            self._is_over = True
        except LLMAPIError:  # what a caller could read, we cannot
            self._end(None)

    def _end(self, error: BaseException | None) -> None:
        if not self._is_over:
            self._is_over = True
            self._give_up(error)


class Retold:
    """A stream of an answer that is there already."""

    is_complete = True
    seam: Seam | None = None
    attempts = 0
    failures: tuple[str, ...] = ()

    def __init__(self, entry: Entry, *, is_raw: bool) -> None:
        """Start before the first piece.

        Args:
            entry: The answer.
            is_raw: Whether its events are passed on as they came.
        """
        assert entry.completion is not None
        self.alias = entry.alias
        self.deployment = entry.answered_by
        self.dropped = entry.dropped
        self.rate_limits: Mapping[str, str] = {}
        self.is_raw = is_raw
        self._completion = as_cached(replace(entry.completion, raw=None))
        self._events = entry.events
        self._pieces = self._run()

    @property
    def usage(self) -> Usage:
        """Return the tokens of the answer, as they were counted then."""
        return self._completion.usage

    @property
    def finish_reason(self) -> FinishReason | None:
        """Return why the answer ended."""
        return self._completion.finish_reason

    @property
    def model(self) -> str:
        """Return the name that the upstream gave itself."""
        return self._completion.model

    def __iter__(self) -> Iterator[Piece | None]:
        """Return the one iterator over the pieces."""
        return self._pieces

    def close(self) -> None:
        """Tell no more of it."""
        self._pieces.close()

    def _run(self) -> Generator[Piece | None, None, None]:
        if self.is_raw and self._events is not None:
            yield self._events
            return
        yield from chunks_of(self._completion)
