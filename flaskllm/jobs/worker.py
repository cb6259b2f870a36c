"""A worker: shows that it lives, takes over from those that do not, does the work."""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from flaskllm.core import logs
from flaskllm.core.clock import Clock, Deadline
from flaskllm.core.errors import APIError
from flaskllm.core.ids import new_ordered_id
from flaskllm.jobs.identity import host_identity, is_gone, process_identity
from flaskllm.jobs.takeover import USUAL_PACE, Pace, Seen, Watch, judge, judge_claims
from flaskllm.jobs.workflows import Runtime, Work
from flaskllm.storage.workers import WorkerRow, Workers
from flaskllm.storage.workflows import Workflows

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is asked for.

    Attributes:
        threads: How many digests it makes at once.
        poll_seconds: How often it looks for new work.
        drain: End once nothing is left to do; what waits for its time does not count.
        max_seconds: End after this time in any case; None is never.
        grace_seconds: What runs when it is asked to stop has so long to end.
        pace: How it watches the other workers.
    """

    threads: int
    poll_seconds: float = 0.5
    drain: bool = False
    max_seconds: float | None = None
    grace_seconds: float = 30.0
    pace: Pace = USUAL_PACE


class Worker:
    """Works until it is told to stop, or until it has done what there was."""

    def __init__(
        self,
        workflows: Workflows,
        workers: Workers,
        work: Work,
        keep_house: Callable[[], None],
        clock: Clock,
    ) -> None:
        """Keep the collaborators; nothing is opened or started.

        Args:
            workflows: Ours.
            workers: The table.
            work: What is done in the workflows.
            keep_house: Called every few seconds; it sees to what is due.
            clock: Tells how long others have been silent.
        """
        self._workflows = workflows
        self._workers = workers
        self._runtime = Runtime(workflows, work, clock)
        self._keep_house = keep_house
        self._clock = clock
        self._stopped = threading.Event()
        self._hurried = threading.Event()
        self._watch = Watch()
        self._unheld: Mapping[str, float] = {}

    def stop(self) -> None:
        """Let `run` take no more work and return; a signal's handler may call it."""
        self._stopped.set()

    def hurry(self) -> None:
        """Let `run` not even wait for what runs; a signal's handler may call it."""
        self._hurried.set()
        self._stopped.set()

    def run(self, task: Task) -> int:
        """Work; return how many workflows did not end in time, usually 0.

        Those are left to others at once. Their threads run on: end the process.

        Raises:
            ServiceUnavailable: The database cannot be used at the start.
        """
        self._workflows.prepare()
        own = WorkerRow(
            new_ordered_id("wrk"), host_identity(), process_identity(), task.threads
        )
        # Before it has any work: others look for the row of whoever has.
        self._workers.beat(own)
        logs.event(_log, logging.INFO, "worker_began", id=own.id, threads=task.threads)
        heart = _Heart(self._workers, own, task.pace.look_seconds)
        heart.start()
        try:
            self._runtime.begin(own.id, task.threads, task.poll_seconds)
            self._work_on(own, task)
        finally:
            left = self._runtime.end(task.grace_seconds, self._hurried)
            heart.stop()
            self._leave(own)
        return left

    def _work_on(self, own: WorkerRow, task: Task) -> None:
        """Look after the others and the house until there is a reason to end."""
        pause_seconds = min(task.pace.look_seconds, 0.5)
        until = Deadline.after(task.max_seconds or float("inf"), self._clock)
        next_look_seconds = self._clock.monotonic()
        is_settled = False
        while not self._stopped.is_set() and not until.passed():
            if self._clock.monotonic() >= next_look_seconds:
                next_look_seconds = self._clock.monotonic() + task.pace.look_seconds
                is_settled = self._look(own, task.pace)
                self._keep_house()
            if task.drain and is_settled and not self._has_work(own):
                return
            self._stopped.wait(pause_seconds)

    def _look(self, own: WorkerRow, pace: Pace) -> bool:
        """Take over from the dead; tell whether all who have work are known to live."""
        try:
            seen = Seen(
                self._workers.list(),
                self._workflows.executors(),
                self._clock.monotonic(),
            )
            verdict = judge(self._watch, seen, own, is_gone, pace)
            for dead in verdict.dead:
                count = self._put_back(dead)
                logs.event(_log, logging.WARNING, "worker_lost", id=dead, count=count)
            # Last: whoever has no row any more is looked for among those with work.
            self._workers.remove(verdict.dead)
            self._put_back_lost(own, pace)
        except APIError as error:
            self._unheld = {}
            _tell("workers_not_watched", error)
            return False
        self._watch = verdict.watch
        return verdict.is_settled

    def _put_back(self, executor_id: str) -> int:
        claimed = self._workflows.claimed(executor_id)
        return self._workflows.put_back(executor_id, claimed)

    def _put_back_lost(self, own: WorkerRow, pace: Pace) -> None:
        """Put back what is this worker's own without its knowing.

        The database may have taken a claim whose answer was lost on the way, and DBOS
        lets go of one that it cannot read in full.
        """
        claimed = self._workflows.claimed(own.id)
        held, now_seconds = self._runtime.held(), self._clock.monotonic()
        self._unheld, lost = judge_claims(
            self._unheld, claimed, held, now_seconds, pace
        )
        if lost:
            count = self._workflows.put_back(own.id, lost)
            logs.event(_log, logging.WARNING, "work_put_back", count=count)

    def _has_work(self, own: WorkerRow) -> bool:
        try:
            return self._workflows.has_work(own.id)
        except APIError as error:
            _tell("work_not_counted", error)
            return True

    def _leave(self, own: WorkerRow) -> None:
        try:
            count = self._put_back(own.id)
            self._workers.remove([own.id])
        except APIError as error:
            # Others find it silent, or its process gone.
            _tell("worker_not_removed", error)
            return
        logs.event(_log, logging.INFO, "worker_ended", id=own.id, count=count)


class _Heart:
    """Writes the worker's row again and again, in a thread of its own.

    While it cannot, the work goes on: should others take it over, what this worker
    still writes is refused.
    """

    def __init__(self, workers: Workers, own: WorkerRow, every_seconds: float) -> None:
        self._workers = workers
        self._own = own
        self._every_seconds = every_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._beat, name="heartbeat", daemon=True
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Return once the row is not written any more."""
        self._stopped.set()
        self._thread.join()

    def _beat(self) -> None:
        row, is_silent = self._own, False
        while not self._stopped.wait(self._every_seconds):
            row = replace(row, beats=row.beats + 1)
            try:
                self._workers.beat(row)
                is_silent = False
            except APIError as error:
                if not is_silent:
                    _tell("heartbeat_failed", error)
                is_silent = True


def _tell(event: str, error: APIError) -> None:
    logs.event(_log, logging.WARNING, event, code=error.code, reason=error.details)
