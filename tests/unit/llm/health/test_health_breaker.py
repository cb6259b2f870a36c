"""The breaker as a pure state machine."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.llm.health.breaker import CLOSED, Breaker, Weather, after
from flaskllm.llm.health.policy import Policy, growing_seconds

POLICY = Policy()
NOW = Weather(now_seconds=100.0)
OPEN = Breaker(until_seconds=105.0, failures_in_a_row=5, openings=1, era=1)


def run(breaker, *steps, weather=NOW, policy=POLICY):
    for step in steps:
        breaker = after(breaker, step, weather, policy)
    return breaker


def test_five_failures_in_a_row_open_it_and_four_do_not():
    assert run(CLOSED, *["failed"] * 4).state(100.0) == "closed"
    assert run(CLOSED, *["failed"] * 5) == OPEN


def test_a_whole_answer_in_between_begins_the_row_anew():
    breaker = run(CLOSED, *["failed"] * 4, "succeeded", *["failed"] * 4)

    assert breaker.failures_in_a_row == 4
    assert breaker.state(100.0) == "closed"


def test_a_first_token_in_between_does_not():
    breaker = run(CLOSED, *["failed"] * 4, "began", "failed")

    assert breaker.state(100.0) == "open"


@pytest.mark.parametrize(
    ("outcomes", "failures", "state"),
    [(9, 9, "closed"), (10, 4, "closed"), (10, 5, "open"), (11, 5, "closed")],
)
def test_half_of_at_least_ten_outcomes_open_it(outcomes, failures, state):
    weather = replace(NOW, outcomes=outcomes, failures=failures)

    assert run(CLOSED, "failed", weather=weather).state(100.0) == state


def test_it_is_half_open_when_its_time_is_over():
    assert OPEN.state(104.999) == "open"
    assert OPEN.state(105.0) == "half_open"


def test_a_failing_probe_opens_it_again_for_twice_as_long():
    again = run(OPEN, "failed", weather=Weather(106.0))

    assert again.until_seconds == 116.0
    assert again.era == OPEN.era + 1


def test_a_probe_that_gives_the_whole_answer_takes_everything_back():
    assert run(OPEN, "succeeded") == Breaker(era=2)


def test_one_that_always_breaks_off_after_its_first_token_opens_it_for_longer():
    breaker = run(OPEN, "began")
    assert breaker.state(100.0) == "closed"

    breaker = run(breaker, "failed")

    assert breaker.until_seconds == 110.0


def test_an_upstream_that_was_found_down_opens_it_at_once():
    assert run(CLOSED, "down").until_seconds == 105.0
    assert run(CLOSED, "down").failures_in_a_row == 0


def test_one_that_is_due_may_be_probed_at_once():
    assert OPEN.due(101.0).state(101.0) == "half_open"
    assert OPEN.due(200.0) is OPEN
    assert CLOSED.due(101.0) is CLOSED


def test_only_a_breaker_without_any_mark_is_untroubled():
    marked = [OPEN, Breaker(failures_in_a_row=1), Breaker(openings=1)]

    assert Breaker(era=9).is_untroubled
    assert not any(each.is_untroubled for each in marked)


@pytest.mark.parametrize(
    ("times", "draw", "seconds"),
    [
        (0, 0.0, 4.0),
        (0, 0.5, 5.0),
        (1, 0.5, 10.0),
        (2, 0.5, 20.0 / 1.2),
        (2, 0.0, 16.0 / 1.2),
        (10_000, 0.5, 20.0 / 1.2),
    ],
)
def test_the_span_doubles_and_is_jittered_by_a_fifth(times, draw, seconds):
    assert growing_seconds(5.0, 20.0, times, draw) == pytest.approx(seconds)


@given(st.integers(0, 10**6), st.floats(0.0, 1.0, exclude_max=True))
def test_no_span_is_longer_than_the_longest(times, draw):
    seconds = growing_seconds(5.0, 20.0, times, draw)

    assert 4.0 <= seconds <= 20.0 + 1e-9


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["began", "succeeded", "failed", "down"]),
        st.floats(0.0, 10.0),
        st.floats(0.0, 1.0, exclude_max=True),
    ),
    max_size=60,
)


@given(STEPS)
def test_whatever_comes_the_rules_hold(steps):
    breaker, now_seconds = CLOSED, 1000.0
    for step, passed_seconds, draw in steps:
        now_seconds += passed_seconds
        was, weather = breaker, Weather(now_seconds, draw)
        breaker = after(was, step, weather, POLICY)

        was_closed = was.until_seconds is None
        is_closed = breaker.until_seconds is None
        # A new era begins with each opening, each opening again and each closing.
        assert (breaker.era == was.era) == (was_closed and is_closed)
        if step in ("began", "succeeded"):
            assert is_closed
        if step == "succeeded":
            assert breaker.is_untroubled
        if not is_closed:
            left_seconds = breaker.until_seconds - now_seconds
            assert 4.0 - 1e-9 <= left_seconds <= POLICY.longest_cool_down_seconds + 1e-9
        elif step == "failed":
            assert breaker.failures_in_a_row < POLICY.failures_in_a_row
            assert breaker.failures_in_a_row == was.failures_in_a_row + 1
