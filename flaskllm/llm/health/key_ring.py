"""The credential that a deployment is asked with, there and at its provider."""

from flaskllm.core.errors import LLMCredentialRejected
from flaskllm.llm.health.changes import Change
from flaskllm.llm.health.credentials import Credential
from flaskllm.llm.health.policy import Policy
from flaskllm.llm.health.provider_health import ProviderHealth
from flaskllm.llm.health.seats import Seat


class KeyRing:
    """Both of them: an upstream may refuse it for all, or for one model only.

    Not for several threads at once, but for what it shares with its provider.
    """

    __slots__ = ("_every_seconds", "_own", "_provider")

    def __init__(self, provider: ProviderHealth, policy: Policy) -> None:
        """Start with a credential that nobody has tried here."""
        self._every_seconds = policy.credential_seconds
        self._provider = provider
        self._own = Credential()

    @property
    def eras(self) -> tuple[int, int]:
        """Return those of the deployment and of the provider."""
        return self._own.era, self._provider.era

    def left_seconds(self, now_seconds: float) -> float:
        """Return when both may be used; 0.0 is now."""
        return max(
            self._provider.left_seconds(now_seconds),
            self._own.left_seconds(now_seconds),
        )

    def use(self, now_seconds: float) -> float:
        """Use them; return 0.0, or how long another deployment tries them."""
        taken_seconds = self._provider.use(now_seconds)
        if taken_seconds == 0.0:
            self._own.use(now_seconds, self._every_seconds)
        return taken_seconds

    def accept(self, seat: Seat) -> list[Change]:
        """Take in that the upstream let this attempt through."""
        changes = self._provider.accept(seat.provider_era)
        change = self._own.accept(seat.own_era)
        return changes if change is None else [*changes, Change(change)]

    def reject(
        self, seat: Seat, error: LLMCredentialRejected, now_seconds: float
    ) -> list[Change]:
        """Take in that it did not, for this model or for anything."""
        every_seconds = self._every_seconds
        if not error.is_for_model:
            return self._provider.reject(error, now_seconds, seat.provider_era)
        change = self._own.reject(seat.own_era, now_seconds, every_seconds)
        return [] if change is None else [Change(change, error.code, every_seconds)]

    def hear(self, left_seconds: float | None, now_seconds: float) -> None:
        """Take in what another process found of the deployment's own."""
        self._own.hear(left_seconds, now_seconds, self._every_seconds)

    def renew(self) -> None:
        """Start anew here, with another credential."""
        self._own = Credential(self._own.era + 1)
