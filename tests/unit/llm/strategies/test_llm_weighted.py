from collections import Counter
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategy_scene import first_names, share_of

from flaskllm.llm.strategies.choices import Choice, Turn
from flaskllm.llm.strategies.shares import shared, stride_of
from flaskllm.llm.strategies.weighted import order


def route(**weights):
    return [Choice(name, weight) for name, weight in weights.items()]


def orders(choices, calls, start=0):
    return [
        tuple(each.name for each in shared(choices, start + number))
        for number in range(calls)
    ]


@pytest.mark.parametrize("seed", range(20))
def test_four_to_one_gives_exactly_800_of_1000_calls(seed):
    names = first_names("weighted", route(cheap=4, dear=1), 1000, seed)

    assert names.count("cheap") == 800


@pytest.mark.parametrize("seed", range(20))
def test_four_to_four_to_one_puts_eight_of_nine_calls_on_the_cheaper_ones(seed):
    names = first_names("weighted", route(a=4, b=4, dear=1), 1000, seed)

    # A thousand are 111 rounds of nine, and one more.
    assert names.count("dear") in (111, 112)
    assert share_of(names, "a", "b") >= 0.8


@pytest.mark.parametrize("seed", range(20))
def test_while_a_cheaper_one_cools_the_other_takes_its_calls(seed):
    def standing(call):
        cools = 300 <= call < 700
        return [
            each for each in route(a=4, b=4, dear=1) if not (cools and each.name == "b")
        ]

    names = first_names("weighted", standing, 1000, seed)

    assert share_of(names, "a", "b") >= 0.8
    assert share_of(names[300:700], "a") == pytest.approx(0.8, abs=0.01)


@given(
    weights=st.lists(st.integers(1, 50), min_size=1, max_size=5),
    start=st.integers(0, 2**64),
)
def test_over_one_cycle_each_is_first_exactly_as_often_as_its_weight(weights, start):
    choices = [Choice(str(index), each) for index, each in enumerate(weights)]

    firsts = Counter(names[0] for names in orders(choices, sum(weights), start))

    assert firsts == {each.name: each.weight for each in choices}


@pytest.mark.parametrize("calls", [10, 30, 100])
def test_a_short_run_of_large_weights_is_shared_well_too(calls):
    choices = route(a=700_001, b=299_999)

    for start in range(0, 10**6, 99_991):
        names = [names[0] for names in orders(choices, calls, start)]
        assert abs(share_of(names, "a") - 0.7) <= 2.0 / calls


@pytest.mark.parametrize("start", [0, 12_345, 2**32])
def test_the_places_behind_the_first_are_shared_by_weight_too(start):
    found = orders(route(a=6, b=3, c=1), 4000, start)

    behind = {first: [n[1] for n in found if n[0] == first] for first in "abc"}

    assert share_of(behind["a"], "b") == pytest.approx(3 / 4, abs=0.01)
    assert share_of(behind["b"], "a") == pytest.approx(6 / 7, abs=0.01)
    assert share_of(behind["c"], "a") == pytest.approx(6 / 9, abs=0.01)


def test_weights_that_share_a_divisor_are_the_same_as_without_it():
    assert orders(route(a=80, b=20), 50) == orders(route(a=4, b=1), 50)


@given(total=st.integers(1, 10**9))
def test_a_stride_meets_every_position(total):
    stride = stride_of(total)

    # Coprime: the inverse exists, so no two steps of a cycle meet.
    assert stride * pow(stride, -1, total) % total == 1 % total


def test_the_score_is_the_share():
    places = order(route(a=3, b=1), Turn(0, Random(1)))

    assert {place.name: place.score for place in places} == {"a": 0.75, "b": 0.25}
    assert order(route(a=3), Turn(5, Random(1)))[0].score == 1.0
