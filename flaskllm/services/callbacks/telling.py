"""Telling: what is told of a job is written in the transaction that ends it."""

from collections.abc import Sequence

from sqlalchemy import Connection

from flaskllm.core.clock import Clock
from flaskllm.services.callbacks.events import type_of
from flaskllm.services.callbacks.planning import deliveries_of, usual_endpoint
from flaskllm.services.callbacks.signing import make_secret
from flaskllm.storage.deliveries import insert
from flaskllm.storage.endpoints import listeners_of, put_missing
from flaskllm.storage.job_rows import JobRow
from flaskllm.storage.moments import moment
from flaskllm.storage.workflows import Workflows


class Telling:
    """Writes deliveries of jobs that end."""

    def __init__(self, workflows: Workflows, clock: Clock) -> None:
        """Keep the collaborators; nothing is opened."""
        self._workflows = workflows
        self._clock = clock

    def tell(
        self, connection: Connection, job: JobRow, items: Sequence[JobRow] = ()
    ) -> None:
        """Write the deliveries of a job and start their first attempts.

        To be called once, in the transaction that ends the job, after
        `Workflows.prepare`. Items of a batch are told with their batch, and a job
        that its owner cancelled is not told.

        Args:
            connection: Of the open transaction.
            job: As it ended, with `result` or `error`.
            items: All items of a batch, in order; their results may be left out.
        """
        if type_of(job) is None:
            return
        now = moment(connection, self._clock)
        if job.callback_url is not None:
            usual = usual_endpoint(job.principal_id, make_secret(), now)
            put_missing(connection, usual)
        listeners = listeners_of(connection, job.principal_id)
        planned = deliveries_of(job, listeners, now, items)
        insert(connection, planned.deliveries)
        self._workflows.start(connection, *planned.starts)
