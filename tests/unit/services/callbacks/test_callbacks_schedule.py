"""When a delivery is attempted again, and what an answer means."""

import pytest

from flaskllm.services.callbacks.schedule import (
    MOST_ATTEMPTS,
    Outcome,
    next_wait_seconds,
    read_answer,
)

MINUTE, HOUR = 60, 3600
WAITS = [
    0,
    5,
    5 * MINUTE,
    30 * MINUTE,
    2 * HOUR,
    5 * HOUR,
    10 * HOUR,
    14 * HOUR,
    20 * HOUR,
    24 * HOUR,
]


def test_the_ten_waits_are_those_of_the_schedule():
    assert [next_wait_seconds(n, 0.5) for n in range(1, 11)] == WAITS
    assert MOST_ATTEMPTS == 10


@pytest.mark.parametrize("number", range(1, 11))
def test_jitter_moves_a_wait_by_a_tenth_at_most(number):
    wait = WAITS[number - 1]

    assert next_wait_seconds(number, 0.0) == pytest.approx(wait * 0.9)
    assert next_wait_seconds(number, 1.0) == pytest.approx(wait * 1.1)


def test_after_the_last_attempt_there_is_no_other():
    assert next_wait_seconds(11, 0.5, at_least_seconds=30.0) is None


def test_it_is_never_earlier_than_the_receiver_asked_for():
    assert next_wait_seconds(2, 0.5, at_least_seconds=90.0) == 90.0
    assert next_wait_seconds(3, 0.5, at_least_seconds=90.0) == 300.0


@pytest.mark.parametrize("status", [200, 201, 204, 299])
def test_2xx_is_a_success(status):
    assert read_answer(status, None).is_success


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (101, "odd_status"),
        (301, "redirected"),
        (304, "redirected"),
        (400, "refused"),
        (404, "refused"),
        (410, "gone"),
        (429, "throttled"),
        (500, "receiver_failed"),
        (502, "throttled"),
        (503, "receiver_failed"),
        (504, "throttled"),
        (700, "odd_status"),
    ],
)
def test_everything_else_is_a_failure_with_a_word_of_ours(status, word):
    outcome = read_answer(status, None)

    assert (outcome.reason, outcome.status) == (word, status)
    assert outcome.is_gone == (status == 410)


@pytest.mark.parametrize("status", [429, 502, 504])
def test_an_overloaded_receiver_is_left_alone_for_a_minute(status):
    assert read_answer(status, None).wait_at_least_seconds == 60.0
    assert read_answer(status, 300.0).wait_at_least_seconds == 300.0


@pytest.mark.parametrize(
    ("asked", "kept"), [(30.0, 30.0), (10 * 86_400.0, 86_400.0), (-5.0, 0.0), (None, 0)]
)
def test_a_wish_is_kept_to_for_a_day_at_most(asked, kept):
    outcome = read_answer(503, asked)

    assert outcome == Outcome("receiver_failed", 503, False, kept)
