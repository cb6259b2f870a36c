"""What becomes of jobs that fail, are limited, or belong to a batch."""

import json

import pytest
from job_runs_scene import ANNA, FACTS, MAIL, PROSE, Record, Recorder, ordered
from log_lines import ours

from flaskllm.core.errors import (
    BudgetExceeded,
    InvalidInputError,
    LLMRefused,
    LLMUnavailable,
    RateLimitExceeded,
)
from flaskllm.services.jobs.wanted import Wanted

DOWN = LLMUnavailable(details="Nobody listens there.")


class TestFailing:
    @pytest.mark.parametrize(
        "error",
        [
            LLMRefused(),
            BudgetExceeded(details="0.10 of 0.10 US dollars."),
            InvalidInputError.of("model", "is unknown"),
        ],
        ids=lambda error: error.code,
    )
    def test_what_would_fail_again_is_failed_and_told(self, open_house, error):
        house = open_house(error)

        job = house.run(house.accept())

        assert (job.state, job.error_code) == ("failed", error.code)
        assert job.error["code"] == error.code
        assert job.error["error"] == error.message
        assert job.error.get("fields", []) == [
            {"path": each.path, "problem": each.problem, "allowed": each.allowed}
            for each in error.fields
        ]
        assert [told.state for told, _ in house.told] == ["failed"]

    def test_what_may_pass_comes_back_and_dies_in_the_end(self, open_house):
        house = open_house(*[DOWN] * 6)
        job_id = house.accept()

        states = [house.run(job_id, attempt).state for attempt in range(1, 7)]

        assert states == [*["queued"] * 5, "dead"]
        waits = [start.delay_seconds for start in house.workflows.started[1:]]
        assert waits == [10.0, 60.0, 300.0, 900.0, 3600.0]
        job = house.jobs.find(job_id, ANNA)
        assert job.error["details"] == DOWN.details
        assert len(house.told) == 1

    def test_one_that_was_put_off_says_why_until_it_is_done(self, open_house, caplog):
        caplog.set_level("INFO")
        house = open_house(DOWN, FACTS, PROSE)
        job_id = house.accept()

        waiting = house.run(job_id)
        listed = house.jobs.page(ANNA, "queued", 10)
        done = house.run(job_id, 2)

        assert (waiting.state, waiting.error_code) == ("queued", DOWN.code)
        assert [each.error_code for each in listed] == [DOWN.code]
        assert waiting.error is None
        assert (done.state, done.error_code) == ("done", None)
        [line] = [e for e in ours(caplog) if e.getMessage() == "job_put_off"]
        assert line.fields["code"] == DOWN.code
        assert line.fields["next_in_seconds"] == 10.0

    def test_a_job_is_never_put_off_past_its_deadline(self, open_house):
        house = open_house(DOWN)
        wanted = Wanted("webhook", "req-1", deadline_seconds=9.0)

        job = house.run(house.accept(wanted=wanted))

        assert (job.state, job.error_code) == ("dead", DOWN.code)

    def test_what_is_begun_after_its_deadline_is_dead_and_costs_nothing(
        self, open_house
    ):
        house = open_house()
        wanted = Wanted("webhook", "req-1", deadline_seconds=9.0)
        job_id = house.accept(wanted=wanted)
        house.clock.advance(9.0)

        job = house.run(job_id)

        assert (job.state, job.error_code) == ("dead", "SERVICE_UNAVAILABLE")
        assert house.router.asked == []

    def test_a_call_ends_with_the_job_s_deadline(self, open_house):
        house = open_house(FACTS, PROSE)
        wanted = Wanted("webhook", "req-1", deadline_seconds=50.0)

        house.run(house.accept(wanted=wanted))

        held = house.writer.reserved[0]
        left = held.expires_at - held.created_at
        assert left.total_seconds() == 50.0 + 60.0

    @pytest.mark.parametrize(
        ("record", "why"),
        [
            (Record(ANNA, "revoked"), "was revoked"),
            (Record(ANNA, "expired"), "has expired"),
            (None, "is not there any more"),
        ],
    )
    def test_an_api_token_that_ended_has_nothing_done(self, open_house, record, why):
        house = open_house()
        job_id = house.accept()
        house.tokens.records["anna"] = record

        job = house.run(job_id)

        assert (job.state, job.error_code) == ("failed", "PERMISSION_DENIED")
        assert why in job.error["details"]
        assert house.router.asked == []

    def test_a_document_that_is_gone_fails_the_job(self, open_house):
        house = open_house()
        job_id = house.accept()
        house.taken.document = lambda document_id: None

        job = house.run(job_id)

        assert (job.state, job.error_code) == ("failed", "INTERNAL_ERROR")

    def test_a_fault_of_ours_fails_the_job_and_shows_nothing(self, open_house):
        house = open_house(ZeroDivisionError("a word of the mail"))

        job = house.run(house.accept())

        assert (job.state, job.error_code) == ("failed", "INTERNAL_ERROR")
        assert "a word" not in json.dumps(job.error)


class TestLimits:
    def test_a_full_limit_is_waited_for(self, open_house):
        house = open_house(limited(2.0), limited(3.0), FACTS, PROSE)

        job = house.run(house.accept())

        assert job.state == "done"
        assert house.clock.slept == [2.0, 3.0]

    def test_one_that_stays_full_is_no_failure(self, open_house):
        house = open_house(limited(20.0), limited(20.0))

        job = house.run(house.accept())

        assert (job.state, job.error_code) == ("queued", "RATE_LIMIT_EXCEEDED")
        assert house.clock.slept == [20.0]
        assert house.rows.find(job.id, "anna").failures == 0
        assert house.workflows.started[-1].delay_seconds == 20.0


class TestBatches:
    def test_items_fail_alone_and_the_batch_is_told_once(self, open_house):
        house = open_house(LLMRefused(), FACTS, PROSE)
        items = [ordered(), ordered(content=MAIL + b"P.S. Thanks.")]
        batch = house.jobs.accept_batch(items, Wanted("batch", "req-1"), ANNA).job

        for item in house.jobs.items(batch.id, ANNA, 10):
            house.runs.run(item.id, 1, Recorder())

        shown = house.jobs.find(batch.id, ANNA)
        assert (shown.state, shown.counts) == ("done", {"failed": 1, "done": 1})
        first, second = house.jobs.items(batch.id, ANNA, 10)
        assert first.error["code"] == "LLM_REFUSED"
        assert second.result["data"]["type"] == "summary"
        assert [told.id for told, _ in house.told] == [batch.id]


def limited(seconds):
    return RateLimitExceeded(retry_after_seconds=seconds)
