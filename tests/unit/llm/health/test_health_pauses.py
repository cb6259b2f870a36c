"""How long a 429 keeps a deployment from being asked."""

import pytest

from flaskllm.llm.health.pauses import NO_PAUSE, Pause, after_answer, after_limit
from flaskllm.llm.health.policy import Policy

POLICY = Policy()


def limit(pause=NO_PAUSE, said=None, asked_at=100.0, now=100.0):
    return after_limit(pause, said, asked_at, now, 0.5, POLICY)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [(2.0, 2.0), (59.0, 59.0), (1e9, 60.0), (0.0, 1.0), (None, 1.0)],
)
def test_the_upstreams_word_holds_up_to_a_minute(said, seconds):
    assert limit(said=said).left_seconds(100.0) == seconds


def test_without_a_word_it_doubles_up_to_twenty_seconds():
    pause, now, told = NO_PAUSE, 100.0, []
    for _ in range(7):
        pause = limit(pause, asked_at=now, now=now)
        told.append(round(pause.left_seconds(now), 2))
        now += 100.0

    assert told == [1.0, 2.0, 4.0, 8.0, 16.0, 16.67, 16.67]


def test_of_those_under_way_together_only_the_first_lets_it_grow():
    first = limit(asked_at=99.0, now=100.0)

    assert limit(first, asked_at=99.5, now=100.1) == first
    assert limit(first, asked_at=100.0, now=101.0).unsaid == 2


def test_a_shorter_word_does_not_shorten_a_longer_one():
    assert limit(limit(said=30.0), said=1.0).until_seconds == 130.0


def test_a_word_does_not_grow_what_is_unsaid():
    assert limit(limit(said=30.0)).unsaid == 1


def test_a_whole_answer_begins_anew_but_not_one_from_before():
    pause = limit(now=100.0)

    assert after_answer(pause, 99.0) is pause
    assert after_answer(pause, 101.0).unsaid == 0
    assert after_answer(NO_PAUSE, 101.0) is NO_PAUSE


def test_it_is_over_when_it_is_over():
    assert Pause(until_seconds=105.0).left_seconds(106.0) == 0.0
