"""Jobs for tests: drafts, and workflows that only remember."""

from dataclasses import dataclass, field
from itertools import count

from flaskllm.core.clock import SystemClock
from flaskllm.storage.job_drafts import Draft, Event
from flaskllm.storage.job_endings import JobEndings
from flaskllm.storage.job_expiry import JobExpiry
from flaskllm.storage.job_intake import JobIntake
from flaskllm.storage.job_runs import RunRows
from flaskllm.storage.jobs import JobRows

MOST = 1000
_numbers = count(1)


@dataclass
class FakeWorkflows:
    """Remembers what was started in transactions, cancelled and deleted."""

    started: list = field(default_factory=list)
    cancelled: list = field(default_factory=list)
    deleted: list = field(default_factory=list)
    prepared: int = 0
    error: Exception | None = None

    def prepare(self):
        self.prepared += 1

    def start(self, connection, *starts):
        assert connection.in_transaction()
        if self.error:
            raise self.error
        self.started += starts

    def cancel(self, ids):
        self.cancelled += ids

    def delete(self, ids):
        self.deleted += ids

    @property
    def ids(self):
        return [start.id for start in self.started]


class JobHouse:
    """All tables of jobs on one database; `told` is who was told of which end."""

    def __init__(self, database, workflows=None, clock=None):
        self.workflows = FakeWorkflows() if workflows is None else workflows
        clock = clock or SystemClock()
        self.told = []
        self.intake = JobIntake(database, self.workflows, clock)
        self.rows = JobRows(database)
        self.taken = RunRows(database, clock)
        self.endings = JobEndings(database, self.workflows, clock, self._tell)
        self.expiry = JobExpiry(database, self.workflows, clock)

    def add(self, *drafts, most=MOST):
        return self.intake.add(drafts, most)

    def begin(self, draft, attempt=1, runner="run_1"):
        return self.taken.begin(draft.id, attempt, runner)

    def find(self, draft):
        return self.rows.find(draft.id, draft.principal_id)

    def state(self, draft):
        return self.rows.state(draft.id, draft.principal_id)

    def _tell(self, connection, job, items):
        assert connection.in_transaction()
        self.told.append((job, tuple(items)))


def draft(**others):
    """Return a job with a document, kept for a day and due in an hour."""
    number = next(_numbers)
    usual = {
        "id": f"job_{number:08}",
        "principal_id": "anna",
        "source": "webhook",
        "request_id": f"req-{number:08}",
        "deadline_seconds": 3600.0,
        "keep_seconds": 86_400.0,
        "document_id": f"doc_{number:08}",
        "document": b"canary-word of a mail",
    }
    return Draft(**(usual | others))


def batch(n, **others):
    """Return a batch and its `n` items."""
    whole = draft(kind="batch", document_id=None, document=None, **others)
    items = [
        draft(batch_id=whole.id, number=number, principal_id=whole.principal_id)
        for number in range(n)
    ]
    return whole, items


def event(digest=b"e" * 32, **others):
    """Return by what a repetition is known."""
    return Event(digest, **({"lives_seconds": 60.0} | others))


def workflow_ids(workflows):
    """Return the ids of all real workflows that there are, in order."""
    known = workflows._client().list_workflows(load_input=False, load_output=False)
    return sorted(each.workflow_id for each in known)
