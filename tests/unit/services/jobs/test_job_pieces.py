"""A long digest as a job: each piece that was paid is kept, whoever goes on."""

import re
import threading
from dataclasses import replace

import pytest
from fakes import FakeClock
from job_runs_scene import _MINI, ANNA, COST_NANOS, PaidRouter, Recorder

from flaskllm.core.errors import LLMUnavailable
from flaskllm.llm.fitting import Sizes
from flaskllm.llm.outlook import Prospect
from flaskllm.services.jobs.steps import LeftToOthersError, StepBook
from flaskllm.storage.job_runs import Recalled

SMALL = replace(_MINI, context_window=4096)
TURNS = [
    f"{'Ada' if n % 2 else 'Ben'}: This is remark {n} about the crane and its paint."
    for n in range(900)
]
LONG = {
    "content": "\n".join(TURNS).encode(),
    "media_type": None,
    "source": "meeting",
    "type": "keywords",
}
DOWN = LLMUnavailable(details="Nobody listens there.")


class LongRouter(PaidRouter):
    """Has a small window; says which turn a piece begins with, in any thread."""

    def __init__(self):
        super().__init__()
        self._lock = threading.Lock()
        self.begun = []
        self.down_after = None

    def outlook(self, request, call):
        sizes = Sizes(request)
        return (Prospect("fast", SMALL, sizes.of(SMALL), sizes.room(SMALL)),)

    def complete(self, request, call):
        prompt = request.messages[-1].content
        first = re.search(r"\[(t\d+)", prompt)[1]
        with self._lock:
            is_down = self.down_after is not None and len(self.begun) >= self.down_after
            self.script = [DOWN if is_down else {"keywords": ["crane", "paint"]}]
            if not is_down:
                self.begun.append(first)
            return super().complete(request, call)


@pytest.fixture
def house(open_house):
    house = open_house()
    house.router = LongRouter()
    return house


def at_once(house, number):
    digests = replace(house.runs.digests, at_once=number)
    house.runs = replace(house.runs, digests=digests)


@pytest.mark.parametrize("number", [1, 4])
def test_no_piece_is_paid_for_twice_when_another_one_fails(house, number):
    at_once(house, number)
    job_id = house.accept(**LONG)
    house.router.down_after = 4

    put_off = house.run(job_id)
    house.router.down_after = None
    house.clock.advance(3600.0)
    job = house.run(job_id, attempt=2)

    assert put_off.state == "queued"
    assert job.state == "done"
    pieces = house.router.begun
    assert len(pieces) == len(set(pieces)) > 6
    assert job.cost_nanos == len(pieces) * COST_NANOS
    assert job.result["meta"]["cost"] == pytest.approx(job.cost_nanos / 1e9)


def test_the_workflow_s_record_has_one_step_however_many_pieces(house):
    recorder = Recorder()

    job_id = house.accept(**LONG)
    house.runs.run(job_id, 1, recorder)

    assert recorder.ran == ["facts"]
    assert house.jobs.find(job_id, ANNA).state == "done"


class Rows:
    """Keeps the steps of one job in memory, as long as it is held."""

    def __init__(self):
        self.kept, self.paid, self.is_held = {}, [], True

    def recall(self, job_id, runner, name):
        return Recalled(self.is_held, self.kept.get(name))

    def save_step(self, job_id, runner, name, outcome, cost_nanos):
        if self.is_held:
            self.kept[name] = outcome
            self.paid.append(cost_nanos)
        return self.is_held


class TestKeeping:
    def book(self, rows, spent=lambda: 0):
        clock, record = FakeClock(), lambda name, function: function()
        return StepBook(rows, "job_1", "run_1", record, spent, clock)

    def test_what_was_kept_is_known_again(self):
        book = self.book(Rows())

        values = [book.keep("facts.1", lambda: {"n": 1}), book.keep("facts.1", None)]

        assert values == [{"n": 1}] * 2

    def test_a_cost_is_kept_once_though_a_step_has_pieces(self):
        rows, spent = Rows(), [0]
        book = self.book(rows, lambda: spent[0])

        def pay():
            spent[0] += 5
            return 1

        book.step("facts", lambda: [book.keep("facts.1", pay), pay()])

        assert rows.paid == [5, 5]
        assert book.loose_nanos() == 0

    def test_a_piece_of_a_job_that_somebody_else_has_is_not_asked_about(self):
        rows = Rows()
        rows.is_held = False

        with pytest.raises(LeftToOthersError):
            self.book(rows).keep("facts.1", None)
