"""When a delivery is attempted again, and what an answer means; pure."""

from dataclasses import dataclass
from typing import Final

WAITS_SECONDS: Final = (
    0.0,
    5.0,
    5 * 60.0,
    30 * 60.0,
    2 * 3600.0,
    5 * 3600.0,
    10 * 3600.0,
    14 * 3600.0,
    20 * 3600.0,
    24 * 3600.0,
)
"""What is waited before each attempt, the first one included."""

MOST_ATTEMPTS: Final = len(WAITS_SECONDS)
JITTER: Final = 0.1
"""A wait is so much shorter or longer at most, so that not all come at once."""
LONGEST_RETRY_AFTER_SECONDS: Final = 24 * 3600.0
THROTTLED_SECONDS: Final = 60.0
"""A receiver that is overloaded is left alone for so long at least."""

GONE: Final = 410
_THROTTLING = frozenset({429, 502, 504})


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt.

    Attributes:
        reason: '' for a success, else a word of ours.
        status: That of the answer; None where none came.
        is_gone: The receiver wants to hear nothing any more.
        wait_at_least_seconds: Before the next attempt.
    """

    reason: str
    status: int | None = None
    is_gone: bool = False
    wait_at_least_seconds: float = 0.0

    @property
    def is_success(self) -> bool:
        """Tell whether the receiver has it."""
        return not self.reason


def read_answer(status: int, retry_after_seconds: float | None) -> Outcome:
    """Return what an answer means; its text means nothing.

    2xx is a success, everything else a failure, redirects too. A receiver that says
    410 is gone; 429, 502 and 504 slow down; `Retry-After` is kept to for 24 hours.
    """
    if 200 <= status < 300:
        return Outcome("", status)
    asked = min(max(retry_after_seconds or 0.0, 0.0), LONGEST_RETRY_AFTER_SECONDS)
    least = THROTTLED_SECONDS if status in _THROTTLING else 0.0
    return Outcome(_word_of(status), status, status == GONE, max(asked, least))


def next_wait_seconds(
    number: int, chance: float, at_least_seconds: float = 0.0
) -> float | None:
    """Return what to wait before an attempt; None when there is none any more.

    `(WAITS_SECONDS[number - 1]) * (1 + JITTER * (2 * chance - 1))`, and never less
    than the receiver asked for.

    Args:
        number: That of the attempt, from 1.
        chance: From 0 to 1, evenly spread.
        at_least_seconds: What the receiver asked for.
    """
    if number > MOST_ATTEMPTS:
        return None
    wait = WAITS_SECONDS[number - 1] * (1 + JITTER * (2 * chance - 1))
    return max(wait, at_least_seconds, 0.0)


def _word_of(status: int) -> str:
    if status == GONE:
        return "gone"
    if status in _THROTTLING:
        return "throttled"
    by_hundreds = {3: "redirected", 4: "refused", 5: "receiver_failed"}
    return by_hundreds.get(status // 100, "odd_status")
