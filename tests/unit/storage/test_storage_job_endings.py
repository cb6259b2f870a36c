"""Jobs end once, by whoever has them; a batch ends with the last of its items."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from job_scene import JobHouse, batch, draft, workflow_ids

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage.job_endings import End
from flaskllm.storage.tables import deliveries
from flaskllm.storage.workflows import Start, Workflows

DONE = End("done", result=b'{"data": 1}', cost_nanos=5)
FAILED = End("failed", error=b'{"code": "X"}', error_code="X")
# Accepted so long ago that it goes although it is open.
LONG_OVER = {"keep_seconds": -3601.0, "deadline_seconds": -3601.0}


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


@pytest.fixture
def house(database):
    return JobHouse(database)


@pytest.fixture
def workflows(database):
    real = Workflows(database)
    yield real
    real.close()


@pytest.fixture
def job(house):
    wanted = draft()
    house.add(wanted)
    return wanted


def at_once(*functions):
    """Call all at the same moment, each in a thread; return what they return."""
    together = threading.Barrier(len(functions))

    def call(function):
        together.wait()
        return function()

    with ThreadPoolExecutor(len(functions)) as pool:
        return list(pool.map(call, functions))


class TestBeginning:
    def test_who_begins_a_job_has_it(self, house, job):
        begun = house.begin(job)

        assert (begun.job.state, begun.job.attempt) == ("working", 1)
        assert begun.job.started_at == begun.now
        assert house.taken.is_held(job.id, "run_1")
        assert not house.taken.is_held(job.id, "run_2")

    def test_only_the_next_attempt_is_begun(self, house, job):
        assert house.begin(job, attempt=2) is None
        house.begin(job)
        house.endings.again(
            job.id, "run_1", failures=1, cost_nanos=0, delay_seconds=1.0
        )

        assert house.begin(job, attempt=1) is None
        assert house.begin(job, attempt=2).job.attempt == 2

    @pytest.mark.parametrize("state", ["done", "failed", "dead", "cancelled"])
    def test_what_has_ended_is_not_begun(self, house, job, state):
        house.endings.give_up(job.id, End(state))

        assert house.begin(job) is None
        assert house.begin(draft()) is None

    def test_of_two_who_begin_at_once_the_later_one_has_it(self, house, job):
        begun = at_once(
            lambda: house.begin(job, runner="run_1"),
            lambda: house.begin(job, runner="run_2"),
        )

        assert all(begun)
        held = [house.taken.is_held(job.id, each) for each in ("run_1", "run_2")]
        assert sorted(held) == [False, True]


class TestFencing:
    @pytest.fixture
    def stale(self, house, job):
        """A job that another run has taken over from `run_1`."""
        house.begin(job, runner="run_1")
        house.begin(job, runner="run_2")
        return job

    @pytest.mark.parametrize(
        "write",
        [
            lambda house, id: house.taken.save_step(id, "run_1", "facts", b"{}", 7),
            lambda house, id: house.endings.finish(id, "run_1", DONE),
            lambda house, id: house.endings.again(
                id, "run_1", failures=1, cost_nanos=7, delay_seconds=1.0
            ),
        ],
        ids=["step", "finish", "again"],
    )
    def test_who_lost_a_job_writes_nothing(self, house, stale, write):
        before = house.find(stale)
        started = list(house.workflows.started)

        assert write(house, stale.id) is False

        assert house.find(stale) == before
        assert house.taken.recall(stale.id, "run_2", "facts").outcome is None
        assert (house.workflows.started, house.told) == (started, [])

    def test_who_has_it_writes(self, house, stale):
        assert house.taken.save_step(stale.id, "run_2", "facts", b"{}", 7)
        assert house.endings.finish(stale.id, "run_2", DONE)

        job = house.find(stale)
        assert (job.state, job.result, job.runner) == ("done", DONE.result, None)
        assert job.cost_nanos == 12
        assert job.finished_at is not None
        assert [told.id for told, _ in house.told] == [stale.id]
        assert house.told[0][0].result == DONE.result

    def test_a_job_that_was_cancelled_is_nobody_s(self, house, stale):
        house.endings.cancel(stale.id, "anna")

        assert not house.taken.save_step(stale.id, "run_2", "facts", b"{}", 7)
        assert not house.endings.finish(stale.id, "run_2", DONE)
        assert not house.taken.recall(stale.id, "run_2", "facts").is_held

    def test_two_who_end_a_job_at_once_end_it_once(self, house, job):
        house.begin(job)

        ended = at_once(
            lambda: house.endings.finish(job.id, "run_1", DONE),
            lambda: house.endings.give_up(job.id, FAILED),
            lambda: house.endings.finish(job.id, "run_1", DONE),
        )

        assert sum(ended) == len(house.told) == 1


class TestPuttingOff:
    @pytest.fixture
    def put_off(self, house, job):
        """A job whose first attempt failed, and the moment when that was."""
        begun = house.begin(job)
        house.endings.again(
            job.id, "run_1", failures=1, cost_nanos=0, delay_seconds=60.0
        )
        return begun.now

    def test_it_is_known_until_when(self, house, job, put_off):
        late = house.find(job).next_at - put_off

        assert timedelta(seconds=60) <= late < timedelta(seconds=65)

    @pytest.mark.parametrize(
        "go_on",
        [
            lambda house, job: house.begin(job, attempt=2),
            lambda house, job: house.endings.cancel(job.id, "anna"),
        ],
        ids=["begun", "cancelled"],
    )
    def test_and_no_longer_than_it_waits(self, house, job, put_off, go_on):
        go_on(house, job)

        assert house.find(job).next_at is None


def test_a_delivery_comes_from_the_request_of_its_job(house, database, job):
    row = {
        "principal_id": "anna",
        "endpoint_id": "end_1",
        "event": "job.done",
        "body": b"{}",
        "state": "pending",
        "attempts": 0,
        "created_at": SystemClock().now(),
        "expires_at": SystemClock().now(),
    }
    of_job, alone = {"id": "msg_1", "job_id": job.id}, {"id": "msg_2", "job_id": None}
    with database.transaction() as connection:
        connection.execute(deliveries.insert(), [row | of_job, row | alone])

    asked = [job.id, "msg_1", "msg_2", "job_unknown"]
    found = [house.taken.request_id(each) for each in asked]
    assert found == [job.request_id, job.request_id, None, None]


class TestSteps:
    def test_a_step_is_remembered_by_later_runs_and_attempts(self, house, job):
        house.begin(job)
        house.taken.save_step(job.id, "run_1", "facts", b'{"a": 1}', 7)
        house.endings.again(
            job.id, "run_1", failures=1, cost_nanos=2, delay_seconds=9.5
        )

        begun = house.begin(job, attempt=2, runner="run_2")

        assert (begun.job.failures, begun.job.cost_nanos) == (1, 9)
        assert house.taken.recall(job.id, "run_2", "facts").outcome == b'{"a": 1}'
        assert house.taken.recall(job.id, "run_2", "prose").outcome is None
        assert house.workflows.started[-1] == Start(
            "digest", f"{job.id}.2", "anna", (job.id, 2), 5, 9.5
        )

    def test_a_step_that_is_stored_twice_is_paid_once(self, house, job):
        house.begin(job)
        for _ in range(2):
            assert house.taken.save_step(job.id, "run_1", "facts", b'{"a": 1}', 7)

        assert house.find(job).cost_nanos == 7
        assert house.taken.recall(job.id, "run_1", "facts").outcome == b'{"a": 1}'

    def test_a_cost_that_is_not_known_stays_so(self, house, job):
        house.begin(job)
        house.taken.save_step(job.id, "run_1", "facts", b"{}", None)
        house.taken.save_step(job.id, "run_1", "prose", b"{}", 7)

        assert house.find(job).cost_nanos is None


class TestCancelling:
    def test_a_job_is_cancelled_once_and_nobody_is_told_of_it_as_done(self, house, job):
        cancelled = house.endings.cancel(job.id, "anna")

        assert (cancelled.was_open, cancelled.workflow_ids) == (True, (job.id,))
        assert house.state(job) == "cancelled"
        assert house.endings.cancel(job.id, "anna").was_open is False
        assert house.endings.cancel(job.id, "ben") is None

    def test_the_workflow_of_the_present_attempt_need_not_go_on(self, house, job):
        house.begin(job)
        house.endings.again(
            job.id, "run_1", failures=1, cost_nanos=0, delay_seconds=60.0
        )

        assert house.endings.cancel(job.id, "anna").workflow_ids == (f"{job.id}.2",)

    def test_a_batch_is_cancelled_with_its_open_items(self, house):
        whole, items = batch(3)
        house.add(whole, *items)
        house.begin(items[0])
        house.endings.finish(items[0].id, "run_1", DONE)
        house.begin(items[1])

        cancelled = house.endings.cancel(whole.id, "anna")

        assert cancelled.workflow_ids == (items[1].id, items[2].id)
        [tally] = house.rows.tallies([whole.id]).values()
        assert tally.counts == {"done": 1, "cancelled": 2}
        assert house.state(whole) == "cancelled"
        assert house.find(whole).cost_nanos == 5  # what is done was paid
        assert house.endings.finish(items[1].id, "run_1", DONE) is False
        assert house.told == []


class TestBatches:
    def test_a_batch_works_as_soon_as_an_item_does(self, house):
        whole, items = batch(2)
        house.add(whole, *items)

        house.begin(items[1])

        assert house.state(whole) == "working"
        assert house.find(whole).started_at is not None

    def test_the_last_item_ends_the_batch_and_it_alone_is_told(self, house):
        whole, items = batch(2)
        house.add(whole, *items)
        for each, end in zip(items, (FAILED, DONE), strict=True):
            assert house.told == []
            house.begin(each)
            house.endings.finish(each.id, "run_1", end)

        [(told, of_it)] = house.told
        assert (told.id, told.state, told.cost_nanos) == (whole.id, "done", 5)
        assert [each.error_code for each in of_it] == ["X", None]
        assert [each.result for each in of_it] == [None, DONE.result]
        assert house.find(whole).finished_at is not None

    def test_long_results_are_not_read_for_that(self, house):
        whole, [item] = batch(1)
        house.add(whole, item)
        house.begin(item)
        noise = os.urandom(30_000)  # what lies there is deflated
        house.endings.finish(item.id, "run_1", End("done", result=noise))

        [(_, [told])] = house.told
        assert (told.state, told.result) == ("done", None)

    def test_items_that_end_at_once_end_the_batch_once(self, house):
        whole, items = batch(4)
        house.add(whole, *items)
        for each in items:
            house.begin(each, runner=f"run_{each.id}")

        def finish(each):
            return lambda: house.endings.finish(each.id, f"run_{each.id}", DONE)

        ended = at_once(
            *map(finish, items[:3]), lambda: house.endings.cancel(items[3].id, "anna")
        )

        assert all(ended)
        assert [told.id for told, _ in house.told] == [whole.id]
        assert house.find(whole).cost_nanos == 15

    def test_a_batch_and_its_last_item_end_in_one_piece(self, house):
        whole, [item] = batch(1)
        house.add(whole, item)
        house.begin(item)
        house.endings._tell = raising

        with pytest.raises(ServiceUnavailable):
            house.endings.finish(item.id, "run_1", DONE)

        assert (house.state(item), house.state(whole)) == ("working", "working")


class TestExpiry:
    def test_a_job_is_removed_with_all_that_is_its_own(self, house):
        gone, kept = draft(**LONG_OVER), draft()
        house.add(gone)
        house.add(kept)
        house.begin(gone)
        house.taken.save_step(gone.id, "run_1", "facts", b"{}", 1)

        assert house.expiry.remove(10) == 1

        assert house.find(gone) is None
        assert house.taken.document(gone.document_id) is None
        assert house.workflows.deleted == [gone.id]
        assert house.find(kept) is not None
        assert house.endings.finish(gone.id, "run_1", DONE) is False

    def test_a_document_stays_for_its_replay(self, house):
        first = draft(**LONG_OVER)
        house.add(first)
        house.add(draft(document_id=first.document_id, document=None))

        assert house.expiry.remove(10) == 1

        assert house.taken.document(first.document_id) is not None

    def test_an_answer_is_there_for_an_hour_at_least(self, house):
        late = draft(keep_seconds=0.0, deadline_seconds=0.0)
        house.add(late)
        house.begin(late)
        house.endings.finish(late.id, "run_1", DONE)

        assert house.expiry.remove(10) == 0
        job = house.find(late)
        assert job.expires_at == job.finished_at + timedelta(hours=1)

    def test_what_is_open_after_its_deadline_is_found(self, house):
        late = draft(deadline_seconds=0.0)
        house.add(late)
        house.add(draft())
        ended = draft(deadline_seconds=0.0)
        house.add(ended)
        house.endings.give_up(ended.id, FAILED)

        assert house.expiry.overdue(timedelta(0), 10) == (late.id,)
        assert house.expiry.overdue(timedelta(minutes=1), 10) == ()


def test_an_end_and_what_follows_are_one_transaction(database, workflows):
    house, job = JobHouse(database, workflows), draft()
    house.add(job)
    house.begin(job)

    def tell(connection, job, items):
        workflows.start(connection, Start("deliver", "msg_1.1", "e", ("msg_1", 1)))
        raise ServiceUnavailable()

    house.endings._tell = tell
    with pytest.raises(ServiceUnavailable):
        house.endings.finish(job.id, "run_1", DONE)

    assert house.state(job) == "working"
    assert workflow_ids(workflows) == [job.id]


def raising(connection, job, items):
    raise ServiceUnavailable()
