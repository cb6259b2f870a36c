"""From the name that a caller sends to routes and their deployments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from flaskllm.core.errors import APIError, InvalidInputError, NoModelConfigured
from flaskllm.llm.allowed import EVERYTHING, Allowed
from flaskllm.llm.model_names import is_plain, not_found
from flaskllm.llm.route import (
    AUTO,
    CAPABILITY,
    OFFLINE,
    OFFLINE_ROUTE,
    Route,
    complaints,
    route_to,
)
from flaskllm.llm.types import Deployment
from flaskllm.llm.undescribed import Discovered, NothingDiscovered, make_deployment

__all__ = ["AUTO", "HOW_TO_ADD_A_MODEL", "OFFLINE", "Catalog", "Route"]

HOW_TO_ADD_A_MODEL = (
    "Add a model: set OPENAI_API_KEY, or name one under `providers`, `deployments` "
    "and `routes` in the YAML file (FLASKLLM_CONFIG)."
)

_DIRECT = " (provider/model takes an API token made with --direct-models)"
_NO_MODEL = f"No language model is configured. {HOW_TO_ADD_A_MODEL}"


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
        for complaint in complaints(self.routes, self.deployments, self.default_route):
            raise ValueError(complaint)

    def resolve(
        self,
        model: str | None,
        *,
        with_offline: bool = False,
        direct: bool = False,
        allowed: Allowed = EVERYTHING,
    ) -> Route:
        """Return the route of a name.

        An alias, else a pattern, else `provider/model`, else a capability, else
        what an upstream lists. Of several patterns the one with the longest
        literal part wins, of equal ones the first. No name and `auto` mean the
        default route, see `default_alias`, else `offline`.

        Args:
            model: What the caller named.
            with_offline: Whether the request can be answered without a model;
                otherwise `offline` is a name like any unknown one.
            direct: Whether `provider/model` is a name too.
            allowed: The names that this caller may send. The others read as if
                nothing had them; where a route leads is not asked.

        Raises:
            ModelNotFound: Nothing has this name, or it is not allowed.
            InvalidInputError: No name was given, and there is no default route.
            NoModelConfigured: There is neither a route nor a provider.
        """
        if model is None or model == AUTO:
            return self._default(with_offline, allowed)
        found = (
            self._find(model, with_offline, direct) if allowed.holds(model) else None
        )
        if found is None:
            raise self._not_found(model, with_offline, allowed)
        return found

    def default_alias(self, allowed: Allowed = EVERYTHING) -> str | None:
        """Return where requests without a name go, if anywhere.

        The default route of the settings, else the first alias; where that is not
        allowed, the first alias that is. `offline` needs no leave: it costs nothing.
        """
        default = self.default_route or next(iter(self.aliases()), None)
        if default is None or default == OFFLINE.name or allowed.holds(default):
            return default
        return next(iter(allowed.among(self.aliases())), None)

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

    def _find(self, model: str, with_offline: bool, direct: bool) -> Route | None:
        return (
            self._by_alias(model, with_offline)
            or self._by_pattern(model)
            or (self._by_provider(model) if direct else None)
            or self._by_capability(model)
            or route_to(model, self.discovered.find(model))
        )

    def _default(self, with_offline: bool, allowed: Allowed) -> Route:
        name = self.default_alias(allowed)
        if name == OFFLINE.name and not with_offline and not allowed.is_everything:
            name = next(iter(allowed.among(self.aliases())), None)
        if name is not None and name != OFFLINE.name:
            return self.resolve(name)
        if with_offline and (name == OFFLINE.name or not self.routes):
            return OFFLINE_ROUTE
        if not allowed.is_everything:
            raise self._not_found(AUTO, with_offline, allowed)
        if name is None and self.routes:
            problem = "is not named and default_route is not set"
            raise InvalidInputError.of("model", problem, ", ".join(self._names()))
        if not self.aliases():
            raise NoModelConfigured(details=_NO_MODEL)
        problem = "is not named, and the default route answers digests only"
        raise InvalidInputError.of("model", problem, ", ".join(self.aliases()))

    def _by_alias(self, alias: str, with_offline: bool) -> Route | None:
        if alias == OFFLINE.name:
            return OFFLINE_ROUTE if with_offline else None
        return next((route for route in self.routes if route.alias == alias), None)

    def _by_pattern(self, model: str) -> Route | None:
        matching = [
            route
            for route in self.routes
            if route.pattern and fnmatchcase(model, route.pattern)
        ]
        return max(matching, key=_literal_length, default=None)

    def _by_capability(self, model: str) -> Route | None:
        if not model.startswith(CAPABILITY):
            return None
        capability = model.removeprefix(CAPABILITY)
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
        return route_to(model, configured or made)

    def _names(self, with_offline: bool = False) -> tuple[str, ...]:
        offline = (OFFLINE.name,) if with_offline else ()
        return (*(route.name for route in self.routes), *offline)

    def _not_found(self, model: str, with_offline: bool, allowed: Allowed) -> APIError:
        names, listed = self._names(with_offline), self.discovered.names()
        if not (names or self.samples):
            return NoModelConfigured(details=_NO_MODEL)
        if not allowed.is_everything:
            # No word of providers either: what is hidden must read as unknown.
            return not_found(model, allowed.among(names), allowed.among(listed), "")
        is_direct = model.partition("/")[0] in self.samples
        return not_found(model, names, listed, _DIRECT * is_direct)


def _literal_length(route: Route) -> int:
    """Count the characters of a pattern that stand for themselves."""
    return sum(character not in "*?" for character in route.pattern or "")
