"""What the settings may say but seldom mean: warnings, which stop nothing."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from flaskllm.core.config_model import Settings
from flaskllm.core.config_problems import CheckName, Problem
from flaskllm.core.sensitive import LOCAL

# A provider adds these itself; an SDK's base_url ends before them.
_CALLS = ("/chat/completions", "/completions", "/messages", "/embeddings", "/responses")
# The provider that sends nothing anywhere.
_NO_UPSTREAM = "extractive"


def find_hints(settings: Settings) -> Iterator[Problem]:
    """Yield a warning for each setting that probably does not do what was meant."""
    yield from _check_addresses(settings)
    yield from _check_unused(settings)
    yield from _check_second_prices(settings)
    yield from _check_local(settings)


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
    places = {"privacy.on_sensitive": settings.privacy.on_sensitive}
    for index, route in enumerate(settings.routes):
        places[f"routes.{index}.on_sensitive"] = route.on_sensitive
    for path, said in places.items():
        if said == LOCAL:
            found = "local, but no deployment is tagged local: what matches is refused"
            allowed = "tags: [local] at a deployment that runs in your own house"
            yield _warning(path, found, allowed, "capabilities")


def _has_local(settings: Settings) -> bool:
    """Tell whether any deployment may have what stays local."""
    return any(
        LOCAL in deployment.tags
        or settings.providers[deployment.provider].kind == _NO_UPSTREAM
        for deployment in settings.deployments.values()
    )


def _warning(path: str, found: str, allowed: str, check: CheckName) -> Problem:
    return Problem(path, found, allowed, check=check, is_warning=True)
