"""Two runners at one job, in any order: what they may write is what a model says."""

from dataclasses import dataclass, field
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from job_scene import JobHouse, draft

from flaskllm.storage.job_endings import End

OPEN = {"queued", "working"}
ACTS = ("begin", "step", "finish", "again", "cancel", "give_up")
ACT = st.tuples(st.sampled_from(ACTS), st.integers(0, 1), st.integers(1, 3))


@dataclass
class Model:
    """One job, and which token each of the two runners has from its last beginning."""

    state: str = "queued"
    attempt: int = 0
    runner: str | None = None
    cost: int = 0
    told: int = 0
    tokens: list = field(default_factory=lambda: ["never", "never"])

    def begin(self, who, attempt, token):
        is_next = self.state == "queued" and attempt == self.attempt + 1
        if not is_next and not (self.state == "working" and attempt == self.attempt):
            return False
        self.state, self.attempt, self.runner = "working", attempt, token
        self.tokens[who] = token
        return True

    def writes(self, who):
        return self.state == "working" and self.runner == self.tokens[who]

    def end(self, state):
        self.state, self.runner = state, None
        self.told += 1


@pytest.fixture
def house(sqlite_database_url, make_database):
    return JobHouse(make_database(sqlite_database_url))


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(acts=st.lists(ACT, min_size=1, max_size=14))
def test_whatever_they_do_the_job_is_as_the_model_says(house, acts):
    job, model, tokens = draft(), Model(), count()
    house.add(job)
    house.told.clear()

    for act, who, attempt in acts:
        done, expected = play(house, job, model, (act, who, attempt), next(tokens))

        assert done is expected
        row = house.find(job)
        assert (row.state, row.attempt) == (model.state, model.attempt)
        assert (row.runner, row.cost_nanos) == (model.runner, model.cost)
        assert len(house.told) == model.told
    ids = [start.id for start in house.workflows.started]
    assert len(ids) == len(set(ids))


def play(house, job, model, act, number):
    """Do it to both; return whether it was done, and whether it should have been."""
    name, who, attempt = act
    token = model.tokens[who]
    if name == "begin":
        fresh = f"run_{number}"
        begun = house.taken.begin(job.id, attempt, fresh)
        return begun is not None, model.begin(who, attempt, fresh)
    if name == "cancel":
        return cancel(house, job, model)
    if name == "give_up":
        is_open = model.state in OPEN
        if is_open:
            model.end("dead")
        return house.endings.give_up(job.id, End("dead")), is_open
    writes = model.writes(who)
    if writes:
        model.cost += 1
    if name == "step":
        step = f"step_{number}"
        return house.taken.save_step(job.id, token, step, b"{}", 1), writes
    if name == "finish":
        if writes:
            model.end("done")
        return house.endings.finish(job.id, token, End("done", cost_nanos=1)), writes
    if writes:
        model.state, model.runner = "queued", None
    again = house.endings.again(
        job.id, token, failures=1, cost_nanos=1, delay_seconds=1.0
    )
    return again, writes


def cancel(house, job, model):
    is_open = model.state in OPEN
    if is_open:
        model.end("cancelled")
    return house.endings.cancel(job.id, job.principal_id).was_open, is_open
