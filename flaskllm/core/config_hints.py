"""What the settings may say but seldom mean: warnings, which stop nothing."""

from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from flaskllm.core.config_model import Settings
from flaskllm.core.config_problems import CheckName, Problem
from flaskllm.core.config_route_checks import AUTO, OFFLINE
from flaskllm.core.config_routes import RouteSettings
from flaskllm.core.sensitive import LOCAL

# A provider adds these itself; an SDK's base_url ends before them.
_CALLS = ("/chat/completions", "/completions", "/messages", "/embeddings", "/responses")
# The provider that sends nothing anywhere.
_NO_UPSTREAM = "extractive"

_REFUSED = "what matches is refused"
# By whether the routes that are meant end at `offline`: none, all, or only some.
_REQUESTS: Final[Mapping[frozenset[bool], str]] = {
    frozenset({False}): _REFUSED,
    frozenset({True}): "a digest that matches is answered by offline, without a model, "
    "any other request is refused",
    frozenset({True, False}): "a digest that matches is answered by offline, without a "
    "model, where that is a fallback of its route; everything else is refused",
}
_DIGESTS: Final[Mapping[frozenset[bool], str]] = {
    frozenset({False}): _REFUSED,
    frozenset({True}): "what matches is answered by offline, without a model",
    frozenset({True, False}): "what matches is answered by offline, without a model, "
    "where that is a fallback of its route, and refused otherwise",
}


def find_hints(settings: Settings) -> Iterator[Problem]:
    """Yield a warning for each setting that probably does not do what was meant."""
    yield from _check_addresses(settings)
    yield from _check_unused(settings)
    yield from _check_second_prices(settings)
    yield from _check_local(settings)
    yield from _check_cache(settings)


def _check_addresses(settings: Settings) -> Iterator[Problem]:
    for name, provider in settings.providers.items():
        path = urlsplit(provider.base_url or "").path.rstrip("/").lower()
        call = next((each for each in _CALLS if path.endswith(each)), None)
        if call is not None:
            yield _warning(
                f"providers.{name}.base_url",
                f"an address that ends in {call}, which is added to it",
                f"the address without {call}, as an SDK takes it",
                "providers",
            )


def _check_unused(settings: Settings) -> Iterator[Problem]:
    if settings.deployments and not settings.routes:
        found = "no route, so no alias leads to the deployments"
        allowed = "a route: {alias: NAME, deployments: {DEPLOYMENT: 1}}"
        yield _warning("deployments", found, allowed, "routes")
        return
    used = {name for route in settings.routes for name in route.deployments}
    for name in settings.deployments:
        if name not in used:
            found = "a deployment that no route names"
            allowed = "a route with it, or nothing: it may be left out"
            yield _warning(f"deployments.{name}", found, allowed, "deployments")


def _check_second_prices(settings: Settings) -> Iterator[Problem]:
    for index, route in enumerate(settings.routes):
        is_told = "second_price" in route.model_fields_set
        if is_told and route.strategy != "adaptive":
            yield _warning(
                f"routes.{index}.second_price",
                f"a price, but the strategy {route.strategy} does not look at it",
                "strategy: adaptive, or nothing",
                "routes",
            )


def _check_local(settings: Settings) -> Iterator[Problem]:
    """Yield each place that keeps text local where no deployment may have it."""
    if not settings.deployments or _has_local(settings):
        return
    routes, everywhere = settings.routes, _default_ends(settings)
    if settings.privacy.on_sensitive == LOCAL:
        ends = everywhere | {_ends_offline(each, settings) for each in routes}
        yield _nobody_local("privacy.on_sensitive", _REQUESTS[frozenset(ends)])
    for index, route in enumerate(routes):
        if route.on_sensitive == LOCAL:
            ends = {_ends_offline(route, settings)}
            yield _nobody_local(
                f"routes.{index}.on_sensitive", _REQUESTS[frozenset(ends)]
            )
    for name, told in settings.inbound.items():
        model = told.digest.get("model") or AUTO
        if told.digest.get("on_sensitive") == LOCAL and model != OFFLINE:
            ends = _ends_of(model, settings)
            path = f"inbound.{name}.digest.on_sensitive"
            yield _nobody_local(path, _DIGESTS[frozenset(ends)])


def _nobody_local(path: str, outcome: str) -> Problem:
    found = f"local, but no deployment is tagged local: {outcome}"
    allowed = "tags: [local] at a deployment that runs in your own house"
    return _warning(path, found, allowed, "capabilities")


def _ends_of(model: object, settings: Settings) -> set[bool]:
    """Return whether a digest with this model may get to `offline`, or both."""
    if model == AUTO and (ends := _default_ends(settings)):
        return ends
    named = settings.default_route if model == AUTO else model
    aliases = [each for each in settings.routes if each.alias is not None]
    if named is None and aliases:
        return {_ends_offline(aliases[0], settings)}
    found = [each for each in aliases if each.alias == named]
    # What a pattern or a capability leads to is told where the models are known.
    return {_ends_offline(found[0], settings)} if found else {True, False}


def _default_ends(settings: Settings) -> set[bool]:
    """Return `{True}` where a digest that names no model goes to `offline` at once."""
    is_offline = settings.default_route == OFFLINE or not settings.routes
    return {True} if is_offline else set()


def _ends_offline(route: RouteSettings, settings: Settings) -> bool:
    """Tell whether `offline` stands among a route's fallbacks, or among theirs."""
    by_alias = {each.alias: each for each in settings.routes if each.alias}
    names = list(route.fallbacks)
    for name in names:  # grows while it is read
        further = by_alias[name].fallbacks if name in by_alias else ()
        names += [each for each in further if each not in names]
    return OFFLINE in names


def _has_local(settings: Settings) -> bool:
    """Tell whether any deployment may have what stays local."""
    return any(
        LOCAL in deployment.tags
        or settings.providers[deployment.provider].kind == _NO_UPSTREAM
        for deployment in settings.deployments.values()
    )


def _check_cache(settings: Settings) -> Iterator[Problem]:
    workers = settings.server.workers
    is_used = any(
        each.cache_ttl_seconds or each.single_flight for each in settings.routes
    )
    if settings.cache.store == "memory" and workers > 1 and is_used:
        found = (
            f"memory, where {workers} worker processes each keep and ask for themselves"
        )
        allowed = "auto or database, which all of them share"
        yield _warning("cache.store", found, allowed, "routes")


def _warning(path: str, found: str, allowed: str, check: CheckName) -> Problem:
    return Problem(path, found, allowed, check=check, is_warning=True)
