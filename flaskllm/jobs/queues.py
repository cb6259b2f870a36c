"""The queues, and how much one worker does of each at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine

from flaskllm.storage.workflow_library import new_client

if TYPE_CHECKING:
    from dbos import Queue
    from dbos._sys_db import SystemDatabase


@dataclass(frozen=True, slots=True)
class Limits:
    """What one worker does at once of a queue, and of one of its partitions.

    Where both have room, partitions get their turns in a random order.
    """

    at_once: int
    of_partition: int
    poll_seconds: float


def make_queues(engine: Engine, limits: Mapping[str, Limits]) -> None:
    """Make the queues that are not there yet."""
    client = new_client(engine)
    for name, limit in limits.items():
        client.register_queue(
            name,
            worker_concurrency=limit.at_once,
            partition_worker_concurrency=limit.of_partition,
            polling_interval_sec=limit.poll_seconds,
            on_conflict="never_update",
        )


def limit_here(limits: Mapping[str, Limits]) -> None:
    """Let these limits count in this process, from the next launch of DBOS on.

    DBOS keeps one set of limits for all workers in the database, which each of them
    reads at every look: the last worker that came would set those of the others,
    whatever their machines are.
    """
    from dbos._sys_db import SystemDatabase

    read = getattr(SystemDatabase.get_queue, "reads_with", SystemDatabase.get_queue)

    def get_queue(
        system: "SystemDatabase", name: str, **options: Any
    ) -> "Queue | None":
        queue: Queue | None = read(system, name, **options)
        if queue is not None and name in limits:
            queue._worker_concurrency = limits[name].at_once
            queue._partition_worker_concurrency = limits[name].of_partition
            queue._polling_interval_sec = limits[name].poll_seconds
        return queue

    replacement: Any = get_queue
    replacement.reads_with = read
    SystemDatabase.get_queue = replacement  # type: ignore[method-assign]
