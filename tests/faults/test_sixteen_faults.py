"""Sixteen faults of a primary, and what its caller notices of them: nothing.

The scenes run side by side (`fault_stage`), each judged here from both ends: what the
caller got, and what the two upstreams saw. Everything stands at its default.
"""

import itertools
import json

import pytest
from fault_scenes import (
    BACK_WITHIN_SECONDS,
    OUTAGE,
    PRIMARY_MODEL,
    SCENES,
    SHOWN,
    SPARE_MODEL,
    TEXT,
)

pytestmark = pytest.mark.timeout(240)

RESCUED = ("cut", "stalled", "malformed", "no-prefill")


def is_whole(call):
    """Tell whether this is the whole answer, once, with a good end."""
    return call.status == 200 and call.is_whole and call.heard.text.strip() == TEXT


def outcomes(record):
    """Return the usage rows: who was asked, and how that ended."""
    return [(row["deployment"], row["outcome"]) for row in record.rows]


@pytest.mark.parametrize("name", [n for n in SCENES if n != "against-policy"])
def test_the_caller_has_the_whole_answer(record_of, name):
    record = record_of(name)

    assert [call for call in record.calls if not is_whole(call)] == []


@pytest.mark.parametrize("name", SCENES)
def test_at_most_three_attempts_are_made_and_each_has_its_usage_row(record_of, name):
    record = record_of(name)

    seen = len(record.primary) + len(record.spare)
    assert seen <= 3 * len(record.calls)
    if name != OUTAGE:  # there, some attempts found nobody who could count them
        assert len(record.rows) == seen


@pytest.mark.parametrize("name", SCENES)
def test_each_usage_row_says_why_it_was_that_deployments_turn(record_of, name):
    record = record_of(name)

    assert [row for row in record.rows if not row["decision"]] == []
    decisions = {row["decision"] for row in record.rows}
    assert {call.headers["x-flaskllm-decision"] for call in record.calls} <= decisions


def test_a_rate_limit_with_a_short_hint_is_waited_for(record_of):
    record = record_of("limited-once")

    first, second = record.primary
    assert second.asked_at - first.asked_at >= 2.0
    assert record.spare == ()
    assert record.call.model == PRIMARY_MODEL


def test_a_rate_limit_that_stays_is_left_for_the_other_model(record_of):
    record = record_of("limited-for-ever")

    moments = [each.asked_at for each in record.primary]
    pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert len(record.primary) <= 2
    assert all(pause >= 2.0 for pause in pauses)
    assert len(record.spare) == 1
    assert record.call.model == SPARE_MODEL


def test_a_server_error_is_tried_once_more_at_the_same_place(record_of):
    record = record_of("fails-once")

    assert (len(record.primary), len(record.spare)) == (2, 0)
    assert record.call.model == PRIMARY_MODEL


def test_an_upstream_that_is_not_available_is_left_at_once(record_of):
    record = record_of("unavailable-for-ever")

    assert (len(record.primary), len(record.spare)) == (1, 1)
    assert record.call.model == SPARE_MODEL


def test_a_connection_that_is_reset_is_tried_once_more_then_left(record_of):
    record = record_of("reset-before-headers")

    assert (len(record.primary), len(record.spare)) == (2, 1)
    assert record.call.model == SPARE_MODEL


def test_a_silent_upstream_is_left_after_its_time_and_asked_once(record_of):
    record = record_of("silent")

    (asked,) = record.primary
    assert asked.seconds < 15.0
    assert len(record.spare) == 1


def test_a_late_first_token_is_not_waited_for(record_of):
    record = record_of("late-token")

    (asked,) = record.primary
    assert record.call.seconds < 15.0
    assert asked.seconds < 15.0
    assert not asked.was_told
    assert len(record.spare) == 1


@pytest.mark.parametrize("name", RESCUED)
def test_a_stream_that_broke_off_is_finished_by_the_other_model(record_of, name):
    record = record_of(name)

    assert (len(record.primary), len(record.spare)) == (1, 1)
    (first, _), (second, last) = outcomes(record)
    assert (first, second, last) == (name, f"{name}-spare", "OK")
    assert record.rows[0]["outcome"] != "OK"


@pytest.mark.parametrize("name", RESCUED)
def test_the_seam_is_told_and_both_attempts_are_counted(record_of, name):
    record = record_of(name)

    (seam,) = [e["flaskllm"]["rescue"] for e in record.call.chunks if "flaskllm" in e]
    first, second = record.rows
    assert seam == {
        "from": name,
        "to": f"{name}-spare",
        "at_character": len(SHOWN),
        "code": first["outcome"],
        "mode": "match",
    }
    told = record.call.usage
    both = ("prompt_tokens", "input_uncached"), ("completion_tokens", "output_text")
    for field, column in both:
        assert told[field] == first[column] + second[column]
    assert (first["usage_source"], second["usage_source"]) == ("estimated", "provider")


def test_a_stalled_upstream_is_hung_up_on_and_meanwhile_the_caller_has_pings(
    record_of,
):
    record = record_of("stalled")

    (asked,) = record.primary
    assert asked.seconds < 20.0
    assert record.call.body.count(": ping\n") >= 2


def test_a_missing_end_mark_is_no_fault_after_the_finish(record_of):
    record = record_of("no-end-mark")

    assert (len(record.primary), len(record.spare)) == (1, 0)
    assert outcomes(record) == [("no-end-mark", "OK")]


def test_an_input_that_is_too_long_goes_to_a_longer_window(record_of):
    record = record_of("too-long")

    assert (len(record.primary), len(record.spare)) == (1, 1)
    assert outcomes(record)[0] == ("too-long", "LLM_CONTEXT_TOO_LONG")
    assert record.call.model == SPARE_MODEL


def test_a_refusal_for_policy_is_passed_through_and_asked_nowhere_else(record_of):
    record = record_of("against-policy")

    assert (len(record.primary), len(record.spare)) == (1, 0)
    assert record.call.status == 400
    assert json.loads(record.call.body)["error"]["code"] == "content_filter"
    assert outcomes(record) == [("against-policy", "LLM_REFUSED")]


def test_a_fallback_that_refuses_prefill_is_never_asked_for_it(record_of):
    record = record_of("no-prefill")

    assert [each.last_role for each in record.spare] == ["user"]


def test_a_primary_that_was_down_is_back_soon_after(record_of):
    record = record_of(OUTAGE)

    by = {model: [] for model in (PRIMARY_MODEL, SPARE_MODEL)}
    for call in record.calls:
        by[call.model].append(call.asked_at)
    assert min(by[SPARE_MODEL]) < record.healthy_at
    back_at = min(by[PRIMARY_MODEL])
    assert record.healthy_at < back_at < record.healthy_at + BACK_WITHIN_SECONDS
    assert max(by[SPARE_MODEL]) < back_at


def test_a_primary_that_is_down_is_mostly_left_alone(record_of):
    failed = [each for each in outcomes(record_of(OUTAGE)) if each[1] != "OK"]

    assert set(failed) == {(OUTAGE, "LLM_UNAVAILABLE")}
    assert len(failed) <= 5 + 3  # those that open the breaker, and the probes


class TestAccounting:
    def test_a_failed_attempt_has_its_row_and_no_tokens(self, record_of):
        failed, answered = record_of("accounted").rows

        assert (failed["attempt"], answered["attempt"]) == (1, 2)
        assert failed["outcome"] == "LLM_UNAVAILABLE"
        assert failed["usage_source"] == "none"
        assert failed["input_uncached"] == failed["output_text"] == 0

    def test_the_answer_has_the_tokens_that_its_upstream_counted(self, record_of):
        record = record_of("accounted")

        answered = record.rows[1]
        assert answered["outcome"] == "OK"
        assert answered["usage_source"] == "provider"
        told = record.call.usage
        assert answered["input_uncached"] == told["prompt_tokens"] == 12
        assert answered["output_text"] == told["completion_tokens"] > 0

    def test_the_metrics_say_the_same(self, record_of):
        record = record_of("accounted")

        said = {
            name: value
            for name, value in record.metrics.items()
            if name.startswith(("flaskllm_attempts_", "flaskllm_tokens_"))
        }
        tokens = record.rows[1]["output_text"]
        assert said == {
            "flaskllm_attempts_total{code=LLM_UNAVAILABLE,deployment=accounted,"
            "provider=accounted}": 1.0,
            "flaskllm_attempts_total{code=OK,deployment=accounted-spare,"
            "provider=accounted-spare}": 1.0,
            "flaskllm_tokens_total{deployment=accounted-spare,kind=input_uncached}": 12,
            "flaskllm_tokens_total{deployment=accounted-spare,kind=output_text}": (
                tokens
            ),
        }


def test_the_gateway_logged_no_traceback(records):
    assert "Traceback" not in records.log()
