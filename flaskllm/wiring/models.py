"""What a change of the settings file can replace while we run: one snapshot.

Each question to a model takes the snapshot that stands then.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from random import SystemRandom

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.config import (
    CA_BUNDLES,
    ConfigError,
    ConfigWatch,
    DeploymentSettings,
    Loaded,
    Problem,
    ProviderSettings,
    RouteSettings,
    Settings,
    read_ca_bundle,
    read_proxies,
)
from flaskllm.core.redaction import Redactor
from flaskllm.llm import retry
from flaskllm.llm.catalog import OFFLINE, Catalog, Route
from flaskllm.llm.prompts import Library, TemplateError, load_library
from flaskllm.llm.providers import LocalProvider, Provider, build_provider
from flaskllm.llm.router import Router
from flaskllm.llm.types import Deployment
from flaskllm.net.session import check_ca_bundle
from flaskllm.net.transport import Transport
from flaskllm.wiring.secrets import reveal, secrets_of

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Models:
    """All that is made of the part of the settings that may change: one snapshot."""

    router: Router
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
        _hide_secrets(loaded.settings, redactor)
        self._models = build_models(loaded.settings, clock)

    def router(self) -> Router:
        """Return the router of the settings as they stand now."""
        return self._now().router

    def library(self) -> Library:
        """Return the templates of the settings as they stand now."""
        return self._now().library

    def _now(self) -> Models:
        loaded = self._watch.poll(self._clock.monotonic())
        if loaded is not None:
            self._replace(loaded)
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
    catalog = Catalog(
        routes=tuple(map(_route, settings.routes)),
        deployments={
            name: _deployment(name, described, settings)
            for name, described in settings.deployments.items()
        },
        default_route=settings.default_route,
    )
    senders = _senders(settings)
    router = Router(
        catalog,
        _providers(settings, clock),
        senders,
        retry.Policy(),
        SystemRandom(),  # a fork must not repeat another worker's jitter
    )
    return Models(router, load_library(settings.templates_dir), senders)


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
    )


def _deployment(
    name: str, described: DeploymentSettings, settings: Settings
) -> Deployment:
    kind = settings.providers[described.provider].kind
    listed = described.capabilities
    return Deployment(
        name=name,
        provider=described.provider,
        kind=kind,
        model=described.model,
        context_window=described.context_window,
        max_output_tokens=described.max_output_tokens,
        capabilities=None if listed is None else frozenset(listed),
        degraded=kind == OFFLINE.kind,
    )


def _providers(
    settings: Settings, clock: Clock
) -> Mapping[str, Provider | LocalProvider]:
    """Return the provider of each deployment; deployments of one provider share it."""
    by_name = {
        name: _provider(name, described, clock)
        for name, described in settings.providers.items()
    }
    configured = {
        name: by_name[described.provider]
        for name, described in settings.deployments.items()
    }
    return {**configured, OFFLINE.name: build_provider(OFFLINE.kind, None, None, clock)}


def _provider(
    name: str, described: ProviderSettings, clock: Clock
) -> Provider | LocalProvider:
    try:
        return build_provider(
            described.kind, described.base_url, reveal(described.api_key), clock
        )
    except ValueError as error:
        problem = Problem(f"providers.{name}", str(error), "what its kind needs")
        raise ConfigError([problem]) from error


def _senders(settings: Settings) -> Mapping[str, Transport]:
    if not settings.deployments:
        return {}
    proxies, ca_bundle = read_proxies(), _ca_bundle()
    return {
        name: Transport(
            pool_size=settings.server.threads,
            connect_timeout_seconds=settings.timeouts.connect_seconds,
            proxies=proxies.for_url,
            ca_bundle=ca_bundle,
        )
        for name in settings.deployments
    }


def _ca_bundle() -> str | None:
    path = read_ca_bundle()
    if path is None:
        return None
    try:
        check_ca_bundle(path)
    except ValueError as error:
        names = " or ".join(CA_BUNDLES)
        problem = Problem(names, str(error), "a PEM file, or a folder of them")
        raise ConfigError([problem]) from error
    return path


def tell_rejected(error: Exception) -> None:
    """Log what is wrong with settings that are not taken up."""
    # The snapshot that stands goes on; the operator has to mend the file.
    logs.event(_log, logging.ERROR, "settings_rejected", problems=str(error))
