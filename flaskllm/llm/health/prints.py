"""By what a deployment is known in all processes, whatever the settings of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from flaskllm.llm.types import Deployment


@dataclass(frozen=True, slots=True)
class Names:
    """How all processes call one deployment: where it is counted, and as what judged.

    Nothing can be read back from either.
    """

    place: str
    subject: str


@dataclass(frozen=True, slots=True)
class Prints:
    """Texts that differ where the settings do; they are made of credentials.

    Attributes:
        deployments: By the names of those that the settings describe.
        providers: By their names.
    """

    deployments: Mapping[str, str] = field(default_factory=dict)
    providers: Mapping[str, str] = field(default_factory=dict)

    def of_deployment(self, deployment: Deployment) -> str:
        """Return that by which it is judged: another with any other setting of it."""
        name = deployment.name
        known = self.deployments.get(name)
        return f"deployment {known or self.of_place(deployment)} {name}"

    def of_place(self, deployment: Deployment) -> str:
        """Return that by which it is counted: the upstream, and what it is asked for.

        A new price or weight does not bring back what was used of its limits.
        """
        provider = self.of_provider(deployment.provider)
        return f"place {provider} {deployment.name} {deployment.model}"

    def of_provider(self, name: str) -> str:
        """Return that by which a provider as a whole is judged."""
        return f"provider {self.providers.get(name, '')} {name}"
