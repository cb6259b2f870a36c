from random import Random

import pytest
from strategy_scene import first_names, share_of

from flaskllm.llm.health.averages import MovingAverage
from flaskllm.llm.strategies.choices import Choice, Record, Turn
from flaskllm.llm.strategies.lowest_latency import order

SLOW, SOON = Choice("slow", 9, first_byte_seconds=0.9), Choice("soon", 1, 0, 1.0, 0.2)


def names_at(number, *choices):
    return [place.name for place in order(choices, Turn(number, Random(1)))]


def test_the_soonest_comes_first_whatever_the_weight():
    places = order([SLOW, SOON], Turn(1, Random(1)))

    assert [(place.name, place.score) for place in places] == [
        ("soon", 0.2),
        ("slow", 0.9),
    ]


def test_the_unknown_is_asked_at_once():
    assert names_at(1, SOON, Choice("new", 1)) == ["new", "soon"]
    assert order([Choice("new", 1)], Turn(1, Random(1)))[0].score == -1.0


def test_while_its_first_answer_is_awaited_the_unknown_stands_last():
    assert names_at(1, Choice("new", 1, in_flight=1), SOON, SLOW) == [
        "soon",
        "slow",
        "new",
    ]


def test_one_that_failed_instead_of_telling_its_time_stands_last_for_a_while():
    failed = Choice("new", 1, record=Record(failures=1.0))
    long_ago = Choice("new", 1, record=Record(failures=0.97**24))

    assert names_at(1, failed, SOON, SLOW) == ["soon", "slow", "new"]
    assert names_at(1, long_ago, SOON, SLOW) == ["new", "soon", "slow"]


def test_several_unknown_are_asked_one_by_one():
    tried, in_flight = [], {"a": 0, "b": 0, "c": 0}
    for number in range(1, 4):
        choices = [Choice(name, 1, count) for name, count in in_flight.items()]
        tried.append(names_at(number, *choices)[0])
        in_flight[tried[-1]] += 1

    assert sorted(tried) == ["a", "b", "c"]


@pytest.mark.parametrize("seed", range(5))
def test_four_in_a_hundred_requests_look_at_the_others(seed):
    others = [Choice("x", 3, first_byte_seconds=2.0), Choice("y", 1, 0, 1.0, 3.0)]

    names = first_names("lowest_latency", [SOON, *others], 10_000, seed)

    assert share_of(names, "soon") == 0.96
    assert share_of(names, "x") == pytest.approx(0.03, abs=0.0005)
    assert share_of(names, "y") == pytest.approx(0.01, abs=0.0005)


def test_who_is_looked_at_comes_before_the_others_in_their_order():
    third = Choice("third", 1, first_byte_seconds=0.5)

    assert names_at(25, SLOW, third, SOON) in (
        ["slow", "soon", "third"],
        ["third", "soon", "slow"],
    )


def test_one_alone_is_always_first():
    assert names_at(25, SOON) == ["soon"]


@pytest.mark.parametrize("seconds_between", [0.1, 1.0, 10.0])
@pytest.mark.parametrize("seed", range(5))
def test_an_old_bad_figure_is_found_out(seed, seconds_between):
    averages = {"steady": MovingAverage(), "recovered": MovingAverage()}
    averages["steady"].add(0.5, 0.0)
    averages["recovered"].add(5.0, 0.0)
    truth = {"steady": 0.5, "recovered": 0.1}
    start = Random(seed).randrange(2**32)
    asked = []
    for call in range(1000):
        choices = [
            Choice(name, 1, first_byte_seconds=average.seconds)
            for name, average in averages.items()
        ]
        asked.append(names_at(start + call, *choices)[0])
        averages[asked[-1]].add(truth[asked[-1]], call * seconds_between)

    assert share_of(asked[-200:], "recovered") == 0.96
