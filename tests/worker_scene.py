"""A worker in a thread of the test's process, and what it was given to do.

DBOS is one for a process, so one worker lives at a time here; `tests/one_worker.py`
is one in a process of its own.
"""

import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

from workflow_rows import begin, prepared

from flaskllm.core.clock import SystemClock
from flaskllm.jobs.takeover import Pace
from flaskllm.jobs.worker import Task, Worker
from flaskllm.jobs.workflows import Work
from flaskllm.storage.workers import Workers

FAST = Pace(look_seconds=0.1, patience_seconds=0.6)


def nothing(*_):
    """Do nothing, as digest, as delivery and as housekeeping."""


@dataclass
class Begun:
    """Which work was begun, in order; a test may hold it up."""

    ids: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)

    def digest(self, job_id, _attempt, _step):
        self.ids.append(job_id)
        assert self.gate.wait(20)

    def deliver(self, delivery_id, _number):
        self.ids.append(delivery_id)
        assert self.gate.wait(20)


class WorkerScene:
    """A database with workflows, and the workers that were begun on it."""

    def __init__(self, database, workflows):
        self.database = database
        self.workflows = workflows
        self.workers = Workers(database, SystemClock())
        self._running = []

    def start(self, *starts):
        begin(self.workflows, self.database, *starts)

    def worker(
        self, digest=nothing, deliver=nothing, keep_house=nothing, request_id=nothing
    ):
        work = Work(digest, deliver, request_id)
        return Worker(self.workflows, self.workers, work, keep_house, SystemClock())

    def drain(
        self,
        digest=nothing,
        deliver=nothing,
        threads=4,
        request_id=nothing,
        **options,
    ):
        """Work until nothing is left."""
        task = Task(threads, 0.05, drain=True, pace=FAST, **options)
        return self.worker(digest, deliver, request_id=request_id).run(task)

    def begin(self, worker, threads=4):
        """Let it run beside the test; `end` ends it."""
        task = Task(threads, 0.05, pace=FAST)
        thread = threading.Thread(target=worker.run, args=(task,))
        thread.start()
        self._running.append((worker, thread))

    def end(self):
        for worker, thread in self._running:
            worker.stop()
            thread.join(30)
            assert not thread.is_alive()
        self._running.clear()


@contextmanager
def worker_scene(database):
    """Give a scene, and end its workers."""
    with prepared(database) as workflows:
        scene = WorkerScene(database, workflows)
        try:
            yield scene
        finally:
            scene.end()
            # Or the process of the tests would wait for them at its end.
            wait_for(lambda: not _executor_threads())


def _executor_threads():
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name.startswith("dbos-executor")]


def wait_for(condition, seconds=10.0):
    """Return what the condition returns once that is something."""
    give_up_at = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < give_up_at, "it did not happen"
        time.sleep(0.01)
    return found
