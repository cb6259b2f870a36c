"""The workflows as a worker runs them: DBOS around what the services do."""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING

from flaskllm.core import logs
from flaskllm.core.clock import Clock
from flaskllm.core.errors import APIError, ServiceUnavailable
from flaskllm.jobs.queues import Limits, limit_here, make_queues
from flaskllm.services.jobs.steps import Step
from flaskllm.storage.driver_errors import driver_errors_told
from flaskllm.storage.workflow_library import (
    APPLICATION,
    VERSION,
    errors_told,
    serializer,
)
from flaskllm.storage.workflow_logs import place_of
from flaskllm.storage.workflows import DELIVERIES, DIGESTS, Workflows

if TYPE_CHECKING:
    from dbos import DBOS, DBOSConfig

DELIVERY_THREADS = 16
_OF_ONE_RECEIVER = 2  # Attempts at once: a dead one holds each for 15 s.

# A workflow that was begun so often without an end took its worker down each time.
_MOST_BEGINNINGS = 20
# While our database cannot be used there is nothing better to do than to wait.
_SHORTEST_WAIT_SECONDS, _LONGEST_WAIT_SECONDS = 0.25, 60.0
# What passes by itself says when; the rest waits for the operator, but not for ever.
_MOST_WAITS = 10

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """What is done in the workflows. Neither may raise for what it can end itself.

    Attributes:
        run_digest: Takes a job's id, the number of the attempt, and what does steps.
        attempt: Takes a delivery's id and the number of the attempt.
        request_id: Takes the id of either, and returns which request it came from.
    """

    run_digest: Callable[[str, int, Step], None]
    attempt: Callable[[str, int], None]
    request_id: Callable[[str], str | None] = lambda _: None


class Runtime:
    """Takes workflows from their queues and does them. One a process."""

    def __init__(self, workflows: Workflows, work: Work, clock: Clock) -> None:
        """Keep the collaborators."""
        self._workflows = workflows
        self._work = work
        self._clock = clock
        self._stopping = threading.Event()
        self._dbos: DBOS | None = None

    def begin(self, executor_id: str, threads: int, poll_seconds: float) -> None:
        """Take workflows from now on; `Workflows.prepare` was called before.

        Args:
            executor_id: Of this process alone.
            threads: How many digests are made at once.
            poll_seconds: How often the queues are looked at.

        Raises:
            ServiceUnavailable: The database cannot be used.
        """
        from dbos import DBOS

        limits = {
            # One thread is always left for the others.
            DIGESTS: Limits(threads, max(1, threads - 1), poll_seconds),
            DELIVERIES: Limits(DELIVERY_THREADS, _OF_ONE_RECEIVER, poll_seconds),
        }
        with errors_told():
            dbos = DBOS(config=self._config(executor_id))
            for name, work in (
                ("digest", self._digest_workflow()),
                ("deliver", self._deliver_workflow()),
            ):
                DBOS.workflow(name=name, max_recovery_attempts=_MOST_BEGINNINGS)(work)
            make_queues(self._workflows.engine(), limits)
            limit_here(limits)
            DBOS.listen_queues([*limits])
            DBOS.launch()
        self._dbos = dbos

    def held(self) -> frozenset[str]:
        """Return the ids of the workflows that this process works on."""
        return frozenset(
            self._dbos._active_workflows_set.activeList() if self._dbos else ()
        )

    def end(self, grace_seconds: float, hurried: threading.Event) -> int:
        """Take no more, wait for what runs, and return how many did not end in time.

        Those run on until the process ends, but what they write is refused once
        somebody has taken them over.

        Args:
            grace_seconds: How long to wait.
            hurried: Set by whoever does not want to wait so long.
        """
        from dbos import DBOS

        self._stopping.set()
        for event in self._dbos.background_thread_stop_events if self._dbos else ():
            event.set()
        give_up_at = time.monotonic() + grace_seconds
        while self.held() and time.monotonic() < give_up_at:
            if hurried.wait(0.05):
                break
        left = len(self.held())
        self._dbos = None
        DBOS.destroy(destroy_registry=True)
        return left

    def _config(self, executor_id: str) -> "DBOSConfig":
        return {
            "name": APPLICATION,
            "application_version": VERSION,
            "executor_id": executor_id,
            "system_database_engine": self._workflows.engine(),
            "serializer": serializer(),
            "use_listen_notify": False,
            "run_migrations": False,
            "log_level": "WARNING",
            # We have no schedules, and nobody to be notified.
            "scheduler_polling_interval_sec": 3600.0,
            # It cannot be woken when it is to end.
            "notification_listener_polling_interval_sec": 0.2,
        }

    def _digest_workflow(self) -> Callable[[str, int], None]:
        def digest(job_id: str, attempt: int) -> None:
            piece = self._piece("digest", job_id, attempt)
            self._do(piece, partial(self._work.run_digest, job_id, attempt))

        return digest

    def _deliver_workflow(self) -> Callable[[str, int], None]:
        def deliver(delivery_id: str, number: int) -> None:
            piece = self._piece("deliver", delivery_id, number)
            self._do(piece, lambda _: self._work.attempt(delivery_id, number))

        return deliver

    def _piece(self, workflow: str, id: str, number: int) -> "_Piece":
        return _Piece(workflow, id, number, self._work.request_id(id))

    def _do(self, piece: "_Piece", act: Callable[[Step], None]) -> None:
        """Do a workflow. An error of ours ends it; those of DBOS are for DBOS.

        DBOS's own do not derive from `Exception`: the workflow was cancelled, or
        somebody else has it now.
        """
        began_seconds = self._clock.monotonic()
        logs.bind(request_id=piece.request_id)
        piece.tell(logging.INFO, "work_begun")
        code = "LEFT"
        try:
            self._insist(piece, act)
            code = "OK"
        except Exception as error:
            # Only the kind: what an error of others says may quote anything.
            code = error.code if isinstance(error, APIError) else type(error).__name__
            piece.tell(logging.ERROR, "work_failed", code=code, at=place_of(error))
        finally:
            seconds = round(self._clock.monotonic() - began_seconds, 3)
            piece.tell(logging.INFO, "work_ended", code=code, seconds=seconds)
            logs.clear()

    def _insist(self, piece: "_Piece", act: Callable[[Step], None]) -> None:
        """Do it, and again as long as our database cannot be used.

        Raises:
            ServiceUnavailable: It does not pass by itself.
            DBOSWorkflowConflictIDError: The worker stops; another one will do it.
        """
        step, waits = _durable, 0
        while True:
            try:
                return act(step)
            except ServiceUnavailable as error:
                if error.retry_after_seconds is None and waits >= _MOST_WAITS:
                    raise
                reason = error.details
            seconds = min(_SHORTEST_WAIT_SECONDS * 2.0**waits, _LONGEST_WAIT_SECONDS)
            piece.tell(logging.WARNING, "work_waits", reason=reason, seconds=seconds)
            if self._stopping.wait(seconds):
                raise _left_to_others(piece.id)
            # The steps that DBOS counted stay the first ones, should it begin anew;
            # what is done twice, the job's own steps know.
            step, waits = _plain, waits + 1


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of work, as the log names it."""

    workflow: str
    id: str
    number: int
    request_id: str | None

    def tell(self, level: int, event: str, **fields: object) -> None:
        """Write one line about it, also where its work has cleared what was bound."""
        logs.event(_log, level, event, error=None, **asdict(self), **fields)


def _durable(name: str, function: Callable[[], str]) -> str:
    from dbos import DBOS

    try:
        with driver_errors_told():
            return DBOS.run_step({"name": name}, function)
    except ServiceUnavailable:
        # DBOS could not write or read its record. The work goes on without: what the
        # step brought, the job's own steps know.
        return function()


def _plain(name: str, function: Callable[[], str]) -> str:
    return function()


def _left_to_others(workflow_id: str) -> BaseException:
    from dbos import error

    return error.DBOSWorkflowConflictIDError(workflow_id)
