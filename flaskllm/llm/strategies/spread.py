"""Draws that are spread evenly, so that even a short run of requests is shared well."""

import math
from itertools import count
from random import Random

_GOLDEN_RATIO = (math.sqrt(5.0) - 1.0) / 2.0


class EvenDraws(Random):
    """Gives ``frac(start + n * golden ratio)``, n counting the draws from 0.

    The additive recurrence with the golden ratio is the most even of its kind (H.
    Weyl; L. Kuipers and H. Niederreiter, "Uniform Distribution of Sequences",
    1974): over N draws a share is missed by the order of ``log(N) / N``, and by
    ``1 / sqrt(N)`` with independent draws. The start is drawn, so that the worker
    processes do not all begin with the same deployment.
    """

    def __init__(self, chance: Random) -> None:
        """Start anywhere. Threads may share it."""
        self._start = chance.random()
        self._numbers = count()

    def random(self) -> float:
        """Return the next draw, in [0, 1)."""
        return (self._start + next(self._numbers) * _GOLDEN_RATIO) % 1.0
