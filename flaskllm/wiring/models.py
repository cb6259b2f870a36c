"""What a change of the settings file can replace while we run: one snapshot.

Each question to a model takes the snapshot that stands then.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from random import SystemRandom
from threading import Lock

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.config import (
    ConfigError,
    ConfigWatch,
    DeploymentSettings,
    Loaded,
    RouteSettings,
    Settings,
    StreamTimeouts,
    read_proxies,
)
from flaskllm.core.redaction import Redactor
from flaskllm.llm import retry
from flaskllm.llm.catalog import OFFLINE, Catalog, Route
from flaskllm.llm.counting import Counting
from flaskllm.llm.descriptions import Descriptions
from flaskllm.llm.discovery import Discovery
from flaskllm.llm.prompts import Library, TemplateError, load_library
from flaskllm.llm.router import Router
from flaskllm.llm.types import Deployment
from flaskllm.llm.undescribed import with_model
from flaskllm.net.transport import Transport
from flaskllm.wiring.secrets import secrets_of
from flaskllm.wiring.timeouts import timeouts_of
from flaskllm.wiring.upstreams import (
    build_providers,
    build_senders,
    build_shelves,
    build_sources,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Models:
    """All that is made of the part of the settings that may change: one snapshot."""

    router: Router
    catalog: Catalog
    counting: Counting
    library: Library
    senders: Mapping[str, Transport]

    def close(self) -> None:
        """Let go of the connections; who still uses one may finish."""
        for sender in self.senders.values():
            sender.close()


class LiveModels:
    """The snapshot that stands now, built anew when the settings file changed."""

    def __init__(
        self,
        loaded: Loaded,
        watch: ConfigWatch[Loaded],
        clock: Clock,
        redactor: Redactor,
    ) -> None:
        """Build the first snapshot; what is wrong with it stops the start.

        The `redactor` learns the secrets of each configuration.
        """
        self._watch = watch
        self._clock = clock
        self._redactor = redactor
        self._reloading = Lock()
        _hide_secrets(loaded.settings, redactor)
        self._models = build_models(loaded.settings, clock)

    def router(self) -> Router:
        """Return the router of the settings as they stand now."""
        return self._now().router

    def catalog(self) -> Catalog:
        """Return the catalogue of the settings as they stand now."""
        return self._now().catalog

    def counting(self) -> Counting:
        """Return what counts tokens by the settings as they stand now."""
        return self._now().counting

    def library(self) -> Library:
        """Return the templates of the settings as they stand now."""
        return self._now().library

    def _now(self) -> Models:
        # Of two that build at once the slower might put the older one in its place;
        # who comes meanwhile does not wait, and goes on with what stands.
        if self._reloading.acquire(blocking=False):
            try:
                loaded = self._watch.poll(self._clock.monotonic())
                if loaded is not None:
                    self._replace(loaded)
            finally:
                self._reloading.release()
        return self._models

    def _replace(self, loaded: Loaded) -> None:
        _hide_secrets(loaded.settings, self._redactor)
        try:
            new = build_models(loaded.settings, self._clock)
        except (ConfigError, TemplateError, ValueError, OSError) as error:
            tell_rejected(error)
            return
        old, self._models = self._models, new
        old.close()
        logs.event(_log, logging.INFO, "settings_reloaded")


def build_models(settings: Settings, clock: Clock) -> Models:
    """Return a snapshot of the models and templates of these settings."""
    providers, senders = build_providers(settings, clock), build_senders(settings)
    samples = {
        name: _sample(name, settings)
        for name, described in settings.providers.items()
        if described.kind != OFFLINE.kind
    }
    discovery = Discovery(build_shelves(settings, samples, providers, senders), clock)
    catalog = Catalog(
        routes=tuple(map(_route, settings.routes)),
        deployments={
            name: _deployment(name, described, settings)
            for name, described in settings.deployments.items()
        },
        default_route=settings.default_route,
        samples=samples,
        discovered=discovery,
    )
    router = Router(
        catalog,
        providers,
        senders,
        retry.Policy(),
        SystemRandom(),  # a fork must not repeat another worker's jitter
        Descriptions(build_sources(settings, providers, senders), clock).fill,
    )
    library = load_library(settings.templates_dir)
    counting = Counting(catalog, providers, senders)
    return Models(router, catalog, counting, library, senders)


def _hide_secrets(settings: Settings, redactor: Redactor) -> None:
    for secret in (*secrets_of(settings), *read_proxies().passwords()):
        redactor.add(secret)


def _route(route: RouteSettings) -> Route:
    return Route(
        alias=route.alias,
        pattern=route.pattern,
        capability=route.capability,
        strategy=route.strategy,
        weights=route.deployments,
        fallbacks=route.fallbacks,
        timeouts=route.timeouts.model_dump(exclude_none=True),
    )


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
    )
    return with_model(deployment, described.model)


def _sample(name: str, settings: Settings) -> Deployment:
    """Return what a deployment of this provider looks like that nobody described."""
    kind = settings.providers[name].kind
    timeouts = timeouts_of(settings.timeouts, kind, StreamTimeouts())
    return Deployment(name=name, provider=name, kind=kind, model="*", timeouts=timeouts)


def tell_rejected(error: Exception) -> None:
    """Log what is wrong with settings that are not taken up."""
    # The snapshot that stands goes on; the operator has to mend the file.
    logs.event(_log, logging.ERROR, "settings_rejected", problems=str(error))
