"""How much is asked of a deployment: its own limits, repeats, and who waits."""

import pytest
from health_scene import UNKNOWN, USED, Scene, deployment
from hypothesis import given, settings
from hypothesis import strategies as st

from flaskllm.core.errors import LLMUnavailable
from flaskllm.llm.health import Policy, Visit
from flaskllm.llm.terms import Limits


def limited(**limits):
    return Scene(deployment(limits=Limits(**limits)))


def test_no_more_requests_are_made_than_a_minute_may_hold():
    scene = limited(requests_per_minute=2)
    scene.ask()
    scene.clock.advance(10.0)
    scene.ask()

    assert scene.refused() == ("limited", 51.0)
    assert scene.look().obstacle is not None
    scene.clock.advance(51.0)
    scene.ask()
    assert scene.refused() == ("limited", 10.0)


def test_tokens_are_reserved_by_their_estimate():
    scene = limited(tokens_per_minute=1000)

    scene.visit(tokens=600)

    assert scene.refused(tokens=401) == ("limited", 61.0)
    scene.visit(tokens=400)


def test_what_was_reserved_too_much_is_given_back_when_it_is_known():
    scene = limited(tokens_per_minute=1000)

    scene.ask(tokens=1000, usage=USED)

    assert scene.look().headroom == pytest.approx(0.9)
    scene.visit(tokens=900)


def test_what_was_reserved_too_little_counts_from_then_on():
    scene = limited(tokens_per_minute=1000)
    visit = scene.visit(tokens=10)
    scene.clock.advance(50.0)

    visit.end(None, USED, 50.0)

    assert scene.look().headroom == pytest.approx(0.9)
    scene.clock.advance(50.0)
    assert scene.look().headroom == pytest.approx(0.91)


def test_where_nobody_counted_the_estimate_stays():
    scene = limited(tokens_per_minute=1000)

    scene.ask(tokens=400, error=LLMUnavailable(), usage=UNKNOWN)

    assert scene.look().headroom == pytest.approx(0.6)


def test_what_was_estimated_well_is_left_as_it_is():
    scene = limited(tokens_per_minute=1000)

    scene.ask(tokens=100, usage=USED)

    assert scene.look().headroom == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("limits", "tokens"),
    [
        ({"tokens_per_minute": 10}, 11),
        ({"tokens_per_minute": 10, "requests_per_minute": 5}, 11),
        ({"requests_per_minute": 0}, 1),
    ],
)
def test_what_fits_into_no_minute_is_refused_without_a_time(limits, tokens):
    assert limited(**limits).refused(tokens=tokens) == ("limited", None)


def test_the_scarcer_limit_is_the_headroom():
    scene = limited(requests_per_minute=10, tokens_per_minute=1000)

    scene.visit(tokens=500)

    assert scene.look().headroom == 0.5
    scene.ask(tokens=1, usage=UNKNOWN)
    assert scene.look().headroom == pytest.approx(0.499)


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(0.0, 9.0), st.integers(0, 40)), max_size=80))
def test_no_minute_ever_holds_more_than_both_limits(calls):
    scene = limited(requests_per_minute=7, tokens_per_minute=100)
    made = []
    for passed_seconds, tokens in calls:
        scene.clock.advance(passed_seconds)
        now = scene.clock.monotonic()
        if isinstance(scene.enter(tokens=tokens), Visit):
            made.append((now, tokens))

        within = [size for at, size in made if now - at <= 60.0]
        assert len(within) <= 7
        assert sum(within) <= 100


def test_no_more_are_under_way_than_may_be():
    scene = limited(concurrent_requests=2)
    first = scene.visit()
    scene.visit()

    assert scene.refused() == ("busy", 1.0)
    assert scene.look().in_flight == 2
    first.end(None, USED, 1.0)
    scene.visit()


def test_an_end_told_twice_frees_one_place():
    scene = limited(concurrent_requests=2)
    first = scene.visit()
    scene.visit()

    first.end(None, USED, 1.0)
    first.end(None, USED, 1.0)

    scene.visit()
    assert scene.refused() == ("busy", 1.0)


def test_only_so_many_may_wait_for_a_first_byte():
    scene = Scene(deployment("a"), deployment("b"), policy=Policy(waiting_most=2))
    whole, streamed = scene.visit(), scene.visit(streams=True)
    assert scene.refused() == ("busy", None)
    scene.visit("b")

    whole.heed({})

    scene.visit()
    scene.clock.advance(2.1)
    assert scene.refused() == ("busy", None)
    streamed.heed({})
    scene.clock.advance(2.1)
    assert scene.refused() == ("busy", None)
    streamed.first_token(0.5)
    scene.visit()
    assert scene.look().in_flight == 4


def test_who_waited_to_no_end_does_not_wait_any_more():
    scene = Scene(policy=Policy(waiting_most=1))

    scene.fail(times=2)

    scene.visit()


def test_one_that_was_heard_of_lately_may_have_more_waiting():
    scene = Scene(policy=Policy(waiting_most=1))
    first = scene.visit()
    scene.clock.advance(0.5)
    first.heed({})
    scene.visit()
    scene.clock.advance(1.4)

    scene.visit()

    scene.clock.advance(0.1)
    assert scene.refused()[0] == "busy"


def test_three_repeats_in_ten_seconds_are_always_allowed():
    scene = Scene()
    scene.ask()
    for _ in range(3):
        scene.ask(is_repeat=True)

    reason, seconds = scene.refused(is_repeat=True)

    assert (reason, seconds) == ("busy", 11.0)
    scene.ask()
    scene.clock.advance(11.0)
    scene.ask(is_repeat=True)


def test_who_looks_before_a_repeat_sees_the_budget():
    scene = Scene()
    for _ in range(3):
        scene.ask(is_repeat=True)
    asked = scene.deployments["a"]

    seen = scene.health.look(asked, is_repeat=True).obstacle

    assert (seen.reason, seen.seconds) == ("busy", 11.0)
    assert scene.health.look(asked).obstacle is None


def test_of_many_first_attempts_a_tenth_may_be_repeated():
    scene = Scene()
    made = 0
    for _ in range(200):
        scene.ask()
        if isinstance(visit := scene.enter(is_repeat=True), Visit):
            visit.end(None, USED, 1.0)
            made += 1

    assert made == 20


def test_what_was_repeated_in_advance_is_earned_back_first():
    scene = Scene()
    for _ in range(3):
        scene.ask()
        scene.ask(is_repeat=True)
    made = 3
    for _ in range(97):
        scene.ask()
        if isinstance(visit := scene.enter(is_repeat=True), Visit):
            visit.end(None, USED, 1.0)
            made += 1

    assert made == 10


def test_each_deployment_has_its_own_budget():
    scene = Scene(deployment("a"), deployment("b"))
    for _ in range(3):
        scene.ask(is_repeat=True)

    scene.ask("b", is_repeat=True)

    assert scene.refused(is_repeat=True)[0] == "busy"


def test_where_no_repeat_is_ever_allowed_the_wait_is_the_window():
    scene = Scene(policy=Policy(fewest_repeats=0, repeats_share=0.0))

    assert scene.refused(is_repeat=True) == ("busy", 10.0)
