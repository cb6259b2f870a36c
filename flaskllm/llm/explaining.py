"""How a request would be routed, worked out without calling anybody."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from random import Random

from flaskllm.core.errors import APIError, InvalidInputError
from flaskllm.llm import prices
from flaskllm.llm.allowed import EVERYTHING, Allowed
from flaskllm.llm.candidates import Describe, line_up
from flaskllm.llm.catalog import Catalog, Route
from flaskllm.llm.explanations import Excluded, Explained, Explanation
from flaskllm.llm.health import Health
from flaskllm.llm.lineup import Candidate, Exclusion, Lineup
from flaskllm.llm.needs import asked
from flaskllm.llm.obstacles import error_of
from flaskllm.llm.order import Order
from flaskllm.llm.places import Places
from flaskllm.llm.telling import telling
from flaskllm.llm.types import CompletionRequest
from flaskllm.llm.upstreams import Upstreams


class Explainer:
    """Explains requests by the settings of one snapshot."""

    def __init__(
        self,
        catalog: Catalog,
        upstreams: Upstreams,
        health: Health | None,
        random: Random,
        describe: Describe,
    ) -> None:
        """Keep the collaborators.

        Args:
            catalog: Where names lead.
            upstreams: Tells what the deployments can be told.
            health: What is known of them in this process; None is nothing.
            random: The strategies' source of chance.
            describe: Fills in what is known of deployments; it must ask nobody.
        """
        self._catalog = replace(catalog, discovered=catalog.discovered.without_asking())
        self._upstreams = upstreams
        self._places = Places(health, upstreams.is_local)
        self._random = random
        self._describe = describe

    def explain(
        self, request: CompletionRequest, allowed: Allowed = EVERYTHING
    ) -> Explanation:
        """Return who would be asked, in which order, and why; nobody is asked.

        Which one is first where a strategy shares by turns is drawn here: the count
        of the requests is not moved on.

        Args:
            request: What would be asked.
            allowed: The names that this caller may send. What stands behind one of
                them is told in full.

        Raises:
            ModelNotFound: Nothing has this name, or it is not allowed; of the models
                that upstreams list only those are known that were listed before.
            InvalidInputError: It names no model where one is needed.
            NoModelConfigured: It names none, and there is none.
        """
        route = self._catalog.resolve(
            request.model, direct=request.direct, allowed=allowed
        )
        chain = self._catalog.chain(route)
        strategies = {each.name: each.strategy for each in chain}
        behind = tuple(each.name for each in chain[1:])
        bare = Explanation(route, behind, strategies)
        members: dict[str, Candidate] = {}
        for each in _members(chain, self._catalog):
            members.setdefault(each.name, each)
        try:
            lineup = line_up(
                self._catalog, request, self._upstreams, self._describe, allowed
            )
        except InvalidInputError as error:
            excluded = tuple(self._unable(request, tuple(members.values())))
            if not excluded:  # the name is missing: there is nothing to explain
                raise
            return replace(bare, excluded=excluded, error=error)
        ordered = Order(self._random, self._places.look).of_all(lineup, in_full=True)
        return _told(bare, ordered, members, self._places)

    def _unable(
        self, request: CompletionRequest, members: Sequence[Candidate]
    ) -> Iterator[Excluded]:
        """Yield those that lack what the request needs, where none does not."""
        known = self._describe([each.deployment for each in members], request)
        for member, deployment in zip(members, known, strict=True):
            lacks = ", ".join(
                need.name
                for need in asked(request)
                if not need.is_met(request, deployment, self._upstreams)
            )
            if lacks:
                yield Excluded(member.alias, deployment, "lacking", lacks)


def _members(chain: Sequence[Route], catalog: Catalog) -> Iterator[Candidate]:
    """Yield the deployments of these routes, as the settings have them."""
    for route in chain:
        for name, weight in route.weights.items():
            yield Candidate(route.name, route.made or catalog.deployment(name), weight)


def _told(
    bare: Explanation,
    lineup: Lineup,
    members: dict[str, Candidate],
    places: Places,
) -> Explanation:
    free = [each for each in lineup.candidates if each.obstacle is None]
    blocked = {
        each.name: each for each in lineup.candidates if each.obstacle is not None
    }
    excluded = (
        *(_left_out(each, members) for each in lineup.excluded),
        *(_blocked(each, places) for each in blocked.values()),
    )
    last_resort = None if free else _last_resort(tuple(blocked.values()))
    return replace(
        bare,
        candidates=tuple(_explained(each, lineup, places) for each in free),
        excluded=excluded,
        last_resort=last_resort,
        error=None if free or last_resort else _error(lineup),
    )


def _explained(candidate: Candidate, lineup: Lineup, places: Places) -> Explained:
    deployment = candidate.deployment
    return Explained(
        alias=candidate.alias,
        deployment=deployment,
        weight=candidate.weight,
        score=candidate.score,
        tokens_input=lineup.sizes.of(deployment),
        tokens_output=prices.expected_output_tokens(lineup.request, deployment),
        cost_nanos=candidate.expected_cost_nanos,
        standing=places.look(candidate),
    )


def _left_out(exclusion: Exclusion, members: dict[str, Candidate]) -> Excluded:
    deployment = members[exclusion.deployment].deployment
    return Excluded(exclusion.alias, deployment, exclusion.reason, exclusion.details)


def _blocked(candidate: Candidate, places: Places) -> Excluded:
    obstacle = candidate.obstacle
    assert obstacle is not None  # only those come here
    return Excluded(
        candidate.alias,
        candidate.deployment,
        obstacle.reason,
        seconds=obstacle.seconds,
        standing=places.look(candidate),
    )


def _last_resort(blocked: Sequence[Candidate]) -> str | None:
    """Return whose breaker is due first; the other obstacles let nobody through."""
    cooling = [
        (each.obstacle.seconds or 0.0, each.name)
        for each in blocked
        if each.obstacle is not None and each.obstacle.reason == "cooling"
    ]
    return min(cooling)[1] if cooling else None


def _error(lineup: Lineup) -> APIError:
    obstacles = {
        each.name: each.obstacle
        for each in lineup.candidates
        if each.obstacle is not None
    }
    return error_of(obstacles) if obstacles else telling(lineup.objections)
