"""Histograms of milliseconds that can be added up, and the percentiles they tell.

The bounds of the bins grow by a constant factor, so that the middle of a bin is
within a constant share of all that lies in it. Pure.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

RELATIVE_ERROR = 0.05
"""So far at most a percentile is from the measured value that it stands for."""

_GROWTH = (1 + RELATIVE_ERROR) / (1 - RELATIVE_ERROR)
# The last one is above six hours; what is longer counts as so long.
_BINS = 170
# Whole milliseconds: bin 0 holds 0, and bin n + 1 what is above `_GROWTH ** (n - 1)`
# and at most `_GROWTH ** n`.
BOUNDS = (0, *(int(_GROWTH**power) for power in range(_BINS)))
"""The most milliseconds of each bin; some of the first bins hold no whole number."""

Histogram = list[int]
"""How many durations lie in each bin, by its number: as many as there are bounds."""


def bin_of(milliseconds: int) -> int:
    """Return the bin of a duration."""
    return min(bisect_left(BOUNDS, milliseconds), _BINS)


def middle_of(number: int) -> float:
    """Return the milliseconds that a bin stands for."""
    if number == 0:
        return 0.0
    # As far from the lower bound as from the upper one, as a share of either.
    return float(2 * _GROWTH ** (number - 1) / (1 + _GROWTH))


def empty() -> Histogram:
    """Return the histogram of nothing."""
    return [0] * len(BOUNDS)


def added(histograms: Iterable[Histogram]) -> Histogram:
    """Return the histogram of all that these count."""
    return list(map(sum, zip(*histograms, strict=True))) or empty()


def percentiles(histogram: Histogram, shares: Sequence[float]) -> list[float | None]:
    """Return for each share the milliseconds that so many of all do not exceed.

    Args:
        histogram: How many lie in each bin, none of them negative.
        shares: Each above 0 and at most 1.

    Returns:
        One for each share; all are None where nothing was counted.
    """
    *_, total = sums = list(accumulate(histogram))
    if not total:
        return [None] * len(shares)
    return [middle_of(bisect_left(sums, share * total)) for share in shares]
