"""Share the load by weight."""

import math
from collections.abc import Mapping
from random import Random


def order(weights: Mapping[str, int], random: Random) -> tuple[str, ...]:
    """Return all names, the heavier the likelier in front.

    Each name draws ``-ln(u) / weight`` with `u` uniform in (0, 1], and the
    smallest draw goes first. So the first name is `n` with probability
    ``weight(n) / sum``, and the rest are ordered likewise among themselves:
    weighted sampling without replacement (Efraimidis and Spirakis, "Weighted
    random sampling with a reservoir", Information Processing Letters 97, 2006).

    Args:
        weights: Name to weight; every weight is above zero.
        random: The source of chance.
    """

    def draw(name: str) -> float:
        # random() may be 0, whose logarithm is not finite; 1 - random() is not.
        return -math.log(1.0 - random.random()) / weights[name]

    return tuple(sorted(weights, key=draw))
