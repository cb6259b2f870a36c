"""A delivery as its owner sees it: what came of it, without what was sent."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from flaskllm.core.paging import Place
from flaskllm.services.callbacks.targets import host_of
from flaskllm.storage.delivery_log import LoggedDelivery
from flaskllm.storage.job_rows import DeliveryAttempt, DeliveryState


@dataclass(frozen=True, slots=True)
class DeliveryReport:
    """A delivery and what came of it, without what was sent.

    Attributes:
        id: The `webhook-id` of every attempt.
        host: Of an address that came with a request; '' where the endpoint has one.
        next_at: When it is attempted next; None when it is not.
        attempts: In order. A `reason` of '' is a success.
    """

    id: str
    endpoint_id: str
    job_id: str | None
    event: str
    state: DeliveryState
    host: str
    created_at: datetime
    next_at: datetime | None
    finished_at: datetime | None
    attempts: tuple[DeliveryAttempt, ...] = ()

    def place(self) -> Place:
        """Return where the next page begins, when this is the last of its page."""
        return Place(self.created_at, self.id)


def reports(found: Iterable[LoggedDelivery]) -> tuple[DeliveryReport, ...]:
    """Return several, in their order."""
    return tuple(map(report, found))


def report(found: LoggedDelivery) -> DeliveryReport:
    """Return one as its owner sees it."""
    return DeliveryReport(
        id=found.id,
        endpoint_id=found.endpoint_id,
        job_id=found.job_id,
        event=found.event,
        state=found.state,
        host=host_of(found.target, "json"),
        created_at=found.created_at,
        next_at=found.next_at,
        finished_at=found.finished_at,
        attempts=found.attempts,
    )
