"""Ask the deployment that is the furthest from its limits."""

from collections.abc import Sequence

from flaskllm.llm.strategies.choices import Choice, Place, Turn
from flaskllm.llm.strategies.shares import by_rank


def order(choices: Sequence[Choice], turn: Turn) -> tuple[Place, ...]:
    """Return the largest `headroom` first; ties are shared by weight.

    Headroom is ``min(1 - requests / requests_per_minute, 1 - tokens /
    tokens_per_minute)`` over the last minute, or what the upstream told of it. A
    deployment without limits has all of it, so it comes before the others.

    The score is the headroom, in [0, 1].
    """
    return by_rank(choices, turn, rank=_used, score=_headroom)


def _used(choice: Choice) -> float:
    return -choice.headroom


def _headroom(choice: Choice) -> float:
    return choice.headroom
