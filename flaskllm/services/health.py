"""Whether this process can do its work, and how the upstreams stand in it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

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
from flaskllm.storage.database import Database


@dataclass(frozen=True, slots=True)
class Health:
    """Asks the parts that no request can do without."""

    database: Database

    def ready(self) -> bool:
        """Tell whether the database answers and its schema is up to date."""
        try:
            self.database.check()
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

    `catalog` returns that of the settings as they stand now.
    """

    catalog: Callable[[], Catalog]
    health: Watched
    overrides: Overrides

    def list(self) -> tuple[ProviderHealth, ...]:
        """Return the providers in the order of the settings, but for local ones.

        Of the models that upstreams list only those are there that were asked
        lately, or that are overridden.
        """
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
