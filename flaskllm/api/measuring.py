"""What the metrics learn from a request that was answered."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, cast

from flask import Response

from flaskllm.core.clock import Clock
from flaskllm.core.metrics import Metrics

_EVENT_STREAM: Final = "text/event-stream"


@dataclass(slots=True)
class Timing:
    """When a request arrived, how long its attempts took, and why the last was made.

    `upstream_seconds` is the sum over all attempts that ended; `decision` that of the
    last one that was begun, empty before the first.
    """

    started_seconds: float
    upstream_seconds: float = 0.0
    decision: str = ""


def measure(
    metrics: Metrics, clock: Clock, timing: Timing, rule: str | None, response: Response
) -> None:
    """Record how long this request took; a streamed answer ends with its stream."""

    def end() -> None:
        seconds = clock.monotonic() - timing.started_seconds
        metrics.time_request(rule, seconds, timing.upstream_seconds)

    def end_stream() -> None:
        metrics.streams_in_flight.dec()
        end()

    if response.mimetype != _EVENT_STREAM:
        end()
        return
    metrics.streams_in_flight.inc()
    response.response = _Streamed(cast(Iterable[bytes], response.response), end_stream)


class _Streamed:
    """The body of a stream, and what happens once when its server closes it."""

    def __init__(self, body: Iterable[bytes], end: Callable[[], None]) -> None:
        self._body = body
        self._end: Callable[[], None] | None = end

    def __iter__(self) -> Iterator[bytes]:
        # The body's own iterator: a chunk must not cost one call more.
        return iter(self._body)

    def close(self) -> None:
        """Close the body, which may be in its middle; more than once is fine."""
        try:
            close = getattr(self._body, "close", None)
            if close:
                close()
        finally:
            end, self._end = self._end, None
            if end:
                end()
