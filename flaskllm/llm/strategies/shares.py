"""Shares by weight that are exact: a walk through the weights, not a draw.

The first place of request `number` is where ``number * stride mod W`` falls among the
weights laid end to end, W their sum and the stride coprime to W: in any W requests in
a row each position comes exactly once, so each name is first exactly as often as its
weight says. The stride is the one nearest to W times the golden ratio, which spreads
a shorter run as evenly as one can (H. Weyl; L. Kuipers and H. Niederreiter, "Uniform
Distribution of Sequences", 1974).
"""

import math
from collections.abc import Callable, Sequence
from functools import lru_cache
from itertools import count, groupby

from flaskllm.llm.strategies.choices import Choice, Place, Turn

_GOLDEN_RATIO = (math.sqrt(5.0) - 1.0) / 2.0
# In whole numbers, so that a multiple keeps its fraction however large it is.
_ONE = 1 << 53
_GOLDEN = int(_GOLDEN_RATIO * _ONE)

_Rank = Callable[[Choice], float]


def shared(choices: Sequence[Choice], number: int) -> list[Choice]:
    """Return all choices, each of them first exactly as often as its weight says.

    The places behind are shared by weight among the rest: where within its share
    the first was met, and in which round, picks the second, and so on. So what one
    deployment refuses is spread over all others.

    Args:
        choices: In the order of the settings.
        number: Of the request, counted from anywhere.
    """
    divisor = math.gcd(*(each.weight for each in choices)) or 1
    left = [(each, each.weight // divisor) for each in choices]
    total = sum(weight for _, weight in left)
    rounds, step = divmod(number, max(total, 1))
    position = step * stride_of(total) % max(total, 1)
    fraction = rounds * _GOLDEN % _ONE / _ONE
    places = []
    while len(left) > 1:
        index, within = _find(left, position)
        picked, weight = left.pop(index)
        places.append(picked)
        total -= weight
        rest = (within + fraction) / weight * total
        # Rounding may have made the end of the last share of it.
        position, fraction = min(int(rest), total - 1), rest % 1.0
    return [*places, *(each for each, _ in left)]


def by_rank(
    choices: Sequence[Choice], turn: Turn, rank: _Rank, score: _Rank
) -> tuple[Place, ...]:
    """Return the places by rising rank; what is equal is shared by weight."""
    if len(choices) < 2:
        return tuple(Place(each.name, score(each)) for each in choices)
    return tuple(
        Place(each.name, score(each))
        for _, equals in groupby(sorted(choices, key=rank), key=rank)
        for each in shared(tuple(equals), turn.number)
    )


@lru_cache(maxsize=1024)
def stride_of(total: int) -> int:
    """Return the number coprime to the total that is nearest to its golden part."""
    nearest = round(total * _GOLDEN_RATIO)
    return next(
        stride
        for distance in count()
        for stride in (nearest + distance, nearest - distance)
        if stride > 0 and math.gcd(stride, total) == 1
    )


def _find(shares: Sequence[tuple[Choice, int]], position: int) -> tuple[int, int]:
    """Return in whose share the position lies, by index, and where within."""
    index = 0
    while position >= shares[index][1]:
        position -= shares[index][1]
        index += 1
    return index, position
