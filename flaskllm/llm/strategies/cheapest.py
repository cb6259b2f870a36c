"""Ask the deployment that costs least."""

import math
from collections.abc import Sequence

from flaskllm.llm.strategies.choices import Choice, Place, Turn
from flaskllm.llm.strategies.shares import by_rank

UNKNOWN_SCORE = -1.0


def order(choices: Sequence[Choice], turn: Turn) -> tuple[Place, ...]:
    """Return the lowest `cost_nanos` first; equal costs are shared by weight.

    The cost is ``price.input * expected input + price.output * expected output``,
    see `llm/prices.py`. A deployment whose price is not known comes last, for it
    may cost anything.

    The score is the cost in nano-dollars; -1 where it is not known.
    """
    return by_rank(choices, turn, rank=_rank, score=_cost)


def _rank(choice: Choice) -> float:
    return math.inf if choice.cost_nanos is None else choice.cost_nanos


def _cost(choice: Choice) -> float:
    return UNKNOWN_SCORE if choice.cost_nanos is None else float(choice.cost_nanos)
