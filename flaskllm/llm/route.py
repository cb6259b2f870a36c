"""A route, and what can be wrong with routes before anybody asks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from flaskllm.core import config
from flaskllm.core.sensitive import OnSensitive
from flaskllm.llm.cached import UNCACHED, CacheTerms
from flaskllm.llm.strategies import STRATEGIES
from flaskllm.llm.types import Deployment

# The built-in deployment that answers digests without a model.
OFFLINE = Deployment(
    name=config.OFFLINE,
    provider=config.OFFLINE,
    kind="extractive",
    model="extractive",
    degraded=True,
)
AUTO = "auto"
CAPABILITY = "capability:"


@dataclass(frozen=True, slots=True)
class Route:
    """Where requests for an alias, a pattern or a capability go.

    Exactly one of the three is given. `pattern` knows `*` and `?`. `weights`
    maps a deployment's name to its share, above zero; `fallbacks` are aliases,
    asked in this order when none of the deployments could answer. `timeouts` holds
    the fields of `Timeouts` that are another here than the deployments' own.
    `made` is the one deployment of a route that was made for a single request.
    `rescue` says what happens when a stream breaks off after text was shown: `match`,
    `continue` or `off`. `require_price` leaves out deployments whose price is not
    known. `second_nanos` is what an answer that comes a second earlier is worth, in
    nano-dollars. `on_sensitive` says what becomes of a request whose text matches a
    rule: `ignore`, or `local`. `cache` says what is kept of its answers.
    """

    alias: str | None = None
    pattern: str | None = None
    capability: str | None = None
    strategy: str = "weighted"
    weights: Mapping[str, int] = field(default_factory=dict)
    fallbacks: tuple[str, ...] = ()
    timeouts: Mapping[str, float] = field(default_factory=dict)
    made: Deployment | None = None
    rescue: str = "match"
    require_price: bool = False
    second_nanos: int = 1_000_000
    on_sensitive: OnSensitive = "ignore"
    cache: CacheTerms = UNCACHED

    @property
    def name(self) -> str:
        """Return what a caller would write, or the pattern of it."""
        return self.alias or self.pattern or f"{CAPABILITY}{self.capability}"


OFFLINE_ROUTE = Route(alias=OFFLINE.name, weights={OFFLINE.name: 1})


def route_to(model: str, deployment: Deployment | None) -> Route | None:
    """Return the route from a name straight to one deployment, if there is one."""
    if deployment is None:
        return None
    return Route(alias=model, weights={deployment.name: 1}, made=deployment)


def complaints(
    routes: Sequence[Route],
    deployments: Mapping[str, Deployment],
    default_route: str | None,
) -> Iterator[str]:
    """Yield a sentence for each name that cannot be followed."""
    known = {OFFLINE.name, *(route.alias for route in routes if route.alias)}
    if OFFLINE.name in deployments:
        yield f"deployments.{OFFLINE.name}: this name is reserved; choose another"
    for route in routes:
        yield from _route_complaints(route, deployments, known)
    if default_route is not None and default_route not in known:
        yield f"default_route: {default_route!r} is not the alias of a route"


def _route_complaints(
    route: Route, deployments: Mapping[str, Deployment], known: set[str]
) -> Iterator[str]:
    where = f"route {route.name!r}"
    if route.alias in (OFFLINE.name, AUTO):
        yield f"{where}: this name is reserved; choose another"
    if route.strategy not in STRATEGIES:
        yield f"{where}: strategy {route.strategy!r} is unknown"
    if not route.weights:
        yield f"{where}: has no deployment"
    for name, weight in route.weights.items():
        if name not in deployments and name != OFFLINE.name:
            yield f"{where}: deployment {name!r} is not described"
        if weight <= 0:
            yield f"{where}: the weight of {name!r} must be above 0"
    for alias in route.fallbacks:
        if alias not in known:
            yield f"{where}: fallback {alias!r} is not the alias of a route"
