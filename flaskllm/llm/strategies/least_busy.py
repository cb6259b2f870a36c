"""Ask the deployment with the fewest attempts under way."""

from collections.abc import Sequence

from flaskllm.llm.strategies.choices import Choice, Place, Turn
from flaskllm.llm.strategies.shares import by_rank


def order(choices: Sequence[Choice], turn: Turn) -> tuple[Place, ...]:
    """Return the lowest ``in_flight / weight`` first; ties are shared by weight.

    A slow deployment keeps its attempts longer and so is asked less often, without
    anybody measuring it. Counted is this process alone.

    The score is that quotient: attempts under way for one unit of weight.
    """
    return by_rank(choices, turn, rank=_load, score=_load)


def _load(choice: Choice) -> float:
    return choice.in_flight / choice.weight
