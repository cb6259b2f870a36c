"""Providers out of the usual variables: `OPENAI_API_KEY` and its like."""

from collections.abc import Iterator
from dataclasses import dataclass

from flaskllm.core.config_checks import OFFLINE
from flaskllm.core.config_environ import Environment
from flaskllm.core.config_kinds import KINDS, Kind
from flaskllm.core.config_variables import Draft, has_variables

_DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class _Found:
    """A provider whose credential is set."""

    name: str
    kind: Kind

    @property
    def prefix(self) -> str:
        """Return what its other variables begin with."""
        return self.kind.variable.rpartition("_API_KEY")[0] or self.name.upper()


def find_usual(draft: Draft, environment: Environment) -> None:
    """Add a provider for each usual credential when the operator named no provider.

    `OPENAI_BASE_URL` and `OPENAI_MODEL` go with `OPENAI_API_KEY`, and so for the
    others. Each offers all models that its upstream lists, where it does. Where
    there are neither deployments nor routes, its own model becomes an alias; the
    first of them is also the alias `default`, which falls back to `offline` and
    answers requests that name no model.
    """
    if draft.values.get("providers") or has_variables(environment, "PROVIDERS__"):
        return
    found = [
        _Found(name, kind)
        for name, kind in KINDS.items()
        if kind.variable and environment.given(kind.variable) is not None
    ]
    if not found:
        return
    draft.values["providers"] = {
        each.name: _provider(draft, environment, each) for each in found
    }
    if not (draft.values.get("deployments") or draft.values.get("routes")):
        _add_routes(draft, environment, found)


def _provider(
    draft: Draft, environment: Environment, found: _Found
) -> dict[str, object]:
    path, variable = f"providers.{found.name}", found.kind.variable
    provider: dict[str, object] = {"kind": found.name}
    if found.kind.lists_models:
        provider["models"] = "discover"
    for key in provider:
        draft.origins[f"{path}.{key}"] = environment.origin(variable)
    given = {"api_key": variable, "base_url": f"{found.prefix}_BASE_URL"}
    for key, name in given.items():
        if (value := environment.given(name)) is not None:
            provider[key] = value
            draft.origins[f"{path}.{key}"] = environment.origin(name)
    return provider


def _add_routes(draft: Draft, environment: Environment, found: list[_Found]) -> None:
    """Make the model of each provider an alias, and the first one the default."""
    deployments: dict[str, object] = {}
    routes: list[dict[str, object]] = []
    for each in found:
        variable = f"{each.prefix}_MODEL"
        model = environment.given(variable)
        origin = environment.origin(variable if model else each.kind.variable)
        model = model or each.kind.model
        if not model or model in deployments:
            continue
        deployments[model] = {"provider": each.name, "model": model}
        alias = model if routes else _DEFAULT
        fallbacks = [] if routes else [OFFLINE]
        routes.append(
            {"alias": alias, "deployments": {model: 1}, "fallbacks": fallbacks}
        )
        paths = _paths(model, len(routes) - 1)
        draft.origins.update(dict.fromkeys(paths, origin))
    if not routes:
        return
    draft.values |= {"deployments": deployments, "routes": routes}
    if draft.values.get("default_route") is None:
        draft.values["default_route"] = _DEFAULT
        draft.origins["default_route"] = draft.origins["routes.0.alias"]


def _paths(model: str, route: int) -> Iterator[str]:
    for key in ("provider", "model"):
        yield f"deployments.{model}.{key}"
    for key in ("alias", f"deployments.{model}", "fallbacks"):
        yield f"routes.{route}.{key}"
