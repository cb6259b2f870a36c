"""How a workflow is to be started: which one, in which queue, and when."""

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from sqlalchemy import Connection, text

from flaskllm.storage.workflow_library import VERSION

if TYPE_CHECKING:
    from dbos import EnqueueOptions

DIGESTS: Final = "digests"
DELIVERIES: Final = "deliveries"

_QUEUES: Final = {"digest": DIGESTS, "deliver": DELIVERIES}


@dataclass(frozen=True, slots=True)
class Start:
    """One workflow to be started.

    Attributes:
        workflow: `digest(job_id, attempt)` or `deliver(delivery_id, number)`.
        id: One that was started before is not started again.
        partition: Partitions of a queue get their turns alike.
        arguments: Ids and numbers, never content.
        priority: Of 1 to 9; within a partition the lower goes first.
        delay_seconds: How long it waits before it stands in the queue.
    """

    workflow: Literal["digest", "deliver"]
    id: str
    partition: str
    arguments: tuple[str | int, ...]
    priority: int = 5
    delay_seconds: float | None = None


def options_of(start: Start, ahead_seconds: float) -> "EnqueueOptions":
    """Return it as DBOS takes it.

    Args:
        start: The workflow.
        ahead_seconds: By how much the clock that ends its delay is ahead of ours.
    """
    options: EnqueueOptions = {
        "workflow_name": start.workflow,
        "queue_name": _QUEUES[start.workflow],
        "workflow_id": start.id,
        "queue_partition_key": start.partition,
        "priority": start.priority,
        "app_version": VERSION,
    }
    if start.delay_seconds is not None:
        options["delay_seconds"] = start.delay_seconds + ahead_seconds
    return options


def seconds_ahead(connection: Connection) -> float:
    """Return by how much the clock of the database's host is ahead of ours."""
    if connection.dialect.name != "postgresql":
        return 0.0
    query = text("SELECT EXTRACT(EPOCH FROM clock_timestamp())")
    return float(connection.execute(query).scalar_one()) - time.time()
