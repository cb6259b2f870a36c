"""The candidates of one request: who was asked, who may be asked now, who is next."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import takewhile

from flaskllm.core.clock import Clock
from flaskllm.llm import decisions
from flaskllm.llm.health import Visit
from flaskllm.llm.health.standings import Obstacle
from flaskllm.llm.history import Option
from flaskllm.llm.lineup import Candidate, Lineup
from flaskllm.llm.order import Order
from flaskllm.llm.places import Places


class Turned(Exception):
    """A candidate may not be asked now after all: decide anew. It leaves no loop."""


class Line:
    """The candidates of a line-up, each once.

    Those of the request's own route are in order at once, those of its fallbacks
    only when it comes to that: most requests never do.

    Attributes:
        first: Whom to ask first.
        decision: Why, in words.
    """

    def __init__(
        self, lineup: Lineup, order: Order, places: Places, clock: Clock
    ) -> None:
        """Line up; there is at least one candidate."""
        alias = lineup.candidates[0].alias
        own = tuple(takewhile(lambda each: each.alias == alias, lineup.candidates))
        ordered = order.of_route(own, lineup)
        self.first = ordered[0]
        self.decision = (
            decisions.only(alias, self.first.name)
            if len(own) == 1
            else decisions.first(lineup.routes[alias].strategy, ordered)
        )
        self._lineup = lineup
        self._order = order
        self._places = places
        self._clock = clock
        self._behind = lineup.candidates[len(own) :]
        self._untried = {each.name: each for each in ordered}
        self._tried: dict[str, Candidate] = {}
        self._refused: dict[str, tuple[Obstacle, float]] = {}

    @property
    def untried(self) -> tuple[Candidate, ...]:
        """Return whom nobody asked yet, in order, as they stood when last looked at."""
        return (*self._untried.values(), *self._behind)

    @property
    def has_elsewhere(self) -> bool:
        """Tell whether an upstream is left that was not asked and may be asked now."""
        return any(
            not self._places.is_local(each.deployment) and self._obstacle(each) is None
            for each in self.untried
        )

    def __getitem__(self, name: str) -> Candidate:
        """Return the candidate whose deployment has this name."""
        return self._tried.get(name) or self._untried[name]

    def was_tried(self, name: str) -> bool:
        """Tell whether this deployment was asked for this request."""
        return name in self._tried

    def options(self) -> Mapping[str, Option]:
        """Look at all candidates; return them by name, those behind in order too."""
        if self._behind:
            behind = replace(self._lineup, candidates=self._behind)
            ordered = self._order.of_all(behind).candidates
            self._untried |= {each.name: each for each in ordered}
            self._behind = ()
        for line in (self._untried, self._tried):
            for name, each in line.items():
                line[name] = replace(each, obstacle=self._obstacle(each))
        return {
            name: Option(
                alias=each.alias,
                model=each.deployment.model,
                window=each.deployment.context_window,
                obstacle=each.obstacle,
            )
            for name, each in (self._untried | self._tried).items()
        }

    def enter(self, candidate: Candidate, *, as_last_resort: bool) -> Visit | None:
        """Return the place that was taken; None where the candidate needs none.

        Raises:
            Turned: It may not be asked now; `options` tells why.
        """
        name = candidate.name
        visit = self._places.enter(
            candidate,
            self._lineup,
            is_repeat=name in self._tried,
            as_last_resort=as_last_resort,
        )
        if isinstance(visit, Obstacle):
            self._refused[name] = (visit, self._clock.monotonic())
            raise Turned(visit.reason)
        self._refused.pop(name, None)
        self._tried[name] = self._untried.pop(name, candidate)
        return visit

    def count_if_held_back(self, name: str) -> None:
        """Count a repeat that was due, where the last look found that it may not be."""
        candidate = self._tried[name]
        if candidate.obstacle is not None and candidate.obstacle.reason == "busy":
            self._places.count_refused_repeat(candidate)

    def _obstacle(self, candidate: Candidate) -> Obstacle | None:
        """Return what is in the way now; once turned away it stays so for us.

        Else what changes from one look to the next would be asked again and again.
        """
        name = candidate.name
        seen = self._places.look(candidate, is_repeat=name in self._tried).obstacle
        if seen is not None or name not in self._refused:
            return seen
        refused, at_seconds = self._refused[name]
        if refused.seconds is None:
            return refused
        passed_seconds = self._clock.monotonic() - at_seconds
        return replace(refused, seconds=max(0.0, refused.seconds - passed_seconds))
