"""Who works on jobs: one row a worker, whose `beats` grows as long as it lives."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select

from flaskllm.core.clock import Clock
from flaskllm.storage.database import Database
from flaskllm.storage.job_tables import workers
from flaskllm.storage.moments import moment
from flaskllm.storage.upserts import insert_into

FRESH_SECONDS = 15.0
"""Who has not been heard of for so long counts as gone."""


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """One worker.

    Attributes:
        id: Also its id as an executor of workflows.
        host: What tells machines apart; '' where nothing does.
        process: What tells the processes of one machine apart.
        threads: How many jobs it does at once.
        beats: Grows as long as it lives; only the growth means something.
    """

    id: str
    host: str
    process: str
    threads: int
    beats: int = 0


class Workers:
    """The table of workers."""

    def __init__(self, database: Database, clock: Clock) -> None:
        """Keep the database, and the clock that counts where it has none."""
        self._database = database
        self._clock = clock

    def beat(self, worker: WorkerRow) -> None:
        """Write the row anew, or for the first time.

        Raises:
            ServiceUnavailable: The database cannot be written.
        """
        with self._database.transaction() as connection:
            now = moment(connection, self._clock)
            values = {
                "id": worker.id,
                "host": worker.host,
                "process": worker.process,
                "threads": worker.threads,
                "started_at": now,
                "beat_at": now,
                "beats": worker.beats,
            }
            insert = insert_into(connection, workers).values(values)
            newer = {"beat_at": now, "beats": worker.beats}
            connection.execute(
                insert.on_conflict_do_update(index_elements=["id"], set_=newer)
            )

    def list(self) -> tuple[WorkerRow, ...]:
        """Return all workers that have not ended in good order.

        Raises:
            ServiceUnavailable: The database cannot be read.
        """
        columns = workers.c
        query = select(
            columns.id, columns.host, columns.process, columns.threads, columns.beats
        )
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(columns.id)).mappings()
            return tuple(WorkerRow(**row) for row in rows)

    def remove(self, ids: Sequence[str]) -> None:
        """Forget these workers. One that lives after all comes back by itself.

        Raises:
            ServiceUnavailable: The database cannot be written.
        """
        if ids:
            with self._database.transaction() as connection:
                connection.execute(delete(workers).where(workers.c.id.in_(ids)))

    def any_fresh(self) -> bool:
        """Tell whether a worker was heard of within `FRESH_SECONDS`.

        On PostgreSQL by its own clock: those of the hosts may differ.

        Raises:
            ServiceUnavailable: The database cannot be read.
        """
        with self._database.reading() as connection:
            return is_any_fresh(connection, moment(connection, self._clock))


def is_any_fresh(connection: Connection, now: datetime) -> bool:
    """Tell, by the clock that `moment` reads, whether a worker was heard of lately."""
    since = now - timedelta(seconds=FRESH_SECONDS)
    query = select(workers.c.id).where(workers.c.beat_at >= since).limit(1)
    return connection.execute(query).first() is not None
