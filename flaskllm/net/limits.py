"""When a wait must end, and what that means: clocks only, no sockets."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from flaskllm.core.clock import Clock, Deadline
from flaskllm.core.errors import APIError, LLMTimeout


@dataclass(frozen=True, slots=True)
class Limit:
    """A moment, and what it means that it has passed."""

    deadline: Deadline
    error: type[APIError]
    details: str

    def earlier(self, other: "Limit") -> "Limit":
        """Return the one that passes first."""
        return min(self, other, key=lambda limit: limit.deadline.at_seconds)

    def check(self) -> None:
        """Return when the moment has not passed; else raise what it means."""
        if self.deadline.passed():
            raise self.error(details=self.details)


class Pace:
    """How long the peer may be silent, and how long one read may wait for it."""

    def __init__(self, clock: Clock) -> None:
        """Start without either, and as if a byte had come now."""
        self._clock = clock
        self._gap_seconds: float | None = None
        self._tick: Deadline | None = None
        self.note_byte()

    def note_byte(self) -> None:
        """Let the silence begin anew."""
        self._last_byte_at_seconds = self._clock.monotonic()

    @contextmanager
    def set(
        self, gap_seconds: float | None, tick_seconds: float | None
    ) -> Iterator[None]:
        """Apply both inside; None is no limit.

        Args:
            gap_seconds: The longest silence since the last byte, whenever it came.
            tick_seconds: How long to wait, from now.
        """
        self._gap_seconds = gap_seconds
        if tick_seconds is not None:
            self._tick = Deadline.after(tick_seconds, self._clock)
        try:
            yield
        finally:
            self._gap_seconds = self._tick = None

    def ticked(self) -> bool:
        """Tell whether the wait is over."""
        return self._tick is not None and self._tick.passed()

    def apply(self, limit: Limit) -> Limit:
        """Return the end of the silence, or `limit` when that is earlier."""
        if self._gap_seconds is None:
            return limit
        silence_ends = Deadline(
            self._last_byte_at_seconds + self._gap_seconds, self._clock
        )
        details = f"Nothing came for {self._gap_seconds:g} s."
        return limit.earlier(Limit(silence_ends, LLMTimeout, details))

    def shorten(self, limit: Limit) -> float:
        """Return for how many seconds to wait now: to the tick or to `limit`."""
        if self._tick is None:
            return limit.deadline.remaining_seconds()
        return min(limit.deadline.remaining_seconds(), self._tick.remaining_seconds())
