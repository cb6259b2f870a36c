"""What one type cannot say of the settings: strength, references, circles.

`check` reads a plain tree and forgives what is missing or of the wrong type,
so that the problems it finds can be told together with those of the types.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from flaskllm.core.addresses import is_local
from flaskllm.core.config_addresses import url_fault
from flaskllm.core.config_kinds import KINDS, Kind
from flaskllm.core.config_problems import Problem, describe, nearest, wrong_value
from flaskllm.core.config_strength import MAKE_A_SECRET, weakness

OFFLINE = "offline"
# `auto` asks for the default route, as no name at all does.
_RESERVED_ALIASES = (OFFLINE, "auto")
# What pydantic reads as true.
_TRUE = ("true", "1", "yes", "on", "y", "t")
_RESERVED = "'{}', which is reserved"
_SELECTORS = ("alias", "pattern", "capability")


@dataclass(frozen=True, slots=True)
class _Mask:
    """Words values so that none shows which came out of a variable or is long."""

    hidden: frozenset[str]

    def quote(self, name: str) -> str:
        """Return the name in quotes, or how long it is."""
        return describe(name, str, name in self.hidden)

    def bare(self, name: str) -> str:
        """Return the name as it is, or how long it is."""
        return name if self.shows(name) else self.quote(name)

    def shows(self, name: str) -> bool:
        """Tell whether the name may be shown."""
        return self.quote(name) == repr(name)


def check(
    tree: Mapping[str, object], hidden_paths: Iterable[str] = ()
) -> list[Problem]:
    """Return every disagreement between the parts of a configuration.

    Args:
        tree: The values as they were read.
        hidden_paths: Where values came through `${...}`; those are not shown.
    """
    mask = _Mask(frozenset(_texts_at(tree, frozenset(hidden_paths))))
    providers = _section(tree.get("providers"))
    deployments = _section(tree.get("deployments"))
    routes = [_section(route) for route in _items(tree.get("routes"))]
    named = [route.get("alias") for route in routes]
    aliases = [alias for alias in named if isinstance(alias, str)]
    known = [*dict.fromkeys([*aliases, OFFLINE])]
    return [
        *_check_providers(providers),
        *_check_deployments(deployments, [*providers], mask),
        *_check_routes(routes, [*deployments], known, mask),
        *_check_cycles(routes, mask),
        *_check_default_route(tree.get("default_route"), known, mask),
    ]


def check_strength(value: str) -> None:
    """Return when a secret is strong enough; else raise what pydantic reports."""
    found = weakness(value)
    if found:
        allowed = f"32 or more random characters; make them with\n    {MAKE_A_SECRET}"
        raise wrong_value(found, allowed)


def _check_providers(providers: Mapping[str, object]) -> Iterator[Problem]:
    for name, value in providers.items():
        provider = _section(value)
        path = f"providers.{name}"
        name_of_kind = provider.get("kind")
        kind = _kind(name_of_kind)
        for needed in kind.needs:
            if provider.get(needed) is None:
                allowed = f"a value; {name_of_kind} needs it"
                yield Problem(f"{path}.{needed}", "nothing", allowed)
        if provider.get("models") is not None and not kind.lists_models:
            found = f"discover, but {name_of_kind} does not list its models"
            yield Problem(f"{path}.models", found, "deployments, written out")
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
        )


def _check_deployments(
    deployments: Mapping[str, object], providers: Sequence[str], mask: _Mask
) -> Iterator[Problem]:
    for name, value in deployments.items():
        if name == OFFLINE:
            yield Problem(f"deployments.{name}", _RESERVED.format(name), "another name")
        provider = _section(value).get("provider")
        if isinstance(provider, str):
            path = f"deployments.{name}.provider"
            yield from _check_known(path, provider, providers, "provider", mask)


def _check_routes(
    routes: Sequence[Mapping[str, object]],
    deployments: Sequence[str],
    aliases: Sequence[str],
    mask: _Mask,
) -> Iterator[Problem]:
    taken: set[tuple[str, str]] = set()
    for index, route in enumerate(routes):
        path = f"routes.{index}"
        yield from _check_selector(path, route, taken, mask)
        for name in _section(route.get("deployments")):
            where = f"{path}.deployments.{name}"
            yield from _check_known(where, name, deployments, "deployment", mask)
        for alias in _items(route.get("fallbacks")):
            if isinstance(alias, str):
                where = f"{path}.fallbacks"
                yield from _check_known(where, alias, aliases, "alias", mask)


def _check_selector(
    path: str,
    route: Mapping[str, object],
    taken: set[tuple[str, str]],
    mask: _Mask,
) -> Iterator[Problem]:
    chosen = [name for name in _SELECTORS if route.get(name) is not None]
    if len(chosen) != 1:
        found = " and ".join(chosen) or "none of them"
        yield Problem(path, found, f"exactly one of {', '.join(_SELECTORS)}")
        return
    kind, name = chosen[0], str(route[chosen[0]])
    if kind == "alias" and name in _RESERVED_ALIASES:
        yield Problem(f"{path}.alias", _RESERVED.format(name), "another name")
    if (kind, name) in taken:
        found = f"{mask.quote(name)}, which a route above has"
        yield Problem(f"{path}.{kind}", found, "its own")
    taken.add((kind, name))


def _check_cycles(
    routes: Sequence[Mapping[str, object]], mask: _Mask
) -> Iterator[Problem]:
    fallbacks: dict[str, list[str]] = {}
    indexes: dict[str, int] = {}
    for index, route in enumerate(routes):
        if isinstance(alias := route.get("alias"), str):
            fallbacks[alias] = [str(name) for name in _items(route.get("fallbacks"))]
            indexes[alias] = index
    told: set[str] = set()
    for alias, index in indexes.items():
        circle = _circle(alias, fallbacks)
        if circle and told.isdisjoint(circle):
            told.update(circle)
            found = f"a circle: {' -> '.join(map(mask.bare, circle))}"
            yield Problem(f"routes.{index}.fallbacks", found, "fallbacks that end")


def _circle(start: str, fallbacks: Mapping[str, Sequence[str]]) -> list[str]:
    """Return the shortest way along fallbacks from an alias to itself, or []."""
    ways = [[start]]
    seen: set[str] = set()
    for way in ways:  # grows while it is read: breadth first
        for name in fallbacks.get(way[-1], ()):
            if name == start:
                return [*way, name]
            if name not in seen:
                seen.add(name)
                ways.append([*way, name])
    return []


def _check_default_route(
    name: object, aliases: Sequence[str], mask: _Mask
) -> Iterator[Problem]:
    if isinstance(name, str):
        yield from _check_known("default_route", name, aliases, "alias", mask)


def _check_known(
    path: str, name: str, names: Sequence[str], noun: str, mask: _Mask
) -> Iterator[Problem]:
    if name not in names:
        allowed = ", ".join(map(mask.bare, names))
        found = f"{mask.quote(name)}, which is no {noun}"
        yield Problem(
            path,
            found,
            allowed or f"none yet: no {noun} is configured",
            nearest(name, filter(mask.shows, names)),
        )


def _texts_at(value: object, paths: frozenset[str], path: str = "") -> Iterator[str]:
    """Yield the texts of a tree that stand at one of these dotted paths."""
    if isinstance(value, str) and path in paths:
        yield value
    below = value.items() if isinstance(value, Mapping) else enumerate(_items(value))
    for key, each in below:
        yield from _texts_at(each, paths, f"{path}.{key}" if path else str(key))


def _section(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()
