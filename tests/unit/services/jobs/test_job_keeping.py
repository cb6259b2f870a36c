"""Jobs that nobody ends are given up, and what has expired is removed."""

import pytest
from job_runs_scene import ANNA, FACTS, PROSE, ordered

from flaskllm.core.errors import NotFound
from flaskllm.services.jobs.keeping import JobKeeping
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


class Endless:
    """There is always more that is overdue or over; the first hundred never end."""

    def __init__(self):
        self.afters = []

    def overdue(self, margin, most, after):
        self.afters.append(after)
        first = len(self.afters) * most
        return tuple(f"job_{first + each:06}" for each in range(most))

    def remove(self, most):
        return most

    def give_up(self, job_id, end):
        if job_id < "job_000200":
            raise ContentUnavailable
        return True


def test_a_turn_ends_and_goes_past_those_that_cannot_be_ended():
    endless = Endless()
    keeping = JobKeeping(endless, endless)

    assert keeping.give_up_overdue() == 4900
    assert endless.afters[:3] == ["", "job_000199", "job_000299"]
    assert keeping.forget_expired() == 5000


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


def test_what_expires_at_its_deadline_is_given_up_before_it_is_removed(open_house):
    house = open_house(keep_days=1)
    wanted = Wanted("webhook", "req-1", deadline_seconds=DAY)
    job_id = house.accept(wanted=wanted)

    house.clock.advance(DAY + 59)
    assert house.keeping.keep() == 0
    house.clock.advance(1)
    assert house.keeping.keep() == 1

    assert house.jobs.find(job_id, ANNA).state == "dead"
    assert [told.id for told, _ in house.told] == [job_id]


def test_one_that_cannot_be_given_up_is_removed_an_hour_later(open_house):
    house = open_house(keep_days=1)
    house.accept(wanted=Wanted("webhook", "req-1", deadline_seconds=DAY))
    house.endings.give_up = raising(ContentUnavailable())

    house.clock.advance(DAY + 3599)
    assert house.keeping.keep() == 0
    house.clock.advance(1)
    assert house.keeping.keep() == 1


def test_no_workflow_is_looked_at_where_nothing_has_expired(house):
    house.keeping.keep()

    assert house.workflows.prepared == 0


def raising(error):
    def fail(*args):
        raise error

    return fail
