"""The sliding sum."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.llm.health.windows import SlidingCount


def test_what_came_within_the_span_is_counted():
    count = SlidingCount(60)

    count.add(2, 100.0)
    count.add(3, 100.9)
    count.add(4, 159.9)

    assert count.total(160.0) == 9


def test_what_is_older_is_forgotten_after_a_second_more_at_most():
    count = SlidingCount(60)

    count.add(5, 100.5)

    assert count.total(160.9) == 5
    assert count.total(161.0) == 0


def test_what_is_taken_back_leaves_the_second_in_which_it_came():
    count = SlidingCount(60)
    count.add(10, 100.0)
    count.add(1, 130.0)

    count.take_back(7, 100.0)

    assert count.total(130.0) == 4
    assert count.total(161.0) == 1


def test_what_is_forgotten_cannot_be_taken_back():
    count = SlidingCount(60)
    count.add(10, 100.0)
    count.add(1, 165.0)

    count.take_back(7, 100.0)

    assert count.total(165.0) == 1


def test_room_comes_with_the_second_that_leaves():
    count = SlidingCount(60)
    count.add(6, 100.0)
    count.add(4, 110.0)

    assert count.room_in_seconds(1, 11, 120.0) == 0.0
    assert count.room_in_seconds(6, 10, 120.0) == 41.0
    assert count.room_in_seconds(7, 10, 120.0) == 51.0


def test_what_is_larger_than_the_limit_never_fits():
    count = SlidingCount(60)

    assert count.room_in_seconds(11, 10, 100.0) is None

    count.add(1, 100.0)
    assert count.room_in_seconds(11, 10, 100.0) is None


def test_a_cleared_one_is_as_new():
    count = SlidingCount(60)
    count.add(5, 100.0)

    count.clear()

    assert count.total(100.0) == 0
    count.add(1, 100.0)
    assert count.total(100.0) == 1


def test_it_keeps_one_number_a_second_at_most():
    count = SlidingCount(10)
    for number in range(100_000):
        count.add(1, 100.0 + number / 1000)

    assert len(count._buckets) <= 11
    assert count.total(200.0) <= 11_000


CALLS = st.lists(
    st.tuples(st.floats(0.0, 20.0, width=32), st.integers(1, 30)), max_size=120
)


@given(CALLS, st.integers(1, 50))
def test_no_span_ever_holds_more_than_the_limit(calls, limit):
    count, now_seconds, taken = SlidingCount(60), 1000.0, []
    for passed_seconds, size in calls:
        now_seconds += passed_seconds
        wait_seconds = count.room_in_seconds(size, limit, now_seconds)
        if wait_seconds == 0.0:
            count.add(size, now_seconds)
            taken.append((now_seconds, size))
        else:
            assert (wait_seconds is None) == (size > limit)

        within = sum(n for at, n in taken if now_seconds - at <= 60.0)
        nearly = sum(n for at, n in taken if now_seconds - at < 61.0)
        assert within <= count.total(now_seconds) <= nearly
        assert within <= limit


@given(CALLS, st.integers(1, 50))
def test_the_wait_that_it_tells_is_enough_and_at_most_a_span(calls, limit):
    count, now_seconds = SlidingCount(60), 1000.0
    for passed_seconds, size in calls:
        now_seconds += passed_seconds
        wait_seconds = count.room_in_seconds(size, limit, now_seconds)
        if wait_seconds is None:
            continue
        assert wait_seconds <= 61.0
        # A clock of floats may fall short of the second by its last bit.
        now_seconds += wait_seconds + 1e-6 * (wait_seconds > 0.0)
        assert count.room_in_seconds(size, limit, now_seconds) == 0.0
        count.add(size, now_seconds)


@pytest.mark.parametrize("late", [99.0, 40.0])
def test_what_comes_out_of_order_is_kept_rather_too_long_than_too_short(late):
    """Two threads may read the clock in one order and count in the other."""
    count = SlidingCount(60)
    count.add(1, 100.0)

    count.add(1, late)

    assert count.total(100.0) == 2
    assert count.total(161.0) == 0
