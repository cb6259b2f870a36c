"""What the metrics learn from a request: from its answer, and from its attempts."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, cast

from flask import Response

from flaskllm.core.clock import Clock
from flaskllm.core.errors import CallerGone, LLMAnswerDiffers
from flaskllm.core.metrics import Metrics
from flaskllm.llm.types import Attempt, Outcome

_EVENT_STREAM: Final = "text/event-stream"
# A stream that cannot be joined to another is left by ourselves.
_NO_CUT: Final = frozenset({"OK", LLMAnswerDiffers.code})


@dataclass(slots=True)
class Timing:
    """When a request arrived, how long its attempts took, and why the last was made.

    `upstream_seconds` is the sum over all attempts that ended; `decision` that of the
    last one that was begun, empty before the first.
    """

    started_seconds: float
    upstream_seconds: float = 0.0
    decision: str = ""


def count_attempt(metrics: Metrics, attempt: Attempt, outcome: Outcome) -> None:
    """Count one attempt, what it used, and a stream that it broke off."""
    name, used = attempt.deployment.label, outcome.usage
    metrics.count_attempt(
        name, attempt.deployment.provider, outcome.code, outcome.latency_seconds
    )
    metrics.count_tokens(
        name,
        {
            "input_uncached": used.input_uncached,
            "input_cache_read": used.input_cache_read,
            "input_cache_write": used.input_cache_write,
            "output_text": used.output_text,
            "output_reasoning": used.output_reasoning,
        },
    )
    metrics.count_malformed(name, outcome.malformed)
    if outcome.first_token_seconds is None:
        return
    metrics.time_first_token(name, outcome.first_token_seconds)
    if outcome.code not in _NO_CUT:
        is_gone = outcome.code == CallerGone.code
        metrics.count_cut("caller" if is_gone else "upstream")


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
