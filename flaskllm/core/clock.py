"""Time, as an argument: the wall clock, the monotonic clock, and deadlines."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """What tells the time. Tests pass one that they move by hand."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never jump; only differences mean something."""
        ...

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return the wall-clock time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Return after `seconds`."""
        time.sleep(seconds)


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment, on the monotonic clock, by which an answer must be there."""

    at_seconds: float
    clock: Clock

    @classmethod
    def after(cls, seconds: float, clock: Clock) -> "Deadline":
        """Return the deadline `seconds` from now."""
        return cls(clock.monotonic() + seconds, clock)

    def within(self, seconds: float | None) -> "Deadline":
        """Return the deadline in `seconds` if that is earlier; None changes nothing."""
        if seconds is None:
            return self
        return Deadline(
            min(self.at_seconds, self.clock.monotonic() + seconds), self.clock
        )

    def remaining_seconds(self) -> float:
        """Return what is left, never below zero."""
        return max(0.0, self.at_seconds - self.clock.monotonic())

    def passed(self) -> bool:
        """Tell whether nothing is left."""
        return self.clock.monotonic() >= self.at_seconds
