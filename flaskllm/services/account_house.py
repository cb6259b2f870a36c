"""What the accounts of all requests share."""

from dataclasses import dataclass
from typing import Protocol
from zoneinfo import ZoneInfo

from flaskllm.core.auth import Principal
from flaskllm.core.clock import Clock
from flaskllm.core.metrics_money import MoneyMetrics
from flaskllm.storage.ledger import Closing, Reservation, Verdict


class Writer(Protocol):
    """What brings reservations and closings into the ledger, see `ledger_writer`."""

    def reserve(self, reservation: Reservation, patience_seconds: float) -> Verdict:
        """Return the verdict once it is durable; raise ServiceUnavailable if not."""
        ...

    def close(self, closing: Closing) -> None:
        """Have it written soon; never raise."""
        ...

    def flush(self) -> bool:
        """Tell whether all closings are written."""
        ...


class TokenLimits(Protocol):
    """What counts a principal's tokens of a minute, see `services/limits.py`."""

    def charge_tokens(self, principal: Principal, tokens: int) -> float:
        """Count so many, and return when; raise RateLimitExceeded if too many."""
        ...

    def correct_tokens(
        self, principal: Principal, delta: int, charged_at: float | None
    ) -> None:
        """Count so many more, or fewer, than were charged then."""
        ...


@dataclass(frozen=True, slots=True)
class House:
    """What all accounts share.

    Attributes:
        writer: Brings reservations and closings into the ledger.
        clock: Dates everything.
        zone: The time zone in which days of money begin.
        metrics: Count what attempts cost.
        limits: Count tokens per minute.
    """

    writer: Writer
    clock: Clock
    zone: ZoneInfo
    metrics: MoneyMetrics
    limits: TokenLimits
