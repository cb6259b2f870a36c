"""Share the requests by weight."""

from collections.abc import Sequence

from flaskllm.llm.strategies.choices import Choice, Place, Turn
from flaskllm.llm.strategies.shares import shared


def order(choices: Sequence[Choice], turn: Turn) -> tuple[Place, ...]:
    """Return each first in ``weight / W`` of the requests, W the sum of weights.

    The share is exact over any W requests in a row, see `shares`; the places
    behind are shared by weight as well. Who is out for a while is not among the
    choices, and the others then share by their own weights.

    The score is that share, in (0, 1]; it says how often, not whether this time.
    """
    if len(choices) < 2:
        return tuple(Place(each.name, 1.0) for each in choices)
    total = sum(each.weight for each in choices)
    return tuple(
        Place(each.name, each.weight / total) for each in shared(choices, turn.number)
    )
