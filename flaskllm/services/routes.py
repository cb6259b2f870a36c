"""Where the names that a caller may send lead, and why."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from flaskllm.llm.allowed import Allowed
from flaskllm.llm.catalog import OFFLINE, Catalog, Route
from flaskllm.llm.explanations import Explanation
from flaskllm.llm.health.standings import Standing
from flaskllm.llm.prices import price_of
from flaskllm.llm.terms import Price
from flaskllm.llm.types import CompletionRequest, Deployment

RouteKind = Literal["alias", "pattern", "capability"]


class Looks(Protocol):
    """What tells how deployments stand in this process."""

    def look(self, deployment: Deployment, alias: str = "") -> Standing:
        """Return how the deployment stands, with what this route learned of it."""
        ...


class Explains(Protocol):
    """What tells how a request would be routed by the settings as they stand now."""

    def explain(
        self, request: CompletionRequest, allowed: Allowed = ...
    ) -> Explanation:
        """Return who would be asked, in which order, and why; nobody is asked."""
        ...


@dataclass(frozen=True, slots=True)
class RouteMember:
    """One deployment of a route. `price` None = not known, never free."""

    deployment: Deployment
    weight: int
    price: Price | None
    standing: Standing


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """A route of the settings, and how its deployments stand.

    `name` is the alias, the pattern or the capability; `is_default` marks the one
    for requests that name no model.
    """

    name: str
    kind: RouteKind
    strategy: str
    fallbacks: tuple[str, ...]
    rescue: str
    require_price: bool
    is_default: bool
    members: tuple[RouteMember, ...]


@dataclass(frozen=True, slots=True)
class Routes:
    """Tells of the routes.

    `catalog` and `explainer` return those of the settings as they stand now;
    `keep_current` takes up what operators decided.
    """

    catalog: Callable[[], Catalog]
    explainer: Callable[[], Explains]
    health: Looks
    keep_current: Callable[[], None]

    def list(self, aliases: frozenset[str] | None = None) -> tuple[RouteEntry, ...]:
        """Return all routes in the order of the settings.

        With `aliases` only those whose own name, or pattern, is among them; what
        stands behind each is told in full.
        """
        self.keep_current()
        catalog, allowed = self.catalog(), Allowed(aliases)
        default = catalog.default_alias(allowed)
        return tuple(
            RouteEntry(
                name=route.alias or route.pattern or route.capability or "",
                kind=_kind(route),
                strategy=route.strategy,
                fallbacks=tuple(route.fallbacks),
                rescue=route.rescue,
                require_price=route.require_price,
                is_default=route.alias is not None and route.alias == default,
                members=tuple(self._members(route, catalog)),
            )
            for route in catalog.routes
            if allowed.holds(route.name)
        )

    def explain(
        self, request: CompletionRequest, aliases: frozenset[str] | None = None
    ) -> Explanation:
        """Return who would be asked, in which order, and why; nobody is asked.

        `aliases` are the names that may be sent; None is every one.

        Raises:
            ModelNotFound: Nothing has this name, or it may not be sent; the details
                name the nearest.
            InvalidInputError: The request names no model where one is needed.
            NoModelConfigured: It names none, and there is none.
        """
        self.keep_current()
        return self.explainer().explain(request, Allowed(aliases))

    def _members(self, route: Route, catalog: Catalog) -> Iterator[RouteMember]:
        for name, weight in route.weights.items():
            deployment = catalog.deployment(name)
            # What needs no upstream has no health: nothing keeps a request away.
            is_local = deployment.kind == OFFLINE.kind
            standing = (
                Standing() if is_local else self.health.look(deployment, route.name)
            )
            yield RouteMember(deployment, weight, price_of(deployment), standing)


def _kind(route: Route) -> RouteKind:
    if route.alias is not None:
        return "alias"
    return "pattern" if route.pattern is not None else "capability"
