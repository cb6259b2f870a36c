"""What stands when a delivery changes, and what becomes of it."""

from dataclasses import dataclass
from datetime import datetime

from flaskllm.storage.endpoints import EndpointChange, Listener
from flaskllm.storage.job_rows import DeliveryRow, EndpointRow
from flaskllm.storage.workflows import Start


@dataclass(frozen=True, slots=True)
class Sending:
    """A delivery and where it goes; `endpoint` None was removed.

    `now` is the time by which rows are dated, aware: see `moments`.
    """

    delivery: DeliveryRow
    endpoint: EndpointRow | None
    now: datetime


@dataclass(frozen=True, slots=True)
class New:
    """Deliveries and their first attempts, to be written in one transaction."""

    deliveries: tuple[DeliveryRow, ...] = ()
    starts: tuple[Start, ...] = ()


@dataclass(frozen=True, slots=True)
class Situation:
    """What stands at the moment when an attempt is settled; its rows are locked.

    Attributes:
        sending: With the attempt counted already.
        first_at: When the delivery was attempted first, aware.
        listeners: All endpoints of its principal.
    """

    sending: Sending
    first_at: datetime
    listeners: tuple[Listener, ...]


@dataclass(frozen=True, slots=True)
class Settled:
    """What becomes of a delivery after an attempt, written as one.

    Attributes:
        delivery: As it stands then.
        starts: The next attempt, and the first ones of `told`.
        change: What becomes of its endpoint; None leaves it.
        told: New deliveries to others.
    """

    delivery: DeliveryRow
    starts: tuple[Start, ...] = ()
    change: EndpointChange | None = None
    told: tuple[DeliveryRow, ...] = ()
