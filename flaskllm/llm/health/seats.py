"""One attempt's seat at a deployment."""

from dataclasses import dataclass

from flaskllm.llm.health.sharing import Held


@dataclass(frozen=True, slots=True)
class Asking:
    """What an attempt wants of a deployment, see `Health.enter`."""

    tokens: int
    streams: bool
    is_repeat: bool = False
    as_last_resort: bool = False


@dataclass(slots=True)
class Seat:
    """What is remembered of an attempt that is under way.

    Attributes:
        asking: What it wanted.
        at_seconds: When it began, on the monotonic clock.
        era: The breaker's at that time.
        own_era: That of the credential at this deployment.
        provider_era: That of the credential at the provider.
        is_probe: Others wait for how it ends.
        is_waiting: It has no byte yet.
        first_token_seconds: How long that took; None before.
        held: Its place in the sight of all processes, None where none is needed.
    """

    asking: Asking
    at_seconds: float
    era: int
    own_era: int
    provider_era: int
    is_probe: bool
    is_waiting: bool = True
    first_token_seconds: float | None = None
    held: Held | None = None
