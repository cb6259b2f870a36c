"""When a deployment is left alone, and for how long: every number of it."""

from dataclasses import dataclass

# A jittered span lies this far around its middle, as a share of it.
_JITTER = 0.2


@dataclass(frozen=True, slots=True)
class Policy:
    """How much a deployment may fail, and what follows.

    Attributes:
        failures_in_a_row: So many open its breaker.
        watched_seconds: The window in which the share of failures is looked at.
        fewest_outcomes: With fewer outcomes in that window the share says nothing.
        failing_share: So large a share of failures opens the breaker, in (0, 1].
        cool_down_seconds: How long it is left alone the first time, about.
        longest_cool_down_seconds: How long at most, after several times.
        limited_seconds: How long it is left alone after a 429 that did not say.
        longest_unsaid_seconds: How long at most, after several of them.
        longest_said_seconds: The most that an upstream's own word is taken for.
        credential_seconds: How often a credential that was rejected is tried.
        repeats_seconds: The window in which repeats are counted.
        fewest_repeats: So many of them are always allowed in that window.
        repeats_share: So many more, as a share of the first attempts.
        waiting_most: How many attempts at one deployment may be waiting for a first
            byte at the same time; None is any number.
    """

    failures_in_a_row: int = 5
    watched_seconds: int = 30
    fewest_outcomes: int = 10
    failing_share: float = 0.5
    cool_down_seconds: float = 5.0
    longest_cool_down_seconds: float = 20.0
    limited_seconds: float = 1.0
    longest_unsaid_seconds: float = 20.0
    longest_said_seconds: float = 60.0
    credential_seconds: float = 60.0
    repeats_seconds: int = 10
    fewest_repeats: int = 3
    repeats_share: float = 0.1
    waiting_most: int | None = None


def growing_seconds(first: float, longest: float, times: int, draw: float) -> float:
    """Return ``min(first * 2**times, longest / 1.2) * (0.8 + 0.4 * draw)``.

    It doubles, is never longer than `longest`, and differs by up to a fifth to
    either side, so that processes that opened together do not come back together.

    Args:
        first: The middle of the first span.
        longest: The most that is ever returned.
        times: How often it was used before in a row, >= 0.
        draw: Uniform in [0, 1).
    """
    # Beyond that the power only grows, to an overflow at last.
    middle = min(first * 2.0 ** min(times, 64), longest / (1.0 + _JITTER))
    return middle * (1.0 - _JITTER + 2.0 * _JITTER * draw)
