"""Jobs are accepted whole, and once for each event."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from job_scene import JobHouse, batch, draft, event, workflow_ids
from sqlalchemy import select

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.storage.job_endings import End
from flaskllm.storage.tables import documents, jobs, workers
from flaskllm.storage.workers import FRESH_SECONDS
from flaskllm.storage.workflows import Start, Workflows


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


def count(database, table):
    with database.reading() as connection:
        return len(connection.execute(select(table.c.id)).all())


def test_a_job_comes_with_its_document_and_its_workflow(house):
    wanted = draft(priority=2, endpoint_id="end_1", callback_url=b"https://a.example")

    added = house.add(wanted)

    assert added.is_new
    job = house.find(wanted)
    assert (job.state, job.attempt, job.priority) == ("queued", 0, 2)
    assert (job.endpoint_id, job.callback_url) == ("end_1", b"https://a.example")
    assert job.deadline_at - job.created_at == timedelta(hours=1)
    assert job.expires_at - job.created_at == timedelta(days=1)
    document = house.taken.document(wanted.document_id)
    assert (document.body, document.created_at) == (wanted.document, job.created_at)
    assert house.workflows.started == [
        Start("digest", wanted.id, "anna", (wanted.id, 1), 2, None)
    ]
    assert house.rows.find(wanted.id, "ben") is None


def test_it_is_kept_as_long_as_it_may_wait(house):
    wanted = draft(deadline_seconds=3 * 86_400.0)

    house.add(wanted)

    job = house.find(wanted)
    assert job.expires_at == job.deadline_at


def test_nothing_is_stored_where_its_workflow_cannot_be(house, database):
    house.workflows.error = ServiceUnavailable(details="The disk is full.")

    with pytest.raises(ServiceUnavailable, match="not available"):
        house.add(draft())

    assert (count(database, jobs), count(database, documents)) == (0, 0)


def test_the_same_event_gets_the_job_that_is_there(house):
    first, second = draft(event=event()), draft(event=event())
    house.add(first)

    added = house.add(second)

    assert (added.job.id, added.is_new) == (first.id, False)
    assert house.find(second) is None
    assert house.workflows.ids == [first.id]


@pytest.mark.parametrize(
    "other",
    [
        draft(event=event(), principal_id="ben"),
        draft(event=event(b"f" * 32)),
        draft(event=event(is_forced=True)),
    ],
    ids=["another principal", "another event", "forced"],
)
def test_another_event_is_another_job(house, other):
    house.add(draft(event=event()))

    assert house.add(other).is_new


def test_an_event_is_known_under_the_secret_before(house):
    first = draft(event=event(b"a" * 32))
    house.add(first)

    added = house.add(draft(event=event(b"b" * 32, earlier=(b"a" * 32,))))

    assert added.job.id == first.id


def test_an_event_whose_life_is_over_is_another_one(house):
    house.add(draft(event=event(lives_seconds=0.0)))

    assert house.add(draft(event=event())).is_new


@pytest.mark.parametrize(("state", "answers"), [("done", True), ("dead", False)])
def test_a_job_that_is_done_answers_and_one_that_failed_does_not(house, state, answers):
    first = draft(event=event())
    house.add(first)
    house.begin(first)
    house.endings.finish(first.id, "run_1", End(state))

    added = house.add(draft(event=event()))

    assert added.is_new is not answers


def test_who_forces_an_event_is_asked_for_it_from_then_on(house):
    house.add(draft(event=event()))
    forced = draft(event=event(is_forced=True))
    house.add(forced)

    assert house.add(draft(event=event())).job.id == forced.id


def test_of_many_who_bring_an_event_at_once_one_is_stored(house, database):
    wanted = [draft(event=event()) for _ in range(6)]
    together = threading.Barrier(6)

    def bring(each):
        together.wait()
        return house.add(each)

    with ThreadPoolExecutor(6) as pool:
        added = list(pool.map(bring, wanted))

    assert sum(each.is_new for each in added) == 1
    assert len({each.job.id for each in added}) == 1
    assert count(database, jobs) == count(database, documents) == 1


def test_more_than_may_wait_are_not_stored(house, database):
    house.add(draft(), most=2)
    whole, items = batch(1)

    assert house.add(whole, *items, most=2) == "too_many"
    assert house.add(draft(principal_id="ben"), most=2).is_new
    assert count(database, jobs) == 2


def test_a_replay_keeps_its_document_longer_or_is_not_stored(house):
    first = draft(keep_seconds=60.0)
    house.add(first)
    again = draft(document_id=first.document_id, document=None)
    gone = replace(draft(), document_id="doc_never", document=None)

    assert house.add(again).is_new
    assert house.add(gone) == "document_gone"

    kept = house.taken.document(first.document_id)
    assert kept.expires_at == house.find(again).expires_at
    assert house.find(gone) is None


def test_a_batch_comes_with_all_items(house):
    whole, items = batch(3)

    house.add(whole, *items)

    assert house.rows.tallies([whole.id])[whole.id].counts == {"queued": 3}
    found = house.rows.items(whole.id, "anna", 2, after_number=0)
    assert [each.id for each in found] == [items[1].id, items[2].id]
    assert house.workflows.ids == [each.id for each in items]
    assert [each.id for each in house.rows.page("anna", None, 9)] == [whole.id]


@pytest.mark.parametrize(("seconds", "seen"), [(-1, True), (1, False)])
def test_a_worker_is_seen_until_others_take_it_for_dead(house, database, seconds, seen):
    at = SystemClock().now() - timedelta(seconds=FRESH_SECONDS + seconds)
    row = {"id": "w", "host": "h", "process": "1", "threads": 1, "beats": 1}
    with database.transaction() as connection:
        connection.execute(
            workers.insert().values(row | {"started_at": at, "beat_at": at})
        )

    assert house.add(draft()).is_worker_seen is seen


def test_a_job_and_its_workflow_are_one_transaction(database, workflows):
    house, kept, lost = JobHouse(database, workflows), draft(), draft()
    house.add(kept)
    house.intake._workflows = _Failing(workflows)

    with pytest.raises(ServiceUnavailable):
        house.add(lost)

    assert workflow_ids(workflows) == [kept.id]
    assert house.find(lost) is None


class _Failing:
    """Starts workflows for good, and then something else fails."""

    def __init__(self, workflows):
        self.prepare = workflows.prepare
        self._start = workflows.start

    def start(self, connection, *starts):
        self._start(connection, *starts)
        raise ServiceUnavailable(details="The disk is full.")


@pytest.mark.parametrize("is_complete", [True, False])
def test_what_was_needed_and_is_there_now_is_another_job(house, is_complete):
    needing = draft(event=event())
    house.add(needing)
    house.begin(needing)
    house.endings.finish(needing.id, "run_1", End("needs_fetch"))

    added = house.add(draft(event=event(is_complete=is_complete)))

    assert added.is_new is is_complete
