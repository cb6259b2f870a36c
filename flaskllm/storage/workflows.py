"""Workflows in our database: DBOS, as the web and the services see it.

DBOS keeps, in tables of its own beside ours, which workflows there are, who runs
each of them, and the names of the steps that are done. No content ever lies there:
the arguments of a workflow are ids and numbers.

Nothing here imports DBOS before it is needed: that costs half a second and 40 MB.
"""

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Engine, Select, Table

from flaskllm.core.errors import InternalError
from flaskllm.storage.database import Database
from flaskllm.storage.retiring import retire
from flaskllm.storage.workflow_library import (
    VERSION,
    errors_told,
    is_current,
    migrate,
    new_client,
    version_of,
)
from flaskllm.storage.workflow_queries import executors_in, ids_near, work_in
from flaskllm.storage.workflow_starts import (
    DELIVERIES,
    DIGESTS,
    Start,
    options_of,
    seconds_ahead,
)

if TYPE_CHECKING:
    from dbos import DBOSClient

__all__ = ["DELIVERIES", "DIGESTS", "Start", "Workflows"]


@dataclass(slots=True)
class _Process:
    """What one process holds. An inherited connection is not even closed."""

    engine: Engine
    client: "DBOSClient | None" = None
    preparing: threading.Lock = field(default_factory=threading.Lock)


class Workflows:
    """Starts, cancels and forgets workflows, and takes over what a worker left."""

    def __init__(self, database: Database, *, enabled: bool = True) -> None:
        """Keep the database; nothing is imported or opened.

        Args:
            database: Where they are kept, beside our own tables.
            enabled: Whether anybody is to start any.
        """
        self._database = database
        self._enabled = enabled
        self._processes: dict[int, _Process] = {}

    @property
    def is_enabled(self) -> bool:
        """Tell whether there may be workflows; in a database in memory there are none.

        Its other methods do not ask this.
        """
        return self._enabled and self._database.is_lasting

    def prepare(self) -> None:
        """Return once workflows can be started; cheap after the first time.

        Never call it in an open transaction: it brings DBOS's tables up to date.

        Raises:
            ServiceUnavailable: The database cannot be used, or it is one in memory.
        """
        process = self._process()
        if process.client is not None:
            return
        with process.preparing:
            if process.client is None:
                self.upgrade()
                process.client = new_client(process.engine)

    def upgrade(self) -> bool:
        """Bring DBOS's tables up to date, and tell whether that changed anything.

        Ours are brought up to date before.

        Raises:
            ServiceUnavailable: As for `prepare`.
        """
        with self._database.reading():
            pass  # the first transaction of a process upgrades our own schema
        with errors_told():
            if is_current(self._process().engine):
                return False
            # Its changes may take long where the tables are long.
            patient = self._database.make_workflow_engine(statement_ms=0)
            try:
                migrate(patient)
            finally:
                patient.dispose()
        return True

    def is_current(self) -> bool | None:
        """Tell whether DBOS's tables are up to date; None where there are none.

        Nothing is made or changed.

        Raises:
            ServiceUnavailable: The database cannot be read.
        """
        with errors_told():
            engine = self._process().engine
            return is_current(engine) if version_of(engine) else None

    def engine(self) -> Engine:
        """Return the engine of this process, of the kind that DBOS needs.

        Raises:
            ServiceUnavailable: The database is one in memory.
        """
        return self._process().engine

    def start(self, connection: Connection, *starts: Start) -> None:
        """Start workflows within the caller's open transaction.

        They begin after its commit, and never if there is none. `prepare` was called
        in this process before the transaction was begun.

        Raises:
            InternalError: It was not, or a workflow of this id is another one.
        """
        client = self._client()
        ahead_seconds = 0.0
        if any(each.delay_seconds is not None for each in starts):
            ahead_seconds = seconds_ahead(connection)
        with errors_told():
            for each in starts:
                options = options_of(each, ahead_seconds)
                client.enqueue_in_transaction(connection, options, *each.arguments)

    def cancel(self, ids: Sequence[str]) -> None:
        """Let none of these workflows begin, and stop those that run at a step.

        An id without a workflow, or of one that has ended, changes nothing.

        Raises:
            ServiceUnavailable: The database cannot be written.
        """
        if ids:
            with errors_told():
                self._client().cancel_workflows(list(ids))

    def delete(self, ids: Sequence[str]) -> None:
        """Remove every workflow whose id is one of these, or one of these and `.1`.

        Raises:
            ServiceUnavailable: The database cannot be written.
        """
        if not ids:
            return
        wanted = frozenset(ids)
        with errors_told():
            near = self._read(ids_near(self._status(), ids))
            found = [each for each in near if each.partition(".")[0] in wanted]
            if found:
                self._client().delete_workflows(found)

    def claimed(self, executor_id: str) -> list[str]:
        """Return the ids of the workflows that run in this executor, or seem to.

        Raises:
            ServiceUnavailable: The database cannot be read.
        """
        with errors_told():
            found = self._client()._sys_db.get_pending_workflows(executor_id, VERSION)
        return [each.workflow_id for each in found]

    def put_back(self, executor_id: str, ids: Sequence[str]) -> int:
        """Put these back into their queues if the executor has them; return how many.

        What it does to them afterwards is refused. To be called twice, or by several
        at once, is harmless: what was taken up meanwhile stays.

        Raises:
            ServiceUnavailable: The database cannot be written.
        """
        with errors_told():
            # Unlike `resume_workflows` it looks, in the same statement, who has it.
            again = self._client()._sys_db.reenqueue_for_recovery
            return sum(again(id, [executor_id], DIGESTS) for id in ids)

    def executors(self) -> frozenset[str]:
        """Return the ids of those who run workflows of our version, alive or not.

        Raises:
            ServiceUnavailable: The database cannot be read.
        """
        return frozenset(self._read(executors_in(self._status())))

    def has_work(self, executor_id: str) -> bool:
        """Tell whether a workflow waits for a worker, or runs in this executor.

        Delayed ones do not count; those whose delay is over are put into their
        queues first.

        Raises:
            ServiceUnavailable: The database cannot be written.
        """
        with errors_told():
            self._client()._sys_db.transition_delayed_workflows()
        return bool(self._read(work_in(self._status(), executor_id).limit(1)))

    def close(self) -> None:
        """Close this process's connections; `prepare` is needed anew."""
        process = self._processes.pop(os.getpid(), None)
        if process is not None:
            retire(process.engine)

    def _process(self) -> _Process:
        # As in `Database`: `setdefault` is atomic, and an engine that loses the race
        # never connected.
        process = self._processes.get(os.getpid())
        if process is not None:
            return process
        engine = self._database.make_workflow_engine()
        return self._processes.setdefault(os.getpid(), _Process(engine))

    def _client(self) -> "DBOSClient":
        client = self._process().client
        if client is None:
            raise InternalError("workflows were used before they were prepared")
        return client

    def _status(self) -> Table:
        return self._client()._sys_db.tables.workflow_status

    def _read(self, query: Select[Any]) -> list[str]:
        with errors_told(), self._client()._sys_db.engine.begin() as connection:
            return [str(value) for value in connection.execute(query).scalars()]
