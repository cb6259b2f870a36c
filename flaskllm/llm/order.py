"""The order in which the candidates of a route are asked: its strategy's."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import count, groupby
from operator import attrgetter
from random import Random

from flaskllm.llm import prices
from flaskllm.llm.catalog import Route
from flaskllm.llm.health.standings import Obstacle, Standing
from flaskllm.llm.lineup import Candidate, Lineup
from flaskllm.llm.strategies import STRATEGIES
from flaskllm.llm.strategies.choices import Choice, Turn

Look = Callable[[Candidate], Standing]
"""Returns how a candidate stands now, without any effect."""

# What a request is expected to cost is worked out for these only: a long prompt takes
# a while to measure.
_BY_COST = frozenset({"cheapest", "adaptive"})

_STARTS = 2**32


class Order:
    """Puts the candidates of routes in order, and counts the turns of each route.

    Threads may share it. Each count begins anywhere, so that the processes of a
    server do not all begin with the same deployment.
    """

    def __init__(self, random: Random, look: Look) -> None:
        """Count from a random start on."""
        self._random = random
        self._look = look
        self._turns: dict[str, Iterator[int]] = {}

    def of_route(
        self, candidates: Sequence[Candidate], lineup: Lineup, *, in_full: bool = False
    ) -> tuple[Candidate, ...]:
        """Return the candidates of one route, the one to ask first in front.

        Those with an obstacle stand behind, the one whose obstacle passes first in
        front. Where there is only one there is nothing to order, and it is not
        looked at.

        Args:
            candidates: Of one route.
            lineup: Where they are from.
            in_full: Look at one alone too, and tell what each is expected to cost:
                for whoever wants to know, not for a request.
        """
        if len(candidates) < 2 and not in_full:
            return tuple(candidates)
        route = lineup.routes[candidates[0].alias]
        with_cost = in_full or route.strategy in _BY_COST
        free: dict[str, Candidate] = {}
        blocked, choices = [], []
        for each in candidates:
            standing = self._look(each)
            cost_nanos = _expected_cost(each, lineup) if with_cost else None
            if standing.obstacle is not None:
                blocked.append(_seen(each, None, cost_nanos, standing.obstacle))
                continue
            free[each.name] = each
            choices.append(_choice(each, standing, cost_nanos, lineup.streams))
        costs = {choice.name: choice.cost_nanos for choice in choices}
        places = STRATEGIES[route.strategy](choices, self._turn(route))
        return (
            *(
                _seen(free[place.name], place.score, costs[place.name])
                for place in places
            ),
            *sorted(blocked, key=_due_seconds),
        )

    def of_all(self, lineup: Lineup, *, in_full: bool = False) -> Lineup:
        """Return the line-up with the candidates of each of its routes in order."""
        ordered = [
            self.of_route(tuple(group), lineup, in_full=in_full)
            for _, group in groupby(lineup.candidates, key=attrgetter("alias"))
        ]
        return replace(lineup, candidates=tuple(each for g in ordered for each in g))

    def _turn(self, route: Route) -> Turn:
        turns = self._turns.get(route.name)
        if turns is None:
            start = int(self._random.random() * _STARTS)
            turns = self._turns.setdefault(route.name, count(start))
        return Turn(next(turns), self._random, route.second_nanos)


def _seen(
    candidate: Candidate,
    score: float | None,
    cost_nanos: int | None,
    obstacle: Obstacle | None = None,
) -> Candidate:
    return Candidate(
        candidate.alias,
        candidate.deployment,
        candidate.weight,
        score,
        cost_nanos,
        obstacle,
    )


def _choice(
    candidate: Candidate, standing: Standing, cost_nanos: int | None, streams: bool
) -> Choice:
    return Choice(
        candidate.name,
        candidate.weight,
        standing.in_flight,
        standing.headroom,
        standing.first_token_seconds if streams else standing.answer_seconds,
        cost_nanos,
        standing.record,
    )


def _expected_cost(candidate: Candidate, lineup: Lineup) -> int | None:
    deployment = candidate.deployment
    price = prices.price_of(deployment)
    if price is None:
        return None
    return prices.expected_cost_nanos(
        price,
        lineup.sizes.of(deployment),
        prices.expected_output_tokens(lineup.request, deployment),
    )


def _due_seconds(candidate: Candidate) -> float:
    obstacle = candidate.obstacle or Obstacle("cooling", 0.0)
    return float("inf") if obstacle.seconds is None else obstacle.seconds
