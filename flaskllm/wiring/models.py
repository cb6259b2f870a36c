"""What a change of the settings file can replace while we run: one snapshot.

Each question to a model takes the snapshot that stands then.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from random import SystemRandom
from threading import Lock

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.config import (
    ConfigError,
    ConfigWatch,
    Loaded,
    Settings,
    placed,
    read_proxies,
)
from flaskllm.core.config_version import (
    fingerprints_of,
    provider_fingerprints_of,
    version_of,
    waiting_for_restart,
)
from flaskllm.core.metrics import Metrics
from flaskllm.core.redaction import Redactor
from flaskllm.llm.catalog import Catalog
from flaskllm.llm.counting import Counting
from flaskllm.llm.descriptions import Descriptions
from flaskllm.llm.discovery import Discovery
from flaskllm.llm.explaining import Explainer
from flaskllm.llm.health import Health
from flaskllm.llm.patience import Policy
from flaskllm.llm.prompts import Library, TemplateError, load_library
from flaskllm.llm.router import Router
from flaskllm.llm.upstreams import Upstreams
from flaskllm.net.transport import Transport
from flaskllm.services.probes import Probed
from flaskllm.services.settings import SettingsState
from flaskllm.wiring.catalog import build_catalog, build_samples
from flaskllm.wiring.checks import check_prices, template_problem
from flaskllm.wiring.health import build_health
from flaskllm.wiring.secrets import secrets_of
from flaskllm.wiring.upstreams import (
    build_providers,
    build_senders,
    build_shelves,
    build_sources,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True)  # without slots: a property is kept
class Models:
    """All that is made of the part of the settings that may change: one snapshot."""

    router: Router
    explainer: Explainer
    catalog: Catalog
    counting: Counting
    library: Library
    probed: Probed
    senders: Mapping[str, Transport]
    settings: Settings

    @cached_property
    def version(self) -> str:
        """What tells these settings from others; it takes a moment the first time."""
        return version_of(self.settings)

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
        metrics: Metrics,
    ) -> None:
        """Build the first snapshot; what is wrong with it stops the start.

        The `redactor` learns the secrets of each configuration. `metrics` count
        what happens to the deployments' health, which outlives every snapshot.
        """
        self._watch = watch
        self._clock = clock
        self._redactor = redactor
        self._reloading = Lock()
        self._started_with = loaded.settings
        self.health = build_health(loaded.settings, clock, metrics)
        self._models = self._build(loaded)
        self._retain()

    def router(self) -> Router:
        """Return the router of the settings as they stand now."""
        return self._now().router

    def catalog(self) -> Catalog:
        """Return the catalogue of the settings as they stand now."""
        return self._now().catalog

    def counting(self) -> Counting:
        """Return what counts tokens by the settings as they stand now."""
        return self._now().counting

    def explainer(self) -> Explainer:
        """Return what explains requests by the settings as they stand now."""
        return self._now().explainer

    def probed(self) -> Probed:
        """Return who may be probed by the settings as they stand now."""
        return self._now().probed

    def library(self) -> Library:
        """Return the templates of the settings as they stand now."""
        return self._now().library

    def poll(self) -> None:
        """Take up what changed; cheap, and for any thread to call at any time."""
        self._now()

    def ask(self) -> None:
        """Let the next `poll` read everything anew; a signal's handler may call it."""
        self._watch.ask()

    def version(self) -> str:
        """Return what tells these settings from others: 12 hexadecimal digits."""
        return self._now().version

    def settings_state(self) -> SettingsState:
        """Tell whether the settings in force are those that the files hold."""
        self.poll()
        return "rejected" if self._watch.is_rejected else "current"

    def _now(self) -> Models:
        # Of two that build at once the slower might put the older one in its place;
        # who comes meanwhile does not wait, and goes on with what stands.
        if self._reloading.acquire(blocking=False):
            try:
                new = self._watch.poll(self._clock.monotonic(), self._rebuild)
                if new is not None:
                    self._replace(new)
            finally:
                self._reloading.release()
        return self._models

    def _rebuild(self, loaded: Loaded) -> Models:
        """Return a snapshot of new settings.

        Raises:
            ConfigError: They cannot be used, or the templates cannot.
        """
        try:
            return self._build(loaded)
        except (TemplateError, ValueError, OSError) as error:
            raise ConfigError([template_problem(error)]) from error

    def _build(self, loaded: Loaded) -> Models:
        _hide_secrets(loaded.settings, self._redactor)
        try:
            return build_models(loaded.settings, self._clock, self.health)
        except ConfigError as error:
            problems = [placed(each, loaded.origins) for each in error.problems]
            raise ConfigError(problems) from error

    def _retain(self) -> None:
        settings = self._models.settings
        providers = provider_fingerprints_of(settings)
        self.health.retain(fingerprints_of(settings), providers)

    def _replace(self, new: Models) -> None:
        old, self._models = self._models, new
        self._retain()
        old.close()
        logs.event(_log, logging.INFO, "settings_reloaded", version=new.version)
        waiting = waiting_for_restart(self._started_with, new.settings)
        if waiting:
            logs.event(
                _log, logging.WARNING, "settings_need_restart", keys=", ".join(waiting)
            )


def build_models(
    settings: Settings, clock: Clock, health: Health | None = None
) -> Models:
    """Return a snapshot of the models and templates of these settings."""
    providers, senders = build_providers(settings, clock), build_senders(settings)
    samples = build_samples(settings)
    discovery = Discovery(build_shelves(settings, samples, providers, senders), clock)
    catalog = build_catalog(settings, samples, discovery)
    _refuse_unpriced(settings, catalog)
    descriptions = Descriptions(build_sources(settings, providers, senders), clock)
    recall = descriptions.fill_from_memory
    chance = SystemRandom()  # a fork must not repeat another worker's jitter
    return Models(
        router=Router(
            catalog,
            providers,
            senders,
            Policy(),
            chance,
            descriptions.fill,
            health,
            settings.accounting.planned_output_tokens,
        ),
        explainer=Explainer(
            catalog,
            Upstreams(providers, senders),
            health,
            chance,
            recall,
        ),
        catalog=catalog,
        counting=Counting(catalog, providers, senders),
        library=load_library(settings.templates_dir),
        probed=Probed(catalog, providers, senders, settings.health.probe_idle_seconds),
        senders=senders,
        settings=settings,
    )


def _refuse_unpriced(settings: Settings, catalog: Catalog) -> None:
    found = check_prices(settings, catalog.deployments)
    problems = [each for each in found if not each.is_warning]
    if problems:
        raise ConfigError(problems)


def _hide_secrets(settings: Settings, redactor: Redactor) -> None:
    for secret in (*secrets_of(settings), *read_proxies().passwords()):
        redactor.add(secret)


def tell_rejected(error: Exception) -> None:
    """Log what is wrong with settings that are not taken up."""
    # The snapshot that stands goes on; the operator has to mend the file.
    logs.event(_log, logging.ERROR, "settings_rejected", problems=str(error))
