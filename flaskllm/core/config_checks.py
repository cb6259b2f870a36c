"""What one type cannot say of the settings: addresses, references, circles.

`check` reads a plain tree and forgives what is missing or of the wrong type,
so that the problems it finds can be told together with those of the types.
"""

from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from flaskllm.core.addresses import is_local
from flaskllm.core.config_addresses import url_fault
from flaskllm.core.config_databases import check_shared_secret
from flaskllm.core.config_kinds import KINDS, Kind
from flaskllm.core.config_names import Mask, Names, items, section, texts_at
from flaskllm.core.config_problems import Problem
from flaskllm.core.config_reach import check_reach
from flaskllm.core.config_route_checks import OFFLINE, check_routes, missing_alias

__all__ = ["OFFLINE", "check"]

# What pydantic reads as true.
_TRUE = ("true", "1", "yes", "on", "y", "t")


def check(
    tree: Mapping[str, object], hidden_paths: Iterable[str] = ()
) -> list[Problem]:
    """Return every disagreement between the parts of a configuration.

    Args:
        tree: The values as they were read.
        hidden_paths: Where values came through `${...}`; those are not shown.
    """
    mask = Mask(frozenset(texts_at(tree, frozenset(hidden_paths))))
    providers = section(tree.get("providers"))
    deployments = section(tree.get("deployments"))
    routes = [section(route) for route in items(tree.get("routes"))]
    named = [route.get("alias") for route in routes]
    aliases = [alias for alias in named if isinstance(alias, str)]
    known = [*dict.fromkeys([*aliases, OFFLINE])]
    return [
        *check_shared_secret(tree),
        *_check_providers(providers),
        *_check_deployments(deployments, [*providers], mask),
        *check_routes(routes, [*deployments], known, mask),
        *check_reach(routes, deployments, mask),
        *_check_default_route(tree.get("default_route"), known, [*deployments], mask),
    ]


def _check_providers(providers: Mapping[str, object]) -> Iterator[Problem]:
    for name, value in providers.items():
        provider = section(value)
        path = f"providers.{name}"
        name_of_kind = provider.get("kind")
        kind = _kind(name_of_kind)
        for needed in kind.needs:
            if provider.get(needed) is None:
                allowed = f"a value; {name_of_kind} needs it"
                yield Problem(f"{path}.{needed}", "nothing", allowed, check="providers")
        if provider.get("models") is not None and not kind.lists_models:
            found = f"discover, but {name_of_kind} does not list its models"
            allowed = "deployments, written out"
            yield Problem(f"{path}.models", found, allowed, check="providers")
        yield from _check_plain_http(path, provider)


def _kind(name: object) -> Kind:
    """Return what is known of a kind; of an unknown one, which types tell, nothing."""
    return next((kind for each, kind in KINDS.items() if each == name), Kind(needs=()))


def _check_plain_http(path: str, provider: Mapping[str, object]) -> Iterator[Problem]:
    # The switch is read as text too, for a tree that no type has seen yet.
    switch = str(provider.get("allow_plain_http", False)).lower()
    address = provider.get("base_url")
    if not isinstance(address, str) or url_fault(address) or switch in _TRUE:
        return
    parts = urlsplit(address)
    if parts.scheme == "http" and not is_local(parts.hostname or ""):
        yield Problem(
            f"{path}.base_url",
            "plain http to a host outside loopback and private networks",
            f"https://, or {path}.allow_plain_http: true if the way there is safe",
            check="providers",
        )


def _check_deployments(
    deployments: Mapping[str, object], providers: list[str], mask: Mask
) -> Iterator[Problem]:
    known = Names("provider", providers, "deployments")
    for name, value in deployments.items():
        if name == OFFLINE:
            found = f"'{name}', which is reserved"
            path = f"deployments.{name}"
            yield Problem(path, found, "another name", check="deployments")
        provider = section(value).get("provider")
        if isinstance(provider, str):
            yield from known.missing(f"deployments.{name}.provider", provider, mask)


def _check_default_route(
    name: object, aliases: list[str], deployments: list[str], mask: Mask
) -> Iterator[Problem]:
    if isinstance(name, str):
        known = Names("alias", aliases, "default_route")
        yield from missing_alias("default_route", name, known, deployments, mask)
