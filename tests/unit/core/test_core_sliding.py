"""Sliding windows of two numbers: what counts, and when there is room again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.sliding import Window, start_of

MINUTE = 60
# A window of any counts, and a moment in it or after it.
WINDOWS = st.builds(Window, st.just(600), st.integers(0, 200), st.integers(0, 200))
MOMENTS = st.floats(600, 659.9)


@pytest.mark.parametrize(
    ("now", "seconds", "start"),
    [(0, 60, 0), (59.9, 60, 0), (60, 60, 60), (7300, 3600, 7200)],
)
def test_windows_begin_at_multiples_of_their_length(now, seconds, start):
    assert start_of(now, seconds) == start


@pytest.mark.parametrize(
    ("now", "counted"), [(600, 100), (615, 85), (630, 70), (659.4, 40.6)]
)
def test_the_window_before_counts_by_the_part_that_is_still_reached(now, counted):
    window = Window(600, present=40, previous=60)

    assert window.counted(now, MINUTE) == pytest.approx(counted)


MOVES = {
    "in the same window": (601, Window(600, 5, 7)),
    "in the next one": (660, Window(660, 0, 5)),
    "in the one after it": (720, Window(720)),
    "much later": (99_999, Window(99_960)),
    "on a host whose clock is behind": (599, Window(600, 5, 7)),
    "on one that is a whole window behind": (541, Window(600, 5, 7)),
    "where the other clock was wrong": (539, Window(480, 5, 7)),
}


@pytest.mark.parametrize(("now", "seen"), MOVES.values(), ids=MOVES)
def test_a_window_is_seen(now, seen):
    assert Window(600, 5, 7).moved_to(now, MINUTE) == seen


def test_a_window_that_has_not_begun_here_counts_in_full():
    assert Window(600, 5, 60).counted(590, MINUTE) == 65


def test_parts_of_one_are_let_go():
    window = Window(600, present=5, previous=10)

    assert window.counted(627, MINUTE) == 10.5
    assert window.has_room(10, 20, 627, MINUTE)
    assert not window.has_room(11, 20, 627, MINUTE)
    assert window.remaining(20, 627, MINUTE) == 10
    assert window.remaining(3, 627, MINUTE) == 0


GIVEN_BACK = {
    "to the window that runs": (659, Window(600, 3, 9)),
    "to the one before": (599, Window(600, 5, 7)),
    "to one that does not count any more": (539, Window(600, 5, 9)),
    "to one of a host whose clock is ahead": (661, Window(600, 3, 9)),
}


@pytest.mark.parametrize(("at", "left"), GIVEN_BACK.values(), ids=GIVEN_BACK)
def test_what_was_too_much_is_given_back(at, left):
    assert Window(600, 5, 9).less(2, at, MINUTE) == left


@pytest.mark.parametrize("at", [600, 540])
def test_no_count_falls_below_nothing(at):
    left = Window(600, 5, 9).less(100, at, MINUTE)

    assert min(left.present, left.previous) == 0


def test_more_is_counted_in_the_window_that_runs():
    assert Window(600, 5, 9).plus(3) == Window(600, 8, 9)


ROOM = {
    "at once": (Window(600, 9), 1, 0.0),
    "never": (Window(600), 11, None),
    # 10 * (60 - elapsed) / 60 falls below 10 as soon as the time moves.
    "as the window before fades": (Window(600, 0, 20), 1, 30.0),
    # Until the end of this one, and then until less than 6 of its 10 reach.
    "in the next window": (Window(600, 10), 5, 60 + 24),
    # All of it: when less than one counts.
    "for all of it": (Window(600, 10), 10, 60 + 54),
    "beside what this window has": (Window(600, 5, 20), 2, 48.0),
}


@pytest.mark.parametrize(("window", "amount", "wait"), ROOM.values(), ids=ROOM)
def test_there_is_room(window, amount, wait):
    told = window.room_in_seconds(amount, 10, 600, MINUTE)

    assert told == (wait if not wait else pytest.approx(wait, abs=0.01))


def test_a_window_of_a_clock_that_is_ahead_has_room_that_much_later():
    window = Window(660, 10)

    assert window.room_in_seconds(5, 10, 655, MINUTE) == pytest.approx(89, abs=0.01)


@given(WINDOWS, MOMENTS, st.integers(1, 100), st.integers(1, 100))
def test_the_wait_that_is_told_is_enough_and_hardly_more(window, now, amount, limit):
    wait = window.room_in_seconds(amount, limit, now, MINUTE)

    def fits(at):
        return window.moved_to(at, MINUTE).has_room(amount, limit, at, MINUTE)

    if wait is None:
        assert amount > limit
    else:
        assert fits(now + wait)
        assert wait == 0.0 or not fits(now + wait - 0.002)
