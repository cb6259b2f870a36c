"""A worker, alone on a database: what it does, in which order, and how it ends."""

import logging
import re
import threading
from dataclasses import replace

import pytest
from log_lines import ours
from worker_scene import FAST, Begun, nothing, wait_for, worker_scene
from workflow_rows import digest, give_to, states

from flaskllm.core import logs
from flaskllm.core.errors import InternalError, ServiceUnavailable
from flaskllm.jobs import workflows
from flaskllm.jobs.identity import host_identity
from flaskllm.jobs.worker import Task
from flaskllm.storage.workers import WorkerRow
from flaskllm.storage.workflows import Start

HOUR = 3600.0
LINES = ("work_begun", "work_failed", "work_ended")
GONE = "4194303:1"


@pytest.fixture
def on_both(database_url, make_database):
    with worker_scene(make_database(database_url)) as opened:
        yield opened


@pytest.fixture
def scene(sqlite_database_url, make_database):
    with worker_scene(make_database(sqlite_database_url)) as opened:
        yield opened


@pytest.fixture
def begun():
    made = Begun()
    yield made
    made.gate.set()


def deliver(id):
    return Start("deliver", f"{id}.1", "end_a", (id, 1))


def told(caplog, event):
    return [vars(line)["fields"] for line in ours(caplog) if line.message == event]


def test_all_that_waits_is_done_once_and_then_a_draining_worker_ends(on_both, capfd):
    done = []

    def make(job_id, attempt, step):
        done.append((job_id, attempt, step("facts", lambda: "facts")))

    on_both.start(digest("job_a"), digest("job_b", "prn_b"), deliver("msg_a"))
    left = on_both.drain(make, lambda id, number: done.append((id, number)))

    assert left == 0
    assert sorted(done) == [
        ("job_a", 1, "facts"),
        ("job_b", 1, "facts"),
        ("msg_a", 1),
    ]
    assert set(states(on_both.workflows).values()) == {"SUCCESS"}
    assert on_both.workers.list() == ()
    assert capfd.readouterr() == ("", "")


def test_two_thousand_of_one_do_not_hold_back_the_one_of_another(scene, begun):
    begun.gate.set()
    scene.start(*(digest(f"job_{number}") for number in range(2000)))
    scene.start(digest("job_other", "prn_b"))

    scene.begin(scene.worker(begun.digest), threads=4)
    wait_for(lambda: "job_other" in begun.ids)

    assert begun.ids.index("job_other") < 8


def test_one_thread_is_always_left_for_another(scene, begun):
    scene.start(*(digest(f"job_{number}") for number in range(8)))
    scene.begin(scene.worker(begun.digest), threads=4)
    wait_for(lambda: len(begun.ids) == 3)

    scene.start(digest("job_other", "prn_b"))
    wait_for(lambda: "job_other" in begun.ids)

    assert len(begun.ids) == 4


def test_a_low_number_of_priority_goes_first(scene, begun):
    begun.gate.set()
    scene.start(digest("job_late", priority=9), digest("job_soon", priority=1))

    scene.drain(begun.digest, threads=1)

    assert begun.ids == ["job_soon", "job_late"]


def test_the_threads_of_another_worker_are_its_own(scene, begun):
    scene.drain(threads=8)
    scene.start(*(digest(f"job_{number}", f"prn_{number}") for number in range(4)))

    scene.begin(scene.worker(begun.digest), threads=1)
    wait_for(lambda: begun.ids)
    threading.Event().wait(0.3)

    assert len(begun.ids) == 1


def test_a_dead_receiver_leaves_room_for_the_others(scene, begun):
    scene.start(*(deliver(f"msg_{number}") for number in range(12)))
    scene.begin(scene.worker(deliver=begun.deliver))
    wait_for(lambda: len(begun.ids) == 2)

    scene.start(Start("deliver", "msg_x.1", "end_b", ("msg_x", 1)))
    wait_for(lambda: "msg_x" in begun.ids)

    assert len(begun.ids) == 3


def test_a_fault_of_our_own_ends_its_workflow_and_shows_kind_and_place(scene, caplog):
    def fail(job_id, _attempt, _step):
        raise KeyError("mailcanary") if job_id == "job_a" else InternalError()

    scene.start(digest("job_a"), digest("job_b"))
    scene.drain(fail)

    codes = {line["id"]: line["code"] for line in told(caplog, "work_failed")}
    assert codes == {"job_a": "KeyError", "job_b": "INTERNAL_ERROR"}
    places = [line["at"] for line in told(caplog, "work_failed")]
    assert all(re.fullmatch(r"test_jobs_worker:\d+", place) for place in places)
    assert set(states(scene.workflows).values()) == {"SUCCESS"}
    assert "mailcanary" not in caplog.text


def test_its_lines_name_the_request_that_brought_the_work(scene, caplog):
    def fail(*_):
        logs.clear()  # as the run of a job does in the end
        raise InternalError

    caplog.set_level(logging.INFO, "flaskllm")
    scene.start(digest("job_a"), deliver("msg_a"))
    scene.drain(fail, request_id=lambda id: f"req of {id}")

    lines = [each for event in LINES for each in told(caplog, event)]
    assert len(lines) == 5  # the delivery did not fail
    assert all(each["request_id"] == f"req of {each['id']}" for each in lines)


def test_what_our_database_could_not_take_is_done_again_until_it_can(scene, caplog):
    outcomes = [ServiceUnavailable(details="Its disk is full."), None]
    steps = []

    def make(_job_id, _attempt, step):
        step("facts", lambda: steps.append("facts") or "facts")
        outcome = outcomes.pop(0)
        if outcome:
            raise outcome

    scene.start(digest("job_a"))
    scene.drain(make)

    assert (outcomes, steps) == ([], ["facts"] * 2)
    assert [line["reason"] for line in told(caplog, "work_waits")] == [
        "Its disk is full."
    ]


def test_a_worker_that_stops_leaves_to_others_what_waits_for_the_database(scene):
    tried = threading.Event()

    def fail(*_):
        tried.set()
        raise ServiceUnavailable(retry_after_seconds=1.0)

    scene.start(digest("job_a"))
    scene.begin(scene.worker(fail))
    assert tried.wait(10)
    scene.end()

    assert states(scene.workflows) == {"job_a": "ENQUEUED"}
    # The thread that had it waits for what somebody makes of it.
    scene.drain()


def test_a_worker_that_is_stopped_lets_end_what_runs_and_begins_nothing(scene, begun):
    scene.start(digest("job_a"), digest("job_b"))
    worker = scene.worker(begun.digest)
    scene.begin(worker, threads=1)
    wait_for(lambda: begun.ids)

    worker.stop()
    threading.Timer(0.3, begun.gate.set).start()
    scene.end()

    assert len(begun.ids) == 1
    assert sorted(states(scene.workflows).values()) == ["ENQUEUED", "SUCCESS"]
    assert scene.workers.list() == ()


def test_what_does_not_end_in_time_is_left_to_others_at_once(scene, begun):
    scene.start(digest("job_a"))
    worker = scene.worker(begun.digest)
    task = Task(1, 0.05, max_seconds=1.0, grace_seconds=0.1, pace=FAST)

    left = worker.run(task)
    begun.gate.set()

    assert (left, begun.ids) == (1, ["job_a"])
    assert states(scene.workflows) == {"job_a": "ENQUEUED"}


def test_who_is_hurried_does_not_wait_for_what_runs(scene, begun):
    scene.start(digest("job_a"))
    worker = scene.worker(begun.digest)
    scene.begin(worker)
    wait_for(lambda: begun.ids)

    worker.hurry()
    scene.end()
    begun.gate.set()

    assert states(scene.workflows) == {"job_a": "ENQUEUED"}


def test_the_work_of_a_process_that_is_gone_from_here_is_taken_over(on_both, caplog):
    dead = WorkerRow("wrk_dead", host_identity(), GONE, 4)
    on_both.workers.beat(dead)
    on_both.start(digest("job_a"))
    give_to(on_both.workflows, "wrk_dead", "job_a")
    done = []

    on_both.drain(lambda job_id, *_: done.append(job_id))

    assert done == ["job_a"]
    assert told(caplog, "worker_lost") == [{"id": "wrk_dead", "count": 1}]
    assert on_both.workers.list() == ()


def test_a_draining_worker_waits_until_it_knows_who_lives(scene):
    scene.start(digest("job_a"))
    give_to(scene.workflows, "wrk_without_a_row", "job_a")
    done = []

    scene.drain(lambda job_id, *_: done.append(job_id))

    assert done == ["job_a"]


def test_a_draining_worker_does_not_wait_for_the_work_of_one_that_lives(scene):
    other = WorkerRow("wrk_other", "there", "1:1", 4)
    scene.start(digest("job_a"))
    give_to(scene.workflows, "wrk_other", "job_a")
    beats, stopped = iter(range(1, 10_000)), threading.Event()

    def live():
        while not stopped.wait(0.05):
            scene.workers.beat(replace(other, beats=next(beats)))

    thread = threading.Thread(target=live)
    thread.start()
    scene.drain(nothing)
    stopped.set()
    thread.join()

    assert states(scene.workflows) == {"job_a": "PENDING"}


def test_a_draining_worker_does_not_wait_for_what_waits_for_its_time(scene):
    scene.start(digest("job_a", delay_seconds=HOUR))

    scene.drain()

    assert states(scene.workflows) == {"job_a": "DELAYED"}


def test_what_a_worker_has_without_its_knowing_is_done_too(on_both, caplog):
    """The connection on which it was claimed broke before it was told."""
    done = []
    on_both.start(digest("job_a"))
    on_both.begin(on_both.worker(lambda job_id, *_: done.append(job_id)))
    wait_for(lambda: done)

    (own,) = on_both.workers.list()
    on_both.start(digest("job_b", delay_seconds=HOUR))
    give_to(on_both.workflows, own.id, "job_b")

    wait_for(lambda: done == ["job_a", "job_b"])
    assert wait_for(lambda: told(caplog, "work_put_back")) == [{"count": 1}]


def test_what_a_worker_works_on_for_long_is_not_put_back(scene, begun, caplog):
    scene.start(digest("job_a"))
    scene.begin(scene.worker(begun.digest))
    wait_for(lambda: begun.ids)

    threading.Event().wait(3 * FAST.patience_seconds)

    assert begun.ids == ["job_a"]
    assert told(caplog, "work_put_back") == []


def test_a_worker_shows_that_it_lives_and_keeps_house(scene):
    kept = threading.Event()
    scene.begin(scene.worker(keep_house=kept.set))

    wait_for(lambda: [row for row in scene.workers.list() if row.beats > 1])

    assert kept.is_set()


def test_a_worker_whose_row_cannot_be_written_or_read_works_on(
    scene, caplog, monkeypatch
):
    def fail(*_):
        raise ServiceUnavailable(details="Its disk is full.")

    done = threading.Event()
    scene.begin(scene.worker(lambda *_: done.set()))
    wait_for(scene.workers.list)
    with monkeypatch.context() as patched:
        patched.setattr(scene.workers, "beat", fail)
        patched.setattr(scene.workers, "list", fail)
        wait_for(lambda: len(told(caplog, "workers_not_watched")) > 2)
        scene.start(digest("job_a"))
        assert done.wait(10)

    assert len(told(caplog, "heartbeat_failed")) == 1


def test_a_worker_that_cannot_leave_in_good_order_says_so_and_ends(
    scene, caplog, monkeypatch
):
    def fail(*_):
        raise ServiceUnavailable(details="Its disk is full.")

    failures = [fail]

    def has_work(_executor_id):
        return failures.pop()() if failures else False

    monkeypatch.setattr(scene.workflows, "has_work", has_work)
    monkeypatch.setattr(scene.workflows, "put_back", fail)
    scene.drain()

    assert len(told(caplog, "work_not_counted")) == 1
    assert len(told(caplog, "worker_not_removed")) == 1
    assert len(scene.workers.list()) == 1


def test_what_does_not_pass_by_itself_is_not_tried_for_ever(scene, caplog, monkeypatch):
    def fail(*_):
        raise ServiceUnavailable(details="It can be read but not written.")

    monkeypatch.setattr(workflows, "_SHORTEST_WAIT_SECONDS", 0.0)
    scene.start(digest("job_a"))
    scene.drain(fail)

    assert len(told(caplog, "work_waits")) == 10
    assert [line["code"] for line in told(caplog, "work_failed")] == [
        "SERVICE_UNAVAILABLE"
    ]
