"""What the numbers mean by which strategies place deployments, and who comes first."""

from collections.abc import Mapping
from dataclasses import dataclass

from flaskllm.llm.strategies import cheapest, lowest_latency


@dataclass(frozen=True, slots=True)
class Score:
    """What the score of one strategy is.

    Attributes:
        meaning: The unit, and which end is first.
        is_money: Whether it is in nano-dollars.
        unknown: The score of a deployment of which too little is known, if any.
    """

    meaning: str
    is_money: bool = False
    unknown: float | None = None


# By the name that a route's `strategy` setting uses.
SCORES: Mapping[str, Score] = {
    "weighted": Score("share of the requests, from 0 to 1; first by turns"),
    "round_robin": Score("requests until its turn, lowest first"),
    "least_busy": Score("attempts under way for each unit of weight, lowest first"),
    "usage": Score("free part of its limits, from 0 to 1, highest first"),
    "lowest_latency": Score(
        "seconds to the first token or whole answer, lowest first; -1 not known yet",
        unknown=lowest_latency.UNKNOWN_SCORE,
    ),
    "cheapest": Score(
        "expected nano-dollars, lowest first; -1 not known, last",
        is_money=True,
        unknown=cheapest.UNKNOWN_SCORE,
    ),
    "adaptive": Score(
        "drawn nano-dollars for one good answer, lowest first", is_money=True
    ),
}
