"""Ask the deployment that begins to answer soonest."""

import math
from collections.abc import Sequence

from flaskllm.llm.strategies.choices import Choice, Place, Turn
from flaskllm.llm.strategies.shares import by_rank, shared

UNKNOWN_SCORE = -1.0

# Four in a hundred requests, so the 95th percentile stays that of the soonest.
_EXPLORE_EVERY = 25
# What one failure counts in a record after some twenty more attempts.
_FAILED = 0.5


def order(choices: Sequence[Choice], turn: Turn) -> tuple[Place, ...]:
    """Return the lowest `first_byte_seconds` first; ties are shared by weight.

    It is an exponentially weighted moving average of requests of the same form,
    streamed or whole. A deployment of which nothing is known is asked at once, but
    by one request only: while its first answer is awaited it stands last. So it
    does for about twenty requests when it failed: else one that fails fast, and so
    never tells its time, would be the first for ever.

    An average that nobody renews stays as bad as it once was. So every 25th
    request of the route, 4 %, asks one of the others first, by weight.

    The score is the average in seconds; -1 where nothing is known.
    """
    places = by_rank(choices, turn, rank=_rank, score=_seconds)
    if len(choices) < 2 or turn.number % _EXPLORE_EVERY:
        return places
    behind = [each for each in choices if each.name != places[0].name]
    explored = shared(behind, turn.number // _EXPLORE_EVERY)[0].name
    return tuple(sorted(places, key=lambda place: place.name != explored))


def _rank(choice: Choice) -> float:
    if choice.first_byte_seconds is not None:
        return choice.first_byte_seconds
    has_failed = choice.record.failures > _FAILED
    return math.inf if has_failed or choice.in_flight else -math.inf


def _seconds(choice: Choice) -> float:
    known = choice.first_byte_seconds
    return UNKNOWN_SCORE if known is None else known
