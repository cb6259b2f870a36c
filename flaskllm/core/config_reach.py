"""Routes in a plain tree of settings that no request can take, or only in vain.

A name is looked up among the aliases first, then among the patterns, of which the
one with the longest literal part wins and of equal ones the first, and then among
the capabilities, as `capability:NAME`.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TypeAlias

from flaskllm.core.config_names import Mask, items, section
from flaskllm.core.config_problems import Problem, nearest
from flaskllm.core.config_route_checks import AUTO, Route, selector_of

_CAPABILITY = "capability:"
_WILDCARDS = re.compile(r"[*?]*")

_Selector: TypeAlias = tuple[int, str]


@dataclass(frozen=True, slots=True)
class _Taker:
    """A route that takes all that another one should get."""

    index: int
    kind: str
    name: str

    def text(self, mask: Mask) -> str:
        """Return the route in words."""
        return f"the {self.kind} {mask.quote(self.name)} of routes.{self.index}"


def check_reach(
    routes: Sequence[Route], deployments: Mapping[str, object], mask: Mask
) -> Iterator[Problem]:
    """Yield the routes that never fire, and the capabilities that nobody has."""
    named = {
        kind: [
            (index, selector[1])
            for index, route in enumerate(routes)
            if (selector := selector_of(route)) and selector[0] == kind
        ]
        for kind in ("alias", "pattern", "capability")
    }
    aliases, patterns = named["alias"], named["pattern"]
    for index, pattern in patterns:
        path = f"routes.{index}.pattern"
        yield from _check_pattern(path, (index, pattern), aliases, patterns, mask)
    for index, capability in named["capability"]:
        path = f"routes.{index}.capability"
        taker = _taker_of(f"{_CAPABILITY}{capability}", aliases, patterns)
        if taker:
            found = f"{mask.quote(capability)}: {taker.text(mask)} comes before it"
            allowed = "a name that no alias and no pattern takes"
            yield Problem(path, found, allowed, check="reach")
        offered = _offered(routes[index], deployments)
        yield from _check_offered(path, capability, offered, mask)


def _check_pattern(
    path: str,
    pattern: _Selector,
    aliases: Sequence[_Selector],
    patterns: Sequence[_Selector],
    mask: Mask,
) -> Iterator[Problem]:
    index, text = pattern
    if text == AUTO:
        found = f"'{AUTO}', which asks for the default route"
        yield Problem(path, found, "another pattern", check="reach")
        return
    taker = _same_alias(text, aliases) or _wider(index, text, patterns)
    if taker:
        found = f"{mask.quote(text)}: {taker.text(mask)} comes before it"
        allowed = "a pattern with a name that is left for it"
        yield Problem(path, found, allowed, check="reach")


def _same_alias(text: str, aliases: Sequence[_Selector]) -> _Taker | None:
    """Return the alias that is the only name that a pattern stands for."""
    if any(sign in text for sign in "*?["):
        return None
    found = (_Taker(index, "alias", name) for index, name in aliases if name == text)
    return next(found, None)


def _wider(index: int, text: str, patterns: Sequence[_Selector]) -> _Taker | None:
    """Return a pattern above that matches all names that this one does."""
    above = [(number, other) for number, other in patterns if number < index]
    found = (
        _Taker(number, "pattern", other)
        for number, other in above
        if other != text and _covers(other, text)
    )
    return next(found, None)


def _taker_of(
    name: str, aliases: Sequence[_Selector], patterns: Sequence[_Selector]
) -> _Taker | None:
    """Return the alias or the pattern that takes this name."""
    for index, alias in aliases:
        if alias == name:
            return _Taker(index, "alias", alias)
    for index, pattern in patterns:
        if fnmatchcase(name, pattern):
            return _Taker(index, "pattern", pattern)
    return None


def _covers(wide: str, narrow: str) -> bool:
    """Tell whether all names of a pattern are also those of one as long in letters.

    A longer literal part goes first, so only patterns with equally long ones can
    take everything of each other; and then the literal parts must be the same: put
    a letter that neither has in the place of each wildcard. So the wildcards between
    the letters decide: `?` stands for one letter, `*` for any number.
    """
    if "[" in wide + narrow or _letters(wide) != _letters(narrow):
        return False
    pairs = zip(_gaps(wide), _gaps(narrow), strict=True)
    return all(_covers_gap(one, other) for one, other in pairs)


def _covers_gap(wide: str, narrow: str) -> bool:
    least, most = wide.count("?"), narrow.count("?")
    if "*" in wide:
        return least <= most
    return "*" not in narrow and least == most


def _letters(pattern: str) -> str:
    return _WILDCARDS.sub("", pattern)


def _gaps(pattern: str) -> list[str]:
    """Return the wildcards before each letter and after the last; some are empty."""
    return re.split(r"[^*?]", pattern)


def _offered(
    route: Route, deployments: Mapping[str, object]
) -> list[Sequence[object]] | None:
    """Return what each deployment of a route lists; None when one lists nothing."""
    names = section(route.get("deployments"))
    listed = [section(deployments.get(name)).get("capabilities") for name in names]
    known = [items(each) for each in listed if isinstance(each, list | tuple)]
    return known if known and len(known) == len(names) else None


def _check_offered(
    path: str, capability: str, offered: list[Sequence[object]] | None, mask: Mask
) -> Iterator[Problem]:
    names = sorted({str(name) for each in offered or () for name in each})
    if offered is None or capability in names:
        return
    found = f"{mask.quote(capability)}, which none of its deployments lists"
    allowed = ", ".join(map(mask.bare, names)) or "none: their lists are empty"
    near = nearest(capability, filter(mask.shows, names))
    yield Problem(path, found, allowed, near, check="capabilities")
