from random import Random

import pytest
from strategy_scene import first_names

from flaskllm.llm.strategies.choices import Choice, Turn
from flaskllm.llm.strategies.round_robin import order

THREE = [Choice("a", 9), Choice("b", 1), Choice("c", 1)]


@pytest.mark.parametrize(
    ("number", "expected"), [(0, "abc"), (1, "bca"), (2, "cab"), (3, "abc")]
)
def test_each_request_begins_one_further_and_weights_are_ignored(number, expected):
    places = order(THREE, Turn(number, Random(1)))

    assert "".join(place.name for place in places) == expected
    assert [place.score for place in places] == [0.0, 1.0, 2.0]


def test_all_are_asked_equally_often():
    names = first_names("round_robin", THREE, 999)

    assert {name: names.count(name) for name in "abc"} == {"a": 333, "b": 333, "c": 333}


def test_while_one_cools_the_others_take_turns():
    names = first_names("round_robin", THREE[1:], 100)

    assert names.count("b") == names.count("c") == 50
