"""Whether this process can do its work, and how the upstreams stand in it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from flaskllm.core.errors import APIError
from flaskllm.llm.catalog import OFFLINE, Catalog
from flaskllm.llm.health.standings import Standing
from flaskllm.llm.types import Deployment
from flaskllm.services.overrides import (
    Override,
    Overrides,
    find_deployment,
    listed_deployments,
)

Readiness = Literal["ready", "degraded", "not_ready"]
"""`degraded`: all is answered, though each process goes by what it alone knows."""


class Store(Protocol):
    """What may answer or not."""

    def check(self) -> None:
        """Return when it answers; raise an error of ours when it does not."""
        ...


@dataclass(frozen=True, slots=True)
class Health:
    """Asks the parts that requests stand on.

    No request can do without the `database`; without `redis` they go on, where the
    settings name one.
    """

    database: Store
    redis: Store | None = None

    def readiness(self) -> Readiness:
        """Return how ready this process is: whether the stores answer.

        The database's schema must be up to date as well.
        """
        if not _answers(self.database):
            return "not_ready"
        return "ready" if self.redis is None or _answers(self.redis) else "degraded"


def _answers(store: Store) -> bool:
    try:
        store.check()
    except APIError:
        return False
    return True


class Watched(Protocol):
    """What is known of the health of deployments in this process."""

    def look(self, deployment: Deployment) -> Standing:
        """Return how the deployment stands."""
        ...

    def knows(self, name: str) -> bool:
        """Tell whether a deployment of this name was asked or looked at lately."""
        ...

    def idle_seconds(self, provider: str) -> float | None:
        """Return how long none of its deployments was asked; None: never any was."""
        ...


@dataclass(frozen=True, slots=True)
class DeploymentHealth:
    """How one deployment stands, and what an operator decided over it."""

    deployment: Deployment
    standing: Standing
    override: Override | None


@dataclass(frozen=True, slots=True)
class ProviderHealth:
    """How one provider stands: all its deployments of which there is something to say.

    `idle_seconds` counts since the last attempt at one of them, None before any.
    """

    name: str
    kind: str
    idle_seconds: float | None
    deployments: tuple[DeploymentHealth, ...]


@dataclass(frozen=True, slots=True)
class Providers:
    """Tells how the upstreams stand in this process.

    `catalog` returns that of the settings as they stand now; `keep_current` takes up
    what operators and other processes told lately.
    """

    catalog: Callable[[], Catalog]
    health: Watched
    overrides: Overrides
    keep_current: Callable[[], None] = lambda: None

    def list(self) -> tuple[ProviderHealth, ...]:
        """Return the providers in the order of the settings, but for local ones.

        Of the models that upstreams list only those are there that were asked
        lately, or that are overridden.
        """
        self.keep_current()
        catalog, overrides = self.catalog(), self.overrides.standing()
        by_provider: dict[str, list[DeploymentHealth]] = {
            name: [] for name in catalog.samples
        }
        for deployment in self._deployments(catalog, overrides):
            told = self._told(deployment, overrides)
            by_provider[deployment.provider].append(told)
        return tuple(
            ProviderHealth(
                name,
                catalog.samples[name].kind,
                self.health.idle_seconds(name),
                tuple(deployments),
            )
            for name, deployments in by_provider.items()
        )

    def find(self, name: str) -> DeploymentHealth:
        """Return one deployment, also of a model that its upstream has listed.

        Raises:
            NotFound: There is none of this name; the details name the nearest.
            InvalidInputError: It needs no upstream, so there is nothing to tell.
        """
        self.keep_current()
        deployment = find_deployment(name, self.catalog())
        return self._told(deployment, self.overrides.standing())

    def _told(
        self, deployment: Deployment, overrides: Mapping[str, Override]
    ) -> DeploymentHealth:
        return DeploymentHealth(
            deployment, self.health.look(deployment), overrides.get(deployment.name)
        )

    def _deployments(
        self, catalog: Catalog, overrides: Mapping[str, Override]
    ) -> Iterator[Deployment]:
        """Yield the configured deployments, then those of models that were listed."""
        for each in catalog.deployments.values():
            if each.kind != OFFLINE.kind:
                yield each
        for each in listed_deployments(catalog):
            if each.name in overrides or self.health.knows(each.name):
                yield each
