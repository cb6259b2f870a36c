"""From the name that a caller sends to routes and their deployments."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from flaskllm.core import config
from flaskllm.core.errors import APIError, InvalidInputError, NoModelConfigured
from flaskllm.llm.model_names import is_plain, not_found
from flaskllm.llm.strategies import STRATEGIES
from flaskllm.llm.types import Deployment
from flaskllm.llm.undescribed import Discovered, NothingDiscovered, make_deployment

# The built-in deployment that answers digests without a model.
OFFLINE = Deployment(
    name=config.OFFLINE,
    provider=config.OFFLINE,
    kind="extractive",
    model="extractive",
    degraded=True,
)
AUTO = "auto"
HOW_TO_ADD_A_MODEL = (
    "Add a model: set OPENAI_API_KEY, or name one under `providers`, `deployments` "
    "and `routes` in the YAML file (FLASKLLM_CONFIG)."
)

_CAPABILITY = "capability:"
_DIRECT = " (provider/model takes an API token made with --direct-models)"
_NO_MODEL = f"No language model is configured. {HOW_TO_ADD_A_MODEL}"


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
    nano-dollars.
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

    @property
    def name(self) -> str:
        """Return what a caller would write, or the pattern of it."""
        return self.alias or self.pattern or f"{_CAPABILITY}{self.capability}"


_OFFLINE_ROUTE = Route(alias=OFFLINE.name, weights={OFFLINE.name: 1})


@dataclass(frozen=True, slots=True)
class Catalog:
    """All routes and deployments, checked: every name in them leads somewhere.

    Attributes:
        routes: In the order of the settings.
        deployments: By their names.
        default_route: The alias for a request that names no model.
        samples: For each provider that may be named directly, by its name, what a
            deployment made for one request looks like, but for name and model.
        discovered: What the upstreams list.

    Raises:
        ValueError: A name is reserved, or stands for nothing; the text says
            which.
    """

    routes: tuple[Route, ...]
    deployments: Mapping[str, Deployment]
    default_route: str | None = None
    samples: Mapping[str, Deployment] = field(default_factory=dict)
    discovered: Discovered = field(default_factory=NothingDiscovered)

    def __post_init__(self) -> None:
        for complaint in self._complaints():
            raise ValueError(complaint)

    def resolve(
        self, model: str | None, *, with_offline: bool = False, direct: bool = False
    ) -> Route:
        """Return the route of a name.

        An alias, else a pattern, else `provider/model`, else a capability, else
        what an upstream lists. Of several patterns the one with the longest
        literal part wins, of equal ones the first. No name and `auto` mean the
        default route: the one set, else the first alias, else `offline`.

        Args:
            model: What the caller named.
            with_offline: Whether the request can be answered without a model;
                otherwise `offline` is a name like any unknown one.
            direct: Whether `provider/model` is a name too.

        Raises:
            ModelNotFound: Nothing has this name.
            InvalidInputError: No name was given, and there is no default route.
            NoModelConfigured: There is neither a route nor a provider.
        """
        if model is None or model == AUTO:
            return self._default(with_offline)
        found = (
            self._by_alias(model, with_offline)
            or self._by_pattern(model)
            or (self._by_provider(model) if direct else None)
            or self._by_capability(model)
            or _route_to(model, self.discovered.find(model))
        )
        if found is None:
            raise self._not_found(model, with_offline)
        return found

    def chain(self, route: Route, *, with_offline: bool = False) -> tuple[Route, ...]:
        """Return the route, its fallbacks, their fallbacks, each once.

        The nearer a fallback the earlier it stands, so a far alias never comes
        before one that the route itself names.
        """
        found = [route]
        for each in found:  # grows while it is read
            for alias in each.fallbacks:
                fallback = self._by_alias(alias, with_offline)
                if fallback is not None and fallback not in found:
                    found.append(fallback)
        return tuple(found)

    def deployment(self, name: str) -> Deployment:
        """Return the deployment of this name; `offline` is always there."""
        return OFFLINE if name == OFFLINE.name else self.deployments[name]

    def aliases(self) -> tuple[str, ...]:
        """Return the aliases that a caller may name, as configured."""
        return tuple(route.alias for route in self.routes if route.alias)

    def _default(self, with_offline: bool) -> Route:
        name = self.default_route or next(iter(self.aliases()), None)
        if name is None and self.routes:
            problem = "is not named and default_route is not set"
            raise InvalidInputError.of("model", problem, ", ".join(self._names()))
        if name is None or name == OFFLINE.name:
            if with_offline:
                return _OFFLINE_ROUTE
            if not self.aliases():
                raise NoModelConfigured(details=_NO_MODEL)
            problem = "is not named, and the default route answers digests only"
            raise InvalidInputError.of("model", problem, ", ".join(self.aliases()))
        return self.resolve(name)

    def _by_alias(self, alias: str, with_offline: bool) -> Route | None:
        if alias == OFFLINE.name:
            return _OFFLINE_ROUTE if with_offline else None
        return next((route for route in self.routes if route.alias == alias), None)

    def _by_pattern(self, model: str) -> Route | None:
        matching = [
            route
            for route in self.routes
            if route.pattern and fnmatchcase(model, route.pattern)
        ]
        return max(matching, key=_literal_length, default=None)

    def _by_capability(self, model: str) -> Route | None:
        if not model.startswith(_CAPABILITY):
            return None
        capability = model.removeprefix(_CAPABILITY)
        return next((r for r in self.routes if r.capability == capability), None)

    def _by_provider(self, model: str) -> Route | None:
        """Find `provider/model`: as configured, as listed, else made of a sample."""
        provider, _, name = model.partition("/")
        sample = self.samples.get(provider)
        if sample is None or not is_plain(name):
            return None
        configured = next(
            (
                each
                for each in self.deployments.values()
                if (each.provider, each.model) == (provider, name)
            ),
            None,
        )
        made = self.discovered.find(name, provider) or make_deployment(sample, name)
        return _route_to(model, configured or made)

    def _names(self, with_offline: bool = False) -> tuple[str, ...]:
        offline = (OFFLINE.name,) if with_offline else ()
        return (*(route.name for route in self.routes), *offline)

    def _not_found(self, model: str, with_offline: bool) -> APIError:
        names = self._names(with_offline)
        if not (names or self.samples):
            return NoModelConfigured(details=_NO_MODEL)
        is_direct = model.partition("/")[0] in self.samples
        return not_found(model, names, self.discovered.names(), _DIRECT * is_direct)

    def _complaints(self) -> Iterator[str]:
        """Yield a sentence for each name that cannot be followed."""
        known = {*self.aliases(), OFFLINE.name}
        if OFFLINE.name in self.deployments:
            yield f"deployments.{OFFLINE.name}: this name is reserved; choose another"
        for route in self.routes:
            yield from self._route_complaints(route, known)
        if self.default_route is not None and self.default_route not in known:
            yield f"default_route: {self.default_route!r} is not the alias of a route"

    def _route_complaints(self, route: Route, known: set[str]) -> Iterator[str]:
        where = f"route {route.name!r}"
        if route.alias in (OFFLINE.name, AUTO):
            yield f"{where}: this name is reserved; choose another"
        if route.strategy not in STRATEGIES:
            yield f"{where}: strategy {route.strategy!r} is unknown"
        if not route.weights:
            yield f"{where}: has no deployment"
        for name, weight in route.weights.items():
            if name not in self.deployments and name != OFFLINE.name:
                yield f"{where}: deployment {name!r} is not described"
            if weight <= 0:
                yield f"{where}: the weight of {name!r} must be above 0"
        for alias in route.fallbacks:
            if alias not in known:
                yield f"{where}: fallback {alias!r} is not the alias of a route"


def _route_to(model: str, deployment: Deployment | None) -> Route | None:
    """Return the route from a name straight to one deployment, if there is one."""
    if deployment is None:
        return None
    return Route(alias=model, weights={deployment.name: 1}, made=deployment)


def _literal_length(route: Route) -> int:
    """Count the characters of a pattern that stand for themselves."""
    return sum(character not in "*?" for character in route.pattern or "")
