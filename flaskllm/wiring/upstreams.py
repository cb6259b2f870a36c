"""The upstreams of the settings: their providers, connections and lists of models."""

from collections.abc import Mapping

from flaskllm.core.clock import Clock
from flaskllm.core.config import (
    CA_BUNDLES,
    ConfigError,
    Problem,
    ProviderSettings,
    Settings,
    read_ca_bundle,
    read_proxies,
)
from flaskllm.llm.catalog import OFFLINE
from flaskllm.llm.descriptions import Source
from flaskllm.llm.discovery import Shelf
from flaskllm.llm.providers import (
    Describer,
    Lister,
    LocalProvider,
    Provider,
    build_provider,
)
from flaskllm.llm.types import Deployment
from flaskllm.net.session import check_ca_bundle
from flaskllm.net.transport import Transport
from flaskllm.wiring.secrets import reveal
from flaskllm.wiring.timeouts import OWN_SERVERS


def build_providers(
    settings: Settings, clock: Clock
) -> Mapping[str, Provider | LocalProvider]:
    """Return all providers by their names, and the one that needs no upstream."""
    configured = {
        name: _provider(name, described, clock)
        for name, described in settings.providers.items()
    }
    return {**configured, OFFLINE.name: build_provider(OFFLINE.kind, None, None, clock)}


def build_senders(settings: Settings) -> Mapping[str, Transport]:
    """Return the connections to each upstream by its provider's name; none is open."""
    if not settings.providers:
        return {}
    proxies, ca_bundle = read_proxies(), read_trusted()
    return {
        name: Transport(
            pool_size=settings.server.threads,
            connect_timeout_seconds=settings.timeouts.connect_seconds,
            proxies=proxies.for_url,
            ca_bundle=ca_bundle,
        )
        for name in settings.providers
    }


def build_shelves(
    settings: Settings,
    samples: Mapping[str, Deployment],
    providers: Mapping[str, Provider | LocalProvider],
    senders: Mapping[str, Transport],
) -> list[Shelf]:
    """Return a shelf for each provider whose models are to be discovered."""
    shelves = []
    for name, described in settings.providers.items():
        if described.models != "discover":
            continue
        lister = providers[name]
        assert isinstance(lister, Lister)  # the settings' own check has seen to it
        shelves.append(Shelf(samples[name], lister, senders[name]))
    return shelves


def build_sources(
    settings: Settings,
    providers: Mapping[str, Provider | LocalProvider],
    senders: Mapping[str, Transport],
) -> dict[str, Source]:
    """Return who can be asked about models, by the providers' names.

    A service's own models are known beforehand, or by its list.
    """
    return {
        name: Source(teller, senders[name])
        for name, described in settings.providers.items()
        if described.kind in OWN_SERVERS
        and isinstance(teller := providers[name], (Describer, Lister))
    }


def read_trusted() -> str | None:
    """Return the file or folder of trusted certificates; None for the usual ones.

    Raises:
        ConfigError: It cannot be read; the variables that name it are told.
    """
    path = read_ca_bundle()
    if path is None:
        return None
    try:
        check_ca_bundle(path)
    except ValueError as error:
        names, allowed = " or ".join(CA_BUNDLES), "a PEM file, or a folder of them"
        problem = Problem(names, str(error), allowed, check="certificates")
        raise ConfigError([problem]) from error
    return path


def _provider(
    name: str, described: ProviderSettings, clock: Clock
) -> Provider | LocalProvider:
    try:
        return build_provider(
            described.kind,
            described.base_url,
            reveal(described.api_key),
            clock,
            described.api_version,
        )
    except ValueError as error:
        problem = Problem(
            f"providers.{name}", str(error), "what its kind needs", check="providers"
        )
        raise ConfigError([problem]) from error
