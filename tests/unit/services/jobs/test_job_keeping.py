"""Jobs that nobody ends are given up, and what has expired is removed."""

import pytest
from job_runs_scene import ANNA, FACTS, PROSE, ordered

from flaskllm.core.errors import NotFound
from flaskllm.services.jobs.wanted import Wanted
from flaskllm.storage.sealing import ContentUnavailable

DAY = 86_400


@pytest.fixture
def house(open_house):
    return open_house()


def test_what_nobody_ended_is_given_up_and_told(house):
    wanted = Wanted("webhook", "req-1", deadline_seconds=60)
    job_id = house.accept(wanted=wanted)
    batch = house.jobs.accept_batch([ordered()], wanted, ANNA).job

    house.clock.advance(60 + 59)
    assert house.keeping.keep() == 0
    house.clock.advance(1)
    assert house.keeping.keep() == 2

    job = house.jobs.find(job_id, ANNA)
    assert (job.state, job.error_code) == ("dead", "SERVICE_UNAVAILABLE")
    assert house.jobs.find(batch.id, ANNA).state == "done"
    assert {told.id for told, _ in house.told} == {job_id, batch.id}


def test_one_that_cannot_be_ended_keeps_no_other_from_its_end(house):
    wanted = Wanted("webhook", "req-1", deadline_seconds=60)
    ids = [house.accept(wanted=wanted, type=each) for each in ("reply", "keywords")]
    house.clock.advance(120)
    give_up = house.endings.give_up

    def give_up_one(job_id, end):
        return (
            raising(ContentUnavailable())()
            if job_id == ids[0]
            else give_up(job_id, end)
        )

    house.endings.give_up = give_up_one

    assert house.keeping.keep() == 1
    assert [house.jobs.find(each, ANNA).state for each in ids] == ["queued", "dead"]


def test_what_has_expired_is_gone(open_house):
    house = open_house(FACTS, PROSE, keep_days=2)
    job_id = house.accept()
    house.run(job_id)

    house.clock.advance(2 * DAY - 1)
    assert house.keeping.keep() == 0
    house.clock.advance(1)
    assert house.keeping.keep() == 1

    with pytest.raises(NotFound):
        house.jobs.find(job_id, ANNA)
    assert house.workflows.deleted == [job_id]


def test_no_workflow_is_looked_at_where_nothing_has_expired(house):
    house.keeping.keep()

    assert house.workflows.prepared == 0


def raising(error):
    def fail(*args):
        raise error

    return fail
