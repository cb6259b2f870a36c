"""Streamed answers as server-sent events, whatever dialect they are told in.

The body runs after its request: it has the id and the principal of its log lines,
and nothing else of Flask's.
"""

import logging
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import Context
from typing import Protocol

from flask import Response, request

from flaskllm.api import context
from flaskllm.api.draining import Drain
from flaskllm.api.tenure import tenure_here
from flaskllm.api.websocket_door import door_here
from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.errors import (
    APIError,
    AuthenticationError,
    CallerGone,
    InternalError,
    LLMAPIError,
)
from flaskllm.core.sse import PING
from flaskllm.llm.streaming import StreamAnswer
from flaskllm.llm.streams import Chunk, Seam

EVENT_STREAM = "text/event-stream"
HEADERS: Mapping[str, str] = {
    "Cache-Control": "no-cache",
    # nginx would hold the events back until its buffer is full.
    "X-Accel-Buffering": "no",
}

_OK = "OK"
_log = logging.getLogger(__name__)


class StreamEncoder(Protocol):
    """Tells one answer in a caller's dialect: a fresh one for each stream.

    It runs outside the request: what it needs of it, it was given before.
    """

    def encode(self, chunk: Chunk) -> bytes:
        """Return the events that tell this chunk; empty when it has none."""
        ...

    def resume(self, seam: Seam) -> None:
        """Go on where another deployment takes over, before its first chunk.

        What came before were chunks that this has told; or events that were passed
        on as they came, of which `seam.opening` says how they began.
        """
        ...

    def finish(self, answer: StreamAnswer) -> bytes:
        """Return the clean end, with the seam if there was one.

        Called only when the upstream finished. An answer that is passed on to its
        end as it came has its own end.
        """
        ...

    def fail(self, error: APIError) -> bytes:
        """Return the one event that ends a stream which broke."""
        ...


@contextmanager
def closing_on_failure(answer: StreamAnswer) -> Iterator[None]:
    """Close an answer whose reply does not come about; else the reply closes it."""
    try:
        yield
    except BaseException:
        answer.close()
        raise


def stream_reply(
    answer: StreamAnswer,
    encoder: StreamEncoder,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the reply that streams `answer`, and closes it in every case.

    Raw pieces go out as they are, chunks as `encoder` tells them, also those that
    follow raw pieces after a seam; silence becomes a ping. A stream that breaks ends
    with `encoder.fail`, never with its clean end; so does one whose API token is good
    no more, and one that is not done when a server that stops would soon cut it off.
    """
    clock = context.services().clock
    checks = (Drain(door_here().is_stopping, clock).check, tenure_here().check)
    body = _Body(answer, encoder, clock, checks)
    return Response(
        body,
        content_type=EVENT_STREAM,
        headers={**HEADERS, **(headers or {})},
        # Or whoever asks for the length of the body would read the whole stream.
        direct_passthrough=True,
    )


class _Body:
    """The bytes of a stream. May be closed at any moment, also before the first."""

    def __init__(
        self,
        answer: StreamAnswer,
        encoder: StreamEncoder,
        clock: Clock,
        checks: Sequence[Callable[[], None]],
    ) -> None:
        self._answer = answer
        self._encoder = encoder
        self._clock = clock
        self._checks = checks
        self._started_seconds = clock.monotonic() - context.elapsed_seconds()
        self._rule = request.url_rule.rule if request.url_rule else None
        # Until the end was reached, whoever closes it is a caller who hung up.
        self._code = CallerGone.code
        self._failure: APIError | None = None
        self._chunks = 0
        self._has_ended = False
        self._is_last = False
        self._pieces = self._run()
        # Threads are shared: what is bound for one stream must not show in another.
        self._context = Context()
        self._context.run(
            logs.bind,
            request_id=context.request_id(),
            principal=context.principal().id,
        )

    @property
    def is_ending(self) -> bool:
        """Tell whether what is left, if anything, comes without a wait."""
        return self._is_last or self._failure is not None or self._answer.is_complete

    @property
    def ended_well(self) -> bool:
        """Tell whether the end was reached, and was the clean one."""
        return self._code == _OK

    def __iter__(self) -> "_Body":
        return self

    def __next__(self) -> bytes:
        return self._context.run(next, self._pieces)

    def close(self) -> None:
        """End the stream where it is."""
        self._context.run(self._close)

    def _close(self) -> None:
        self._pieces.close()
        self._end()

    def _run(self) -> Generator[bytes, None, None]:
        try:
            yield from self._told()
            self._code = _OK
        except CallerGone:
            return
        except APIError as error:
            yield self._fail(error)
        except Exception as error:
            ours = InternalError()
            ours.__cause__ = error
            yield self._fail(ours)
        finally:
            self._end()

    def _told(self) -> Iterator[bytes]:
        for piece in self._answer:
            for check in self._checks:
                check()
            if piece is None:
                yield PING
                continue
            if isinstance(piece, bytes):
                data = piece
            elif isinstance(piece, Seam):
                self._encoder.resume(piece)
                continue
            else:
                data = self._encoder.encode(piece)
            # An empty piece would end a chunked body.
            if data:
                self._chunks += 1
                yield data
        if not self._answer.is_raw:
            self._is_last = True
            yield self._encoder.finish(self._answer)

    def _fail(self, error: APIError) -> bytes:
        # Now: whoever reads slowly must not hold the upstream until this is read.
        self._answer.close()
        self._code, self._failure = error.code, error
        return self._encoder.fail(error)

    def _end(self) -> None:
        """Close the answer and write the one line of this stream, once."""
        if self._has_ended:
            return
        self._has_ended = True
        self._answer.close()
        logs.event(
            _log,
            self._level(),
            "stream_ended",
            error=self._failure if isinstance(self._failure, InternalError) else None,
            rule=self._rule,
            status=200,
            chunks=self._chunks,
            seconds=round(self._clock.monotonic() - self._started_seconds, 3),
            code=self._code,
        )

    def _level(self) -> int:
        """Return ERROR for what is ours only: an upstream that breaks off is not."""
        if self._code == _OK:
            return logging.INFO
        theirs = LLMAPIError | AuthenticationError
        is_theirs = self._failure is None or isinstance(self._failure, theirs)
        return logging.WARNING if is_theirs else logging.ERROR
