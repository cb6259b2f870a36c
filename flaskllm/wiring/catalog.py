"""The catalogue of the settings: its routes and deployments as the router has them."""

from dataclasses import replace

from flaskllm.core.config import (
    DeploymentLimits,
    DeploymentSettings,
    PriceSettings,
    PriceTerms,
    RouteSettings,
    Settings,
    StreamTimeouts,
)
from flaskllm.core.config_version import answering_of
from flaskllm.llm.cached import CacheTerms
from flaskllm.llm.catalog import OFFLINE, Catalog, Route
from flaskllm.llm.terms import Limits, Price, Tier
from flaskllm.llm.types import Deployment
from flaskllm.llm.undescribed import Discovered, with_model
from flaskllm.wiring.timeouts import timeouts_of

_NANOS = 1_000_000_000


def build_catalog(
    settings: Settings, samples: dict[str, Deployment], discovered: Discovered
) -> Catalog:
    """Return the routes and deployments of these settings.

    Args:
        settings: The settings.
        samples: See `build_samples`.
        discovered: What the upstreams list.
    """
    return Catalog(
        routes=tuple(_route(each, settings) for each in settings.routes),
        deployments={
            name: _deployment(name, described, settings)
            for name, described in settings.deployments.items()
        },
        default_route=settings.default_route,
        samples=samples,
        discovered=discovered,
    )


def build_samples(settings: Settings) -> dict[str, Deployment]:
    """Return what a deployment of each provider looks like that nobody described."""
    return {
        name: _sample(name, described.kind, settings)
        for name, described in settings.providers.items()
        if described.kind != OFFLINE.kind
    }


def _route(route: RouteSettings, settings: Settings) -> Route:
    return Route(
        alias=route.alias,
        pattern=route.pattern,
        capability=route.capability,
        strategy=route.strategy,
        weights=route.deployments,
        fallbacks=route.fallbacks,
        timeouts=route.timeouts.model_dump(exclude_none=True),
        rescue=route.rescue,
        require_price=route.require_price,
        second_nanos=_nanos(route.second_price),
        on_sensitive=route.on_sensitive,
        cache=_cache_terms(route, settings),
    )


def _cache_terms(route: RouteSettings, settings: Settings) -> CacheTerms:
    terms = CacheTerms(
        ttl_seconds=route.cache_ttl_seconds,
        any_temperature=route.cache_any_temperature,
        shared=route.cache_shared,
        single_flight=route.single_flight,
    )
    if terms.is_nothing:
        return terms
    return replace(terms, fingerprint=answering_of(route, settings))


def _deployment(
    name: str, described: DeploymentSettings, settings: Settings
) -> Deployment:
    kind = settings.providers[described.provider].kind
    listed = described.capabilities
    deployment = Deployment(
        name=name,
        provider=described.provider,
        kind=kind,
        model=described.model,
        context_window=described.context_window,
        max_output_tokens=described.max_output_tokens,
        capabilities=None if listed is None else frozenset(listed),
        degraded=kind == OFFLINE.kind,
        tags=frozenset(described.tags),
        timeouts=timeouts_of(settings.timeouts, kind, described.timeouts),
        limits=_limits(described.limits),
        price=_price(described.price),
    )
    return with_model(deployment, described.model)


def _sample(name: str, kind: str, settings: Settings) -> Deployment:
    timeouts = timeouts_of(settings.timeouts, kind, StreamTimeouts())
    return Deployment(name=name, provider=name, kind=kind, model="*", timeouts=timeouts)


def _limits(limits: DeploymentLimits) -> Limits:
    return Limits(
        limits.requests_per_minute,
        limits.tokens_per_minute,
        limits.concurrent_requests,
    )


def _price(price: PriceSettings | None) -> Price | None:
    """Return dollars for a million tokens as nano-dollars for a million tokens."""
    if price is None:
        return None
    tiers = tuple(Tier(each.above, _terms(each)) for each in price.tiers)
    return replace(_terms(price), tiers=tiers)


def _terms(terms: PriceTerms) -> Price:
    def nanos(dollars: float | None) -> int | None:
        return None if dollars is None else _nanos(dollars)

    return Price(
        input=_nanos(terms.input),
        output=_nanos(terms.output),
        cache_read=nanos(terms.cache_read),
        cache_write=nanos(terms.cache_write),
        reasoning=nanos(terms.reasoning),
    )


def _nanos(dollars: float) -> int:
    return round(dollars * _NANOS)
