"""Routes in a plain tree of settings: what they name, and where fallbacks lead."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from flaskllm.core.config_names import Mask, Names, items, section
from flaskllm.core.config_problems import Problem

OFFLINE = "offline"
# It asks for the default route, as no name at all does.
AUTO = "auto"
SELECTORS = ("alias", "pattern", "capability")
RESERVED: Final = (AUTO, OFFLINE)
"""What digests may name beside routes; no route has one of these as its alias."""

Route = Mapping[str, object]


def check_routes(
    routes: Sequence[Route],
    deployments: Sequence[str],
    aliases: Sequence[str],
    mask: Mask,
) -> Iterator[Problem]:
    """Yield what is wrong with each route, and with two that are alike.

    Args:
        routes: The routes, in their order.
        deployments: The names of all deployments.
        aliases: Every alias, with `offline`.
        mask: Words the names.
    """
    taken: set[tuple[str, str]] = set()
    for index, route in enumerate(routes):
        path = f"routes.{index}"
        yield from _check_selector(path, route)
        yield from _check_taken(path, route, taken, mask)
        yield from _check_names(path, route, deployments, aliases, mask)
    yield from _check_cycles(routes, mask)


def selector_of(route: Route) -> tuple[str, str] | None:
    """Return what a route answers to, kind and name; None where that is unclear."""
    chosen = [name for name in SELECTORS if route.get(name) is not None]
    return (chosen[0], str(route[chosen[0]])) if len(chosen) == 1 else None


def missing_alias(
    path: str, name: str, aliases: Names, deployments: Sequence[str], mask: Mask
) -> Iterator[Problem]:
    """Yield the problem of a name that is no alias, or only that of a deployment."""
    if name in aliases.known or name not in deployments:
        yield from aliases.missing(path, name, mask)
        return
    found = f"{mask.quote(name)}, which is a deployment"
    there = ", ".join(map(mask.bare, aliases.known))
    allowed = f"an alias ({there}): write a route for it"
    yield Problem(path, found, allowed, check=aliases.check)


def _check_selector(path: str, route: Route) -> Iterator[Problem]:
    chosen = [name for name in SELECTORS if route.get(name) is not None]
    if len(chosen) != 1:
        found = " and ".join(chosen) or "none of them"
        allowed = f"exactly one of {', '.join(SELECTORS)}"
        yield Problem(path, found, allowed, check="routes")
    elif (alias := route.get("alias")) in RESERVED:
        found = f"'{alias}', which is reserved"
        yield Problem(f"{path}.alias", found, "another name", check="routes")


def _check_taken(
    path: str, route: Route, taken: set[tuple[str, str]], mask: Mask
) -> Iterator[Problem]:
    selector = selector_of(route)
    if selector is None:
        return
    kind, name = selector
    if selector in taken:
        found = f"{mask.quote(name)}, which a route above has"
        yield Problem(f"{path}.{kind}", found, "its own", check="duplicates")
    taken.add(selector)


def _check_names(
    path: str,
    route: Route,
    deployments: Sequence[str],
    aliases: Sequence[str],
    mask: Mask,
) -> Iterator[Problem]:
    known = Names("deployment", deployments, "routes")
    for name in section(route.get("deployments")):
        yield from known.missing(f"{path}.deployments.{name}", name, mask)
    known = Names("alias", aliases, "routes")
    for alias in items(route.get("fallbacks")):
        if isinstance(alias, str):
            where = f"{path}.fallbacks"
            yield from missing_alias(where, alias, known, deployments, mask)


def _check_cycles(routes: Sequence[Route], mask: Mask) -> Iterator[Problem]:
    fallbacks: dict[str, list[str]] = {}
    indexes: dict[str, int] = {}
    for index, route in enumerate(routes):
        if isinstance(alias := route.get("alias"), str):
            fallbacks[alias] = [str(name) for name in items(route.get("fallbacks"))]
            indexes[alias] = index
    told: set[str] = set()
    for alias, index in indexes.items():
        circle = _circle(alias, fallbacks)
        if circle and told.isdisjoint(circle):
            told.update(circle)
            found = f"a circle: {' -> '.join(map(mask.bare, circle))}"
            path = f"routes.{index}.fallbacks"
            yield Problem(path, found, "fallbacks that end", check="fallbacks")


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
