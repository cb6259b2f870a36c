"""Limits over a sliding window, counted with two numbers: the arithmetic of it.

Time is cut into windows of so many seconds, which begin at multiples of that since
1970. What counts at a moment is the count of the window that runs, and of the one
before the part that the last so many seconds still reach into::

    counted = present + previous * (seconds - elapsed) / seconds

So hits of the window before are taken as evenly spread over it. The numbers stay
two however much is counted, which is why tokens are counted this way. No window
that runs ever admits more than the limit; any other span of that length may, where
the hits of the window before came late in it, up to twice the limit at the worst.
"""

from dataclasses import dataclass, replace
from math import floor

# From then on there is room for certain, and not just not yet.
_AFTER_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Window:
    """What was counted under one key.

    `started_at` is when the window began, in whole seconds since 1970; `present` is
    the count of this window and `previous` that of the one before, both >= 0.
    """

    started_at: int
    present: int = 0
    previous: int = 0

    def moved_to(self, now: float, seconds: int) -> "Window":
        """Return it as it is seen at `now`, in seconds since 1970.

        One that began up to `seconds` in the future was counted on a host whose
        clock is ahead, and is left as it is. One further ahead was begun by a clock
        that was wrong: its counts are taken over, so that it ends.
        """
        started_at = start_of(now, seconds)
        ahead_seconds = self.started_at - started_at
        if ahead_seconds > seconds:
            return replace(self, started_at=started_at)
        if ahead_seconds >= 0:
            return self
        if ahead_seconds == -seconds:
            return Window(started_at, 0, self.present)
        return Window(started_at)

    def counted(self, now: float, seconds: int) -> float:
        """Return what counts at `now`, as in the formula above."""
        return self.present + self.previous * self.left_seconds(now, seconds) / seconds

    def left_seconds(self, now: float, seconds: int) -> float:
        """Return how long it runs on: above 0.0, at most `seconds`."""
        return min(seconds, self.started_at + seconds - now)

    def has_room(self, amount: int, limit: int, now: float, seconds: int) -> bool:
        """Tell whether `amount` more fits under `limit`; parts of one are let go."""
        return floor(self.counted(now, seconds)) + amount <= limit

    def remaining(self, limit: int, now: float, seconds: int) -> int:
        """Return how much more fits under `limit`, >= 0."""
        return max(0, limit - floor(self.counted(now, seconds)))

    def plus(self, amount: int) -> "Window":
        """Return it with `amount` more in the window that runs."""
        return replace(self, present=self.present + amount)

    def less(self, amount: int, counted_at: float, seconds: int) -> "Window":
        """Return it without `amount` of what was counted at `counted_at`.

        It is taken from the window in which that was, if it still counts, and no
        count falls below 0.
        """
        behind_seconds = self.started_at - start_of(counted_at, seconds)
        if behind_seconds <= 0:
            return replace(self, present=max(0, self.present - amount))
        if behind_seconds == seconds:
            return replace(self, previous=max(0, self.previous - amount))
        return self

    def room_in_seconds(
        self, amount: int, limit: int, now: float, seconds: int
    ) -> float | None:
        """Return when `amount` more will fit under `limit`, if nobody comes before.

        0.0 is now; None is never: `amount` is above `limit`. With ``room = limit -
        amount + 1`` it fits as soon as less than `room` counts. In the window that
        runs that is so from ``left - (room - present) * seconds / previous`` on,
        and in the next one, of which `present` is then the one before, from ``left +
        seconds - room * seconds / present`` on.
        """
        if amount > limit:
            return None
        if self.has_room(amount, limit, now, seconds):
            return 0.0
        room, left_seconds = limit - amount + 1, self.left_seconds(now, seconds)
        if self.present < room:
            wait = left_seconds - (room - self.present) * seconds / self.previous
        else:
            wait = left_seconds + seconds - room * seconds / self.present
        # A clock that is ahead of ours begins its window later.
        ahead_seconds = max(0.0, self.started_at - now)
        return max(0.0, wait) + ahead_seconds + _AFTER_SECONDS


def start_of(now: float, seconds: int) -> int:
    """Return when the window began that runs at `now`, in seconds since 1970."""
    return floor(now / seconds) * seconds
