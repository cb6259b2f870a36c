"""Breakers in use: who is let through, and what changes that."""

import pytest
from health_scene import UNKNOWN, USED, Scene, deployment

from flaskllm.core import errors
from flaskllm.llm.health import Policy, Standing

DOWN = errors.LLMUnavailable()


def test_what_was_never_asked_stands_well():
    assert Scene().look() == Standing()


def test_five_failures_in_a_row_open_it_for_five_seconds():
    scene = Scene()

    scene.open()

    assert scene.refused() == ("cooling", 5.0)
    stood = scene.look()
    assert (stood.state, stood.failures_in_a_row) == ("open", 5)
    assert stood.obstacle.reason == "cooling"


def test_half_of_ten_outcomes_within_thirty_seconds_open_it():
    scene = Scene()
    for _ in range(4):
        scene.ask()
        scene.fail()
    scene.clock.advance(25.0)
    scene.ask()
    assert scene.look().state == "closed"

    scene.fail()

    assert scene.look().state == "open"


def test_outcomes_of_longer_ago_do_not_count():
    scene = Scene()
    for _ in range(4):
        scene.ask()
        scene.fail()
    scene.clock.advance(32.0)

    scene.ask()
    scene.fail()

    assert scene.look().state == "closed"


@pytest.mark.parametrize(
    "error",
    [
        errors.CallerGone(),
        errors.LLMInvalidRequest(),
        errors.LLMRequestRejected(),
        errors.LLMContextTooLong(),
        errors.LLMRefused(),
        errors.LLMAnswerDiffers(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_not_its_fault_never_opens_it_nor_mends_it(error):
    scene = Scene()
    scene.fail(times=4)

    scene.fail(times=20, error=error)

    stood = scene.look()
    assert (stood.state, stood.failures_in_a_row) == ("closed", 4)
    scene.fail()
    assert scene.look().state == "open"


def test_a_caller_in_a_hurry_never_opens_it():
    scene = Scene()
    for _ in range(20):
        visit = scene.visit()
        visit.end(errors.LLMTimeout(), UNKNOWN, 0.1, is_callers_fault=True)

    assert scene.look() == Standing()


def test_afterwards_one_attempt_is_the_probe_and_the_others_wait():
    scene = Scene()
    scene.open()
    scene.clock.advance(5.0)
    assert scene.look().state == "half_open"
    assert scene.look().obstacle is None

    scene.visit()

    assert scene.refused() == ("cooling", 1.0)
    assert scene.look().obstacle.reason == "cooling"


def test_a_probes_whole_answer_closes_it():
    scene = Scene()
    scene.open()
    scene.clock.advance(5.0)

    scene.ask()

    stood = scene.look()
    assert (stood.state, stood.failures_in_a_row) == ("closed", 0)


def test_a_probes_first_token_closes_it_for_all():
    scene = Scene()
    scene.open()
    scene.clock.advance(5.0)
    probe = scene.visit(streams=True)

    probe.first_token(0.3)

    assert scene.look().state == "closed"
    scene.visit()
    probe.end(None, USED, 3.0)
    assert scene.look().failures_in_a_row == 0


def test_a_probe_that_breaks_off_after_its_first_token_opens_it_for_longer():
    scene = Scene()
    scene.open()
    scene.clock.advance(5.0)
    probe = scene.visit(streams=True)
    probe.first_token(0.3)

    probe.end(errors.LLMProtocolError(), UNKNOWN, 3.0)

    assert scene.refused() == ("cooling", 10.0)


def test_a_failing_probe_opens_it_for_longer_up_to_twenty_seconds():
    scene = Scene()
    scene.open()
    waits = []
    for _ in range(4):
        scene.clock.advance(30.0)
        scene.fail()
        waits.append(round(scene.refused()[1], 2))

    assert waits == [10.0, 16.67, 16.67, 16.67]


def test_a_probe_that_says_nothing_leaves_its_turn_to_the_next():
    scene = Scene()
    scene.open()
    scene.clock.advance(5.0)

    scene.fail(error=errors.CallerGone())

    assert scene.look().state == "half_open"
    scene.visit()


def test_what_began_before_it_opened_says_nothing_any_more():
    scene = Scene()
    early, late = scene.visit(), scene.visit(streams=True)
    scene.open()

    early.end(None, USED, 9.0)
    late.first_token(8.0)
    late.end(DOWN, UNKNOWN, 9.0)

    assert scene.refused() == ("cooling", 5.0)
    assert scene.look().failures_in_a_row == 5


def test_a_late_failure_from_before_does_not_open_what_has_recovered():
    scene = Scene(policy=Policy(failures_in_a_row=1))
    early = scene.visit()
    scene.fail()
    scene.clock.advance(5.0)
    scene.ask()

    early.end(errors.LLMTimeout(), UNKNOWN, 10.0)

    assert scene.look().state == "closed"


def test_old_failures_do_not_open_again_what_has_recovered():
    scene = Scene()
    scene.fail(times=5)
    scene.clock.advance(5.0)
    scene.ask()
    for _ in range(6):
        scene.ask()

    scene.fail()

    assert scene.look().state == "closed"


def test_as_a_last_resort_one_at_a_time_is_let_through_an_open_one():
    scene = Scene()
    scene.open()

    last = scene.visit(as_last_resort=True)

    assert scene.refused(as_last_resort=True) == ("cooling", 5.0)
    last.end(None, USED, 1.0)
    assert scene.look().state == "closed"


def test_a_last_resort_that_fails_opens_it_for_longer():
    scene = Scene()
    scene.open()
    scene.clock.advance(1.0)

    scene.ask(error=DOWN, usage=UNKNOWN, as_last_resort=True)

    assert scene.refused() == ("cooling", 10.0)


def test_a_last_resort_is_not_for_what_is_limited():
    scene = Scene()
    scene.fail(error=errors.LLMRateLimited(retry_after_seconds=3.0))

    assert scene.refused(as_last_resort=True) == ("limited", 3.0)


def test_a_429_is_no_failure_and_is_waited_for():
    scene = Scene()
    for _ in range(20):
        scene.fail(error=errors.LLMRateLimited(retry_after_seconds=2.0))
        assert scene.refused() == ("limited", 2.0)
        scene.clock.advance(2.0)

    stood = scene.look()
    assert (stood.state, stood.failures_in_a_row) == ("closed", 0)


def test_a_whole_answer_begins_the_unsaid_waits_anew():
    scene = Scene()
    for wait_seconds in (1.0, 2.0):
        scene.fail(error=errors.LLMRateLimited())
        assert scene.refused() == ("limited", wait_seconds)
        scene.clock.advance(wait_seconds)

    scene.ask()

    scene.fail(error=errors.LLMRateLimited())
    assert scene.refused() == ("limited", 1.0)


def test_deployments_stand_for_themselves():
    scene = Scene(deployment("a"), deployment("b"))

    scene.open("a")

    assert scene.look("b") == Standing()


def test_what_an_operator_opened_is_not_asked():
    scene = Scene()

    scene.health.override({"a": "open"})

    assert scene.refused(as_last_resort=True) == ("disabled", None)
    stood = scene.look()
    assert (stood.state, stood.is_overridden) == ("open", True)
    scene.health.override({})
    scene.visit()


def test_what_an_operator_closed_is_asked_whatever_its_breaker_says():
    scene = Scene()
    scene.open()

    scene.health.override({"a": "closed"})

    first, second = scene.visit(), scene.visit()
    assert scene.look().state == "closed"
    first.end(DOWN, UNKNOWN, 1.0)
    second.end(DOWN, UNKNOWN, 1.0)
    scene.health.override({})
    assert scene.refused() == ("cooling", 10.0)


def test_the_breaker_learns_while_an_operator_decides():
    scene = Scene()
    scene.open()
    scene.health.override({"a": "closed"})

    scene.ask()

    scene.health.override({})
    stood = scene.look()
    assert (stood.state, stood.failures_in_a_row) == ("closed", 0)


def test_limits_hold_for_what_an_operator_closed():
    scene = Scene()
    scene.health.override({"a": "closed"})

    scene.fail(error=errors.LLMRateLimited(retry_after_seconds=3.0))

    assert scene.refused() == ("limited", 3.0)
