"""Tells what changed about a deployment: to the operator, and to other processes."""

from flaskllm.core.metrics import Metrics
from flaskllm.llm.health.changes import Change, tell
from flaskllm.llm.health.deployment_health import DeploymentHealth
from flaskllm.llm.health.fleet import Fleet
from flaskllm.llm.health.seats import Seat


class Herald:
    """No lock may be held when it is called."""

    __slots__ = ("_fleet", "_metrics")

    def __init__(self, metrics: Metrics | None, fleet: Fleet | None = None) -> None:
        """Keep who is told, None for nobody."""
        self._metrics = metrics
        self._fleet = fleet

    def tell(self, change: Change, state: DeploymentHealth) -> None:
        """Tell a change of one deployment, or of a credential that it found."""
        deployment = state.deployment
        tell(change, deployment.provider, deployment, self._metrics)
        if self._fleet is not None:
            self._fleet.tell(change, deployment.provider, state)

    def tell_of_provider(self, change: Change, provider: str) -> None:
        """Tell a change of a credential that nobody's request found."""
        tell(change, provider)
        self.tell_others(change, provider)

    def tell_others(self, change: Change, provider: str) -> None:
        """Tell the others whether a provider is there; of it the operator knows."""
        if self._fleet is not None:
            self._fleet.tell(change, provider)

    def leave(self, seat: Seat, used_tokens: int | None) -> None:
        """Tell the others that an attempt has ended."""
        if self._fleet is not None:
            self._fleet.leave(seat, used_tokens)
