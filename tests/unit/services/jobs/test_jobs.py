"""Jobs for those who have them."""

import json

import pytest
from job_runs_scene import ANNA, BEN, FACTS, MAIL, PROSE, Recorder, WorkHouse, ordered
from job_scene import workflow_ids

from flaskllm.core.errors import (
    Conflict,
    InvalidInputError,
    JobsDisabled,
    LLMRefused,
    NotFound,
    RateLimitExceeded,
    ServiceUnavailable,
    UnsupportedMediaType,
)
from flaskllm.services.jobs.wanted import Wanted
from flaskllm.storage.workflows import Workflows

WANTED = Wanted("webhook:email", "req-1")
DAY = 86_400


@pytest.fixture
def house(open_house):
    return open_house()


class TestAccepting:
    def test_a_job_is_there_as_it_was_wanted(self, house):
        wanted = Wanted(
            "webhook:email",
            "req-1",
            priority=2,
            deadline_seconds=60,
            callback_url="https://a.example/x",
        )

        accepted = house.jobs.accept(ordered(), wanted, ANNA)

        assert accepted.is_new
        assert accepted.warnings == ("no_worker_seen",)
        job = house.jobs.find(accepted.job.id, ANNA)
        assert (job.state, job.priority, job.request_id) == ("queued", 2, "req-1")
        assert (job.deadline_at - job.created_at).total_seconds() == 60
        assert (job.expires_at - job.created_at).total_seconds() == 30 * DAY
        assert not job.has_ended
        row = house.rows.find(job.id, "anna")
        assert row.callback_url == b"https://a.example/x"

    def test_the_same_mail_five_times_is_one_job(self, house):
        accepted = [house.jobs.accept(ordered(), WANTED, ANNA) for _ in range(5)]

        assert len({each.job.id for each in accepted}) == 1
        assert [each.is_new for each in accepted] == [True, *[False] * 4]
        assert house.jobs.accept(ordered(), WANTED, BEN).is_new

    def test_it_is_done_again_where_that_is_forced(self, house):
        house.jobs.accept(ordered(), WANTED, ANNA)
        forced = Wanted("webhook", "req-2", force=True)

        accepted = house.jobs.accept(ordered(), forced, ANNA)

        assert accepted.is_new
        assert house.jobs.accept(ordered(), WANTED, ANNA).job.id == accepted.job.id

    def test_nothing_is_accepted_where_jobs_are_off(self, open_house):
        house = open_house(enabled=False)

        with pytest.raises(JobsDisabled) as caught:
            house.jobs.accept(ordered(), WANTED, ANNA)

        assert "`jobs.enabled` is false" in caught.value.details
        assert "is answered at once" in caught.value.details
        assert house.workflows.prepared == 0

    def test_nothing_is_accepted_by_a_database_in_memory(self, make_database):
        house = WorkHouse(make_database("sqlite://"))

        with pytest.raises(JobsDisabled, match="does not accept") as caught:
            house.jobs.accept_batch([ordered()], WANTED, ANNA)

        assert "`database_url`" in caught.value.details

    @pytest.mark.parametrize(
        ("fields", "path"),
        [
            ({"content": b"no header"}, "body"),
            ({"type": "classification"}, "variables.labels"),
            ({"template": "nowhere"}, "template"),
            ({"variables": {"language": "de"}}, "variables.language"),
        ],
    )
    def test_an_order_that_cannot_be_carried_out_is_refused(self, house, fields, path):
        with pytest.raises(InvalidInputError) as caught:
            house.jobs.accept(ordered(**fields), WANTED, ANNA)

        assert caught.value.fields[0].path == path
        assert house.jobs.page(ANNA, None, 10) == ()

    def test_what_is_not_read_here_is_refused(self, house):
        with pytest.raises(UnsupportedMediaType):
            house.jobs.accept(ordered(media_type="image/png"), WANTED, ANNA)

    @pytest.mark.parametrize(
        "wrong",
        [{"priority": 0}, {"priority": 10}, {"deadline_seconds": 2_592_001}],
    )
    def test_a_wish_out_of_range_is_refused(self, house, wrong):
        [path] = wrong

        with pytest.raises(InvalidInputError) as caught:
            house.jobs.accept(ordered(), Wanted("webhook", "req-1", **wrong), ANNA)

        assert caught.value.fields[0].path == path

    def test_so_many_may_wait_and_no_more(self, open_house):
        house = open_house(most_waiting=2)
        house.jobs.accept_batch([ordered()], WANTED, ANNA)

        with pytest.raises(RateLimitExceeded) as caught:
            house.jobs.accept(ordered(), WANTED, ANNA)

        assert caught.value.retry_after_seconds == 60.0
        assert "At most 2 jobs" in caught.value.details

    def test_a_batch_that_never_fits_is_refused_and_not_put_off(self, open_house):
        house = open_house(most_waiting=2)

        with pytest.raises(InvalidInputError) as caught:
            house.jobs.accept_batch([ordered()] * 2, WANTED, ANNA)

        assert caught.value.details == "items: holds 2; allowed: 1 to 1"

    @pytest.mark.parametrize("n", [0, 501])
    def test_a_batch_has_1_to_500_items(self, house, n):
        with pytest.raises(InvalidInputError, match="not valid") as caught:
            house.jobs.accept_batch([ordered()] * n, WANTED, ANNA)

        assert caught.value.details == f"items: holds {n}; allowed: 1 to 500"

    def test_who_meets_the_same_event_again_and_again_may_come_back(self, house):
        house.intake._add = lambda *given: None

        with pytest.raises(ServiceUnavailable) as caught:
            house.jobs.accept(ordered(), WANTED, ANNA)

        assert caught.value.retry_after_seconds == 1.0


class TestShowing:
    def test_nobody_finds_what_is_not_theirs(self, house):
        job_id = house.accept()
        batch = house.jobs.accept_batch([ordered()], WANTED, ANNA).job
        asked = [
            lambda id: house.jobs.find(id, BEN),
            lambda id: house.jobs.wait(id, BEN, 1.0),
            lambda id: house.jobs.cancel(id, BEN),
            lambda id: house.jobs.replay(id, BEN, "req-2"),
            lambda id: house.jobs.items(id, BEN, 10),
        ]

        for ask in asked:
            told = {refusal(ask, id) for id in (job_id, batch.id, "job_x", "\0 or 1")}
            assert told == {refusal(ask, "job_never")}
        assert refusal(lambda id: house.jobs.items(id, ANNA, 10), job_id)

    def test_pages_show_the_newest_first(self, house):
        ids = []
        for number in range(3):
            house.clock.advance(1)
            ids.append(house.accept(content=MAIL + str(number).encode()))
        house.jobs.cancel(ids[1], ANNA)

        first, second = house.jobs.page(ANNA, None, 2)
        [third] = house.jobs.page(ANNA, None, 2, second.place())

        assert [first.id, second.id, third.id] == ids[::-1]
        assert [each.id for each in house.jobs.page(ANNA, "cancelled", 9)] == [ids[1]]
        assert house.jobs.page(BEN, None, 9) == ()

    def test_an_open_batch_shows_what_its_items_have_cost_so_far(self, open_house):
        house = open_house(FACTS, PROSE)
        batch = house.jobs.accept_batch([ordered()] * 2, WANTED, ANNA).job
        [first, _] = house.jobs.items(batch.id, ANNA, 10)
        cost = house.run(first.id).cost_nanos

        found = house.jobs.find(batch.id, ANNA)

        assert cost > 0
        assert (found.cost_nanos, found.counts) == (cost, {"done": 1, "queued": 1})
        assert [each.cost_nanos for each in house.jobs.page(ANNA, None, 9)] == [cost]
        assert house.jobs.cancel(batch.id, ANNA).cost_nanos == cost

    def test_who_waits_hears_of_the_end_at_once(self, open_house):
        house = open_house(FACTS, PROSE)
        job_id = house.accept()
        sleep, house.clock.sleep = house.clock.sleep, None
        pauses = []

        def work_meanwhile(seconds):
            pauses.append(seconds)
            sleep(seconds)
            if len(pauses) == 4:
                house.run(job_id)

        house.clock.sleep = work_meanwhile
        job = house.jobs.wait(job_id, ANNA, 25.0)

        assert job.result["data"]["type"] == "summary"
        assert pauses == pytest.approx([0.1, 0.15, 0.225, 0.3375])

    def test_who_waits_is_not_kept_longer_than_wanted(self, house):
        job_id = house.accept()

        job = house.jobs.wait(job_id, ANNA, 2.0)

        assert job.state == "queued"
        assert sum(house.clock.slept) == pytest.approx(2.0)
        assert max(house.clock.slept) == 0.5

    def test_nobody_is_waited_for_who_is_gone(self, house):
        job_id = house.accept()

        house.jobs.wait(job_id, ANNA, 25.0, is_gone=lambda: True)

        assert house.clock.slept == []


class TestCancelling:
    def test_a_job_is_cancelled_once(self, house):
        job_id = house.accept()

        job = house.jobs.cancel(job_id, ANNA)

        assert (job.state, job.error) == ("cancelled", None)
        assert house.workflows.cancelled == [job_id]
        with pytest.raises(Conflict):
            house.jobs.cancel(job_id, ANNA)

    def test_it_is_cancelled_though_its_workflow_cannot_be(self, house):
        house.workflows.cancel = raising(ServiceUnavailable())

        assert house.jobs.cancel(house.accept(), ANNA).state == "cancelled"

    def test_what_is_done_is_not_cancelled(self, open_house):
        house = open_house(FACTS, PROSE)
        job_id = house.accept()
        house.run(job_id)

        with pytest.raises(Conflict):
            house.jobs.cancel(job_id, ANNA)


class TestReplaying:
    @pytest.mark.parametrize("script", [(LLMRefused(),), (FACTS, PROSE)])
    def test_what_has_ended_is_done_anew_from_its_document(self, open_house, script):
        house = open_house(*script, FACTS, PROSE)
        old = house.accept(metadata={"ticket": 7})
        house.run(old)
        asked = len(house.router.asked)

        accepted = house.jobs.replay(old, ANNA, "req-again")

        assert accepted.is_new
        job = house.run(accepted.job.id)
        assert (job.state, job.id != old) == ("done", True)
        assert job.result["meta"]["metadata"] == {"ticket": 7}
        assert job.result["meta"]["request_id"] == "req-again"
        assert len(house.router.asked) == asked + 2

    def test_a_replay_answers_for_the_event(self, open_house):
        house = open_house(LLMRefused())
        old = house.accept()
        house.run(old)

        new = house.jobs.replay(old, ANNA, "req-2").job.id

        assert house.jobs.accept(ordered(), WANTED, ANNA).job.id == new

    def test_what_is_open_is_not_replayed(self, house):
        with pytest.raises(Conflict, match="has not ended"):
            house.jobs.replay(house.accept(), ANNA, "req-2")

    def test_a_batch_is_replayed_with_all_items(self, house):
        items = [ordered(), ordered(type="keywords")]
        old = house.jobs.accept_batch(items, WANTED, ANNA).job
        house.jobs.cancel(old.id, ANNA)

        new = house.jobs.replay(old.id, ANNA, "req-2").job

        assert (new.kind, new.state) == ("batch", "queued")
        documents = [
            [row.document_id for row in house.rows.items(each, "anna", 10)]
            for each in (old.id, new.id)
        ]
        assert documents[0] == documents[1]
        assert len(documents[1]) == 2

    def test_an_item_is_replayed_alone(self, house):
        batch = house.jobs.accept_batch([ordered()], WANTED, ANNA).job
        house.jobs.cancel(batch.id, ANNA)
        [item] = house.jobs.items(batch.id, ANNA, 10)

        new = house.jobs.replay(item.id, ANNA, "req-2").job

        assert (new.kind, new.batch_id, new.number) == ("digest", None, None)

    def test_a_document_that_is_gone_cannot_be_replayed(self, house):
        job_id = house.accept()
        house.jobs.cancel(job_id, ANNA)
        house.intake._add = lambda *given: "document_gone"

        with pytest.raises(Conflict, match="conflicts"):
            house.jobs.replay(job_id, ANNA, "req-2")


def test_all_of_it_with_real_workflows(database_url, make_database):
    database = make_database(database_url)
    workflows = Workflows(database)
    house = WorkHouse(database, FACTS, PROSE, workflows=workflows)
    job_id = house.accept()
    batch = house.jobs.accept_batch([ordered()] * 3, WANTED, ANNA).job
    assert len(workflow_ids(workflows)) == 4

    job = house.run(job_id, step=Recorder())
    house.jobs.cancel(batch.id, ANNA)

    assert job.state == "done"
    assert json.dumps(job.result)
    assert house.jobs.find(batch.id, ANNA).counts == {"cancelled": 3}
    workflows.close()


def raising(error):
    def fail(*args):
        raise error

    return fail


def refusal(ask, job_id):
    """Return what is told to who asks for this job, but for its id."""
    with pytest.raises(NotFound) as caught:
        ask(job_id)
    return caught.value.message.replace(repr(job_id), "ID"), caught.value.details
