"""A job is done once: what was paid is kept, what failed comes back or is told."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
from job_runs_scene import (
    ANNA,
    COST_NANOS,
    FACTS,
    PROSE,
    Recorder,
)

from flaskllm.core.auth import BOOTSTRAP
from flaskllm.core.errors import (
    LLMUnavailable,
    ServiceUnavailable,
)

DOWN = LLMUnavailable(details="Nobody listens there.")


def unavailable(_):
    raise ServiceUnavailable()


class TestAnswers:
    def test_a_job_brings_what_the_webhook_would_have_answered(self, open_house):
        house = open_house(FACTS, PROSE)
        job_id = house.accept(metadata={"ticket": 7}, warnings=("`x` is unknown",))

        job = house.run(job_id)

        assert (job.state, job.attempt, job.error) == ("done", 1, None)
        data, meta = job.result["data"], job.result["meta"]
        assert data["digest"]["action_items"][0]["due"] == "2026-01-09"
        assert data["text"].startswith("The invoice must be paid.")
        assert meta["request_id"] == "req-accepted"
        assert meta["cost"] == pytest.approx(2 * COST_NANOS / 1e9)
        assert meta["metadata"] == {"ticket": 7}
        assert meta["warnings"][-1] == "`x` is unknown"
        assert job.cost_nanos == 2 * COST_NANOS
        assert house.writer.flushes == 1

    def test_the_request_that_brought_it_is_told_to_the_log(self, open_house):
        house = open_house()
        runs = replace(house.runs, rows=SimpleNamespace(request_id=unavailable))

        assert house.runs.request_id(house.accept()) == "req-accepted"
        assert house.runs.request_id("job_unknown") is None
        assert runs.request_id("job_1") is None  # the work goes on without

    def test_who_is_told_reads_the_same(self, open_house):
        house = open_house(FACTS, PROSE)
        job_id = house.accept()

        job = house.run(job_id)

        [(told, _)] = house.told
        assert json.loads(told.result) == job.result

    def test_tomorrow_counts_from_when_the_document_arrived(self, open_house):
        text = {"media_type": None, "content": b"Ben: Please pay it tomorrow."}
        quote = {"quote": "Please pay it tomorrow.", "part": "p1"}
        item = {"task": "Pay it", "due_text": "tomorrow", "evidence": quote}
        house = open_house({"action_items": [item]})
        job_id = house.accept(type="action_items", **text)

        house.clock.advance(3 * 86_400 / 4)
        job = house.run(job_id)

        [found] = job.result["data"]["digest"]["action_items"]
        assert found["due"] == "2026-01-06"

    def test_the_money_is_the_sender_s(self, open_house):
        house = open_house(FACTS, PROSE)
        house.run(house.accept())

        reservation = house.writer.reserved[0]
        assert (reservation.principal_id, reservation.request_id) == (
            "anna",
            "req-accepted",
        )
        assert reservation.described.source == "webhook:email"

    def test_the_api_token_of_the_settings_may_have_jobs(self, open_house):
        house = open_house(FACTS, PROSE)
        job_id = house.accept(BOOTSTRAP)

        house.runs.run(job_id, 1, Recorder())

        assert house.jobs.find(job_id, BOOTSTRAP).state == "done"

    def test_no_content_comes_into_the_record_of_steps(self, open_house):
        house, returned = open_house(FACTS, PROSE), []

        def step(name, function):
            returned.append((name, function()))

        house.run(house.accept(), step=step)

        assert returned == [("facts", "facts"), ("prose", "prose")]


class TestPayingOnce:
    def test_a_later_attempt_does_not_pay_for_what_is_there(self, open_house):
        house = open_house(FACTS, DOWN, PROSE)
        job_id = house.accept()
        job = house.run(job_id)
        assert (job.state, job.cost_nanos) == ("queued", COST_NANOS)

        job = house.run(job_id, attempt=2)

        assert (job.state, job.attempt) == ("done", 2)
        assert len(house.router.asked) == 3
        assert job.cost_nanos == 2 * COST_NANOS
        assert job.result["meta"]["cost"] == pytest.approx(2 * COST_NANOS / 1e9)

    def test_what_a_failed_attempt_paid_counts(self, open_house):
        # The repair of an answer fails: its first call was paid.
        house = open_house("no json", DOWN, FACTS, PROSE)
        job_id = house.accept()
        house.run(job_id)

        job = house.run(job_id, attempt=2)

        assert job.cost_nanos == 3 * COST_NANOS

    def test_who_takes_a_job_over_goes_on_after_its_last_step(self, open_house):
        house = open_house(FACTS, KeyboardInterrupt, PROSE)
        house.router.script[1] = killed
        job_id = house.accept()
        with pytest.raises(KeyboardInterrupt):
            house.run(job_id)

        job = house.run(job_id, step=Recorder("facts"))

        assert (job.state, job.attempt) == ("done", 1)
        assert len(house.router.asked) == 3

    def test_a_record_without_an_outcome_is_no_outcome(self, open_house):
        house = open_house(FACTS, PROSE)

        job = house.run(house.accept(), step=Recorder("facts", "prose"))

        assert job.state == "done"
        assert len(house.router.asked) == 2

    def test_a_step_that_failed_is_not_done_again_because_it_cannot_be_recorded(
        self, open_house
    ):
        def record(_name, function):
            function()
            return function()

        house = open_house(DOWN)

        house.run(house.accept(), step=record)

        assert len(house.router.asked) == 1

    def test_what_was_paid_is_kept_as_soon_as_the_store_works(self, open_house):
        house = open_house(FACTS, PROSE)
        save, failures = house.taken.save_step, [locked(), locked()]

        def fail_first(*step):
            if failures:
                raise failures.pop()
            return save(*step)

        house.taken.save_step = fail_first

        job = house.run(house.accept())

        assert job.state == "done"
        assert len(house.router.asked) == 2
        assert house.clock.slept == [0.2, 0.5]

    def test_a_store_that_will_not_work_is_told_after_a_while(self, open_house):
        house = open_house(FACTS)
        house.taken.save_step = raising(ServiceUnavailable())

        job = house.run(house.accept())

        assert job.state == "queued"
        assert len(house.clock.slept) == 6

    def test_an_end_that_cannot_be_written_leaves_the_job_to_be_run_again(
        self, open_house
    ):
        house = open_house(FACTS, PROSE)
        job_id = house.accept()
        finish, house.endings.finish = house.endings.finish, raising(locked())
        with pytest.raises(ServiceUnavailable):
            house.run(job_id)

        house.endings.finish = finish
        job = house.run(job_id)

        assert job.state == "done"
        assert len(house.router.asked) == 2


class TestLosing:
    def test_nothing_is_asked_once_the_job_is_cancelled(self, open_house):
        house = open_house(FACTS, PROSE)
        job_id = house.accept()
        house.router.script[0] = then(lambda: house.jobs.cancel(job_id, ANNA), FACTS)

        job = house.run(job_id)

        assert (job.state, job.result) == ("cancelled", None)
        assert len(house.router.asked) == 1
        assert house.told[0][0].state == "cancelled"

    def test_a_repair_is_not_asked_for_either(self, open_house):
        house = open_house("no json", FACTS)
        job_id = house.accept()
        house.router.script[0] = then(
            lambda: house.jobs.cancel(job_id, ANNA), "no json"
        )

        job = house.run(job_id)

        assert job.state == "cancelled"
        assert house.router.script == [FACTS]

    def test_who_was_overtaken_writes_nothing(self, open_house):
        house = open_house(FACTS, FACTS, PROSE)
        job_id = house.accept()

        def overtake():
            house.runs.run(job_id, 1, Recorder())
            return FACTS

        house.router.script[0] = overtake
        job = house.run(job_id)

        assert (job.state, job.cost_nanos) == ("done", 2 * COST_NANOS)
        assert len(house.told) == 1

    def test_no_step_is_begun_once_the_job_is_cancelled(self, open_house):
        house = open_house(FACTS, PROSE)
        job_id = house.accept()

        def step(name, function):
            if name == "prose":
                house.jobs.cancel(job_id, ANNA)
            return function()

        assert house.run(job_id, step=step).state == "cancelled"
        assert len(house.router.asked) == 1

    def test_an_attempt_that_is_over_is_not_made_again(self, open_house):
        house = open_house(DOWN)
        job_id = house.accept()
        house.run(job_id)

        assert house.run(job_id).state == "queued"
        assert len(house.router.asked) == 1


def locked():
    return ServiceUnavailable(retry_after_seconds=1.0)


def killed():
    raise KeyboardInterrupt


def raising(error):
    def fail(*args, **options):
        raise error

    return fail


def then(act, line):
    def answer():
        act()
        return line

    return answer
