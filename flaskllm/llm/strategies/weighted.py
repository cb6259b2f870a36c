"""Share the load by weight."""

import math
from collections.abc import Mapping
from random import Random

_BELOW_ONE = math.nextafter(1.0, 0.0)


def order(weights: Mapping[str, int], random: Random) -> tuple[str, ...]:
    """Return all names, the heavier the likelier in front.

    The first name is `n` with probability ``weight(n) / sum``, and the rest are
    ordered likewise among themselves: weighted sampling without replacement. All
    places come from one draw: where it falls within the share of the name that
    it picked is again uniform, and picks the next. So a source that spreads its
    draws evenly shares the load evenly.

    Args:
        weights: Name to weight; every weight is above zero.
        random: The source of chance; `random()` is uniform in [0, 1).
    """
    left, places = dict(weights), []
    draw = random.random()
    while left:
        name, draw = _pick(left, draw)
        places.append(name)
        del left[name]
    return tuple(places)


def _pick(weights: Mapping[str, int], draw: float) -> tuple[str, float]:
    """Return the name in whose share the draw falls, and where within, in [0, 1)."""
    rest = draw * sum(weights.values())
    *names, last = weights
    for name in names:
        if rest < weights[name]:
            return name, rest / weights[name]
        rest -= weights[name]
    # What rounding left over belongs to the last.
    return last, min(max(rest / weights[last], 0.0), _BELOW_ONE)
