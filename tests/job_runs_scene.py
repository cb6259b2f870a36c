"""A worker's side of jobs: a mail, models that cost money, what records steps."""

import json
from dataclasses import dataclass, field
from random import Random

from account_fakes import FakeWriter, make_accounts
from fakes import FakeClock
from job_scene import JobHouse
from sealers import key_ring

from flaskllm.core.auth import BOOTSTRAP, Principal, Scope
from flaskllm.core.config_job_sections import JobSettings
from flaskllm.core.metrics import Metrics
from flaskllm.llm.outlook import Prospect
from flaskllm.llm.prompts import load_library
from flaskllm.llm.terms import Price
from flaskllm.llm.types import (
    Answer,
    Attempt,
    Completion,
    Deployment,
    Outcome,
    Plan,
    Usage,
)
from flaskllm.services.completions import Completions
from flaskllm.services.digests.pipeline import Digests
from flaskllm.services.digests.types import DigestOrder
from flaskllm.services.jobs.accepting import Accepting
from flaskllm.services.jobs.fetching import Fetching
from flaskllm.services.jobs.jobs import Jobs
from flaskllm.services.jobs.keeping import JobKeeping
from flaskllm.services.jobs.orders import Ordered
from flaskllm.services.jobs.owners import Owners
from flaskllm.services.jobs.runs import JobRuns
from flaskllm.services.jobs.wanted import Wanted

LIBRARY = load_library()
ANNA = Principal("anna", "Anna", frozenset({Scope.WEBHOOK}), "api")
BEN = Principal("ben", "Ben", frozenset({Scope.WEBHOOK}), "api")
MAIL = b"""From: Ada Quist <ada@example.com>
To: Ben Ito <ben@example.org>
Subject: Invoice 4711
Message-ID: <m1@example.com>
Date: Mon, 05 Jan 2026 09:00:00 +0000

Hello Ben,

the invoice 4711 is still open. Please pay it by Friday, 9 January.

Ada
"""
QUOTE = "Please pay it by Friday, 9 January."
EVIDENCE = {"quote": QUOTE, "part": "p1"}
FACTS = {
    "action_items": [
        {
            "task": "Pay it",
            "owner": "Ben Ito",
            "due_text": "Friday, 9 January",
            "evidence": EVIDENCE,
        }
    ]
}
PROSE = {"summary": {"short": "The invoice must be paid.", "bullets": []}}
COST_NANOS = 16_000
"""Of one call to the model."""

_MINI = Deployment("mini", "box", "openai", "scripted-1")
_USED = Usage(10, 0, 0, 3, 0, "provider")
_PLAN = Plan(10, 3, reserved_nanos=20_000, expected_nanos=16_000)
_PRICE = Price(1_000_000_000, 2_000_000_000)


class PaidRouter:
    """Says one line of its script after the other, as a call that is paid.

    An error is raised, unpaid; a function is called, and what it returns said.
    """

    def __init__(self, *script, price=_PRICE):
        self.script = list(script)
        self.asked = []
        self.price = price

    def outlook(self, request, call):
        return (Prospect("fast", _MINI),)

    def complete(self, request, call):
        self.asked.append(request)
        attempt = Attempt(1, "fast", _MINI, "fast: mini", self.price, _PLAN)
        call.before(attempt)
        line = self.script.pop(0)
        if callable(line) and not isinstance(line, Exception):
            line = line()
        if isinstance(line, Exception):
            code = getattr(line, "code", "INTERNAL_ERROR")
            call.after(attempt, Outcome(code, 1.0, Usage()))
            raise line
        call.after(attempt, Outcome("OK", 1.0, _USED))
        said = Completion(json.dumps(line), "stop", _USED, "scripted-1")
        return Answer(said, "fast", _MINI, 1)


@dataclass
class Record:
    """An API token as far as jobs look at it."""

    owner: Principal
    state: str = "active"

    def state_at(self, now):
        return self.state

    def principal(self):
        return self.owner


@dataclass
class FakeTokens:
    """API tokens by their ids; `error` is raised when it is set."""

    records: dict = field(default_factory=lambda: {"anna": Record(ANNA)})

    def find(self, principal_id):
        return self.records.get(principal_id)


class Recorder:
    """Records steps as a workflow does: one that was run is not run again."""

    def __init__(self, *known):
        self.known = list(known)
        self.ran = []

    def __call__(self, name, function):
        if name in self.known:
            return name
        self.ran.append(name)
        return function()


class Middle(Random):
    """No chance: always the least."""

    def random(self):
        return 0.0


class WorkHouse(JobHouse):
    """Jobs, accepted and done, on one database with a clock moved by hand."""

    def __init__(self, database, *script, workflows=None, **settings):
        self.clock = FakeClock()
        self.fetcher = None
        super().__init__(database, workflows, self.clock)
        self.router = PaidRouter(*script)
        self.writer = FakeWriter()
        self.tokens = FakeTokens()
        accounts = make_accounts(self.clock, self.writer)
        digests = Digests(Completions(lambda: self.router), lambda: LIBRARY, self.clock)
        self.accepting = Accepting(
            self.intake,
            key_ring(),
            lambda: LIBRARY,
            self.clock,
            JobSettings(**settings),
            database.is_lasting,
        )
        self.jobs = Jobs(
            self.accepting,
            self.rows,
            self.endings,
            self.workflows,
            self.clock,
        )
        self.keeping = JobKeeping(self.endings, self.expiry)
        self.runs = JobRuns(
            self.taken,
            self.endings,
            digests,
            accounts,
            Owners(self.tokens, self.clock, BOOTSTRAP),
            self.clock,
            Metrics(),
            Middle(),
            deadline_seconds=300.0,
            fetching=Fetching(self.fetcher),
        )

    def accept(self, principal=ANNA, wanted=None, **fields):
        """Accept a mail and return the id of its job."""
        wanted = wanted or Wanted("webhook:email", "req-accepted")
        return self.jobs.accept(ordered(**fields), wanted, principal).job.id

    def run(self, job_id, attempt=1, step=None):
        """Do an attempt, and return how the job stands then."""
        self.runs.run(job_id, attempt, step or Recorder())
        return self.jobs.find(job_id, ANNA)


def ordered(metadata=None, warnings=(), **fields):
    """Return the order for a digest of the mail."""
    usual = {"content": MAIL, "media_type": "message/rfc822"}
    return Ordered(DigestOrder(**(usual | fields)), metadata, warnings)
