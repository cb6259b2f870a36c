"""Jobs over HTTP: who asks, and a worker that works when a test lets it."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

from processes import bearer
from sqlalchemy import func, select
from workflow_rows import states

from flaskllm.core.auth import Scope
from flaskllm.core.clock import SystemClock
from flaskllm.storage.tables import deliveries, documents, endpoints, jobs

JOBS, WEBHOOK = "/api/v1/jobs", "/api/v1/webhook"
BATCHES, ENDPOINTS = "/api/v1/batches", "/api/v1/endpoints"
TEXT = "Ben: I will send the offer by Friday. Ada: Good, then we sign it on Monday."
BODY = {"prompt": TEXT, "metadata": {"ticket": 7}, "colour": "red"}
HOOK = "https://hooks.example.org/services/T0"
ASYNC = {"Prefer": "respond-async"}


@dataclass
class TestWorker:
    """Does in this thread what waits in the queues, each of it once."""

    __test__ = False

    services: Any
    done: set[str] = field(default_factory=set)

    def work(self):
        """Work until nothing waits; what is delayed is left."""
        while waiting := self._waiting():
            for workflow_id in waiting:
                self._run(workflow_id)
                self.done.add(workflow_id)

    def _waiting(self):
        found = states(self.services.workflows)
        queued = {each for each, state in found.items() if state == "ENQUEUED"}
        return sorted(queued - self.done)

    def _run(self, workflow_id):
        subject, _, rest = workflow_id.partition(".")
        number = rest.partition(".")[0] or "1"
        if subject.startswith("job_"):
            step = lambda _name, function: function()  # noqa: E731
            self.services.job_runs.run(subject, int(number), step)
        else:
            self.services.deliveries.attempt(subject, int(number))


class JobCalls:
    """A gateway, whoever asks it for jobs, and its worker."""

    def __init__(self, gateway):
        self.gateway, self.services = gateway, gateway.services
        self.token = gateway.token
        self.worker = TestWorker(gateway.services)

    def stranger(self):
        """Return the API token of another principal."""
        return self.gateway.make_token(Scope.WEBHOOK)

    def call(self, method, path, body=None, *, token=None, headers=(), **options):
        """Return the answer of any route."""
        head = {**bearer(token or self.token), **dict(headers)}
        if body is not None:
            options["json"] = body
        return self.gateway.client.open(path, method=method, headers=head, **options)

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.call("POST", path, body, **options)

    def accept(self, body=None, headers=ASYNC, path=WEBHOOK, **options):
        """Return the id of a job that is accepted."""
        reply = self.post(path, body or BODY, headers=headers, **options)
        assert reply.status_code == 202, reply.text
        return reply.json["data"]["id"]

    def done(self, *args, **options):
        """Return the id of a job that is accepted and done."""
        job_id = self.accept(*args, **options)
        self.worker.work()
        return job_id

    def state(self, job_id):
        """Return how a job stands, as it is shown."""
        shown = self.get(f"{JOBS}/{job_id}?view=job")
        assert shown.status_code == 200, shown.text
        return shown.json["data"]

    def stored(self):
        """Return how many rows of durable work there are."""
        tables = (documents, jobs, endpoints, deliveries)
        with self.services.database.reading() as connection:
            return {
                each.name: connection.execute(
                    select(func.count()).select_from(each)
                ).scalar_one()
                for each in tables
            }

    def works_while_waited_for(self):
        """Let the worker work whenever somebody sleeps; return the clock."""
        app = self.gateway.app
        clock = WakingClock(self.worker)
        waking = replace(self.services.jobs, clock=clock)
        app.extensions["flaskllm"] = replace(self.services, jobs=waking)
        return clock


class WakingClock(SystemClock):
    """Passes without sleeping: meanwhile the worker works."""

    def __init__(self, worker):
        self._worker = worker
        self.passed = 0.0

    def monotonic(self):
        return super().monotonic() + self.passed

    def sleep(self, seconds):
        self.passed += seconds
        if self._worker:
            self._worker.work()


def answer_of(reply):
    """Return the bytes of an answer but for what is of the moment."""
    meta = reply.json["meta"]
    text = reply.text.replace(reply.json["data"].get("id", "?"), "ID")
    text = text.replace(meta["request_id"], "REQUEST")
    spent = json.dumps({"processing_time": meta["processing_time"]})[1:-1]
    return text.replace(spent, "SPENT")
