import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.llm.strategies import STRATEGIES
from flaskllm.llm.strategies.spread import EvenDraws
from flaskllm.llm.strategies.weighted import order


@given(
    weights=st.dictionaries(st.text(min_size=1), st.integers(1, 10**9)),
    seed=st.integers(),
)
def test_every_name_comes_exactly_once(weights, seed):
    names = order(weights, Random(seed))

    assert sorted(names) == sorted(weights)


def test_the_first_place_is_shared_by_weight():
    random = Random(7)
    rounds = 4000

    firsts = [order({"a": 3, "b": 1}, random)[0] for _ in range(rounds)]

    # 0.75 expected; four standard deviations are 0.027.
    assert firsts.count("a") / rounds == pytest.approx(0.75, abs=0.03)


def test_the_places_behind_the_first_are_shared_by_weight_too():
    random = Random(8)
    orders = [order({"a": 6, "b": 3, "c": 1}, random) for _ in range(4000)]

    behind_a = [names[1] for names in orders if names[0] == "a"]

    assert behind_a.count("b") / len(behind_a) == pytest.approx(0.75, abs=0.04)


@pytest.mark.parametrize("draw", [0.0, 0.5, math.nextafter(1.0, 0.0)])
def test_the_ends_of_the_range_are_no_error(draw):
    class Fixed(Random):
        def random(self):
            return draw

    assert sorted(order({"a": 1, "b": 2, "c": 3}, Fixed())) == ["a", "b", "c"]


@pytest.mark.parametrize("seed", range(200))
def test_a_thousand_calls_are_shared_within_two_percent_whatever_the_start(seed):
    draws = EvenDraws(Random(seed))

    firsts = [order({"a": 3, "b": 1}, draws)[0] for _ in range(1000)]

    assert firsts.count("a") / 1000 == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize("routes", [2, 3, 5])
def test_routes_that_take_turns_with_the_draws_are_shared_well_too(routes):
    draws = EvenDraws(Random(1))
    firsts = []
    for number in range(1000 * routes):
        names = order({"a": 3, "b": 1}, draws)
        if number % routes == 0:
            firsts.append(names[0])

    assert firsts.count("a") / 1000 == pytest.approx(0.75, abs=0.02)


def test_workers_do_not_begin_alike():
    starts = {EvenDraws(Random(seed)).random() for seed in range(10)}

    assert len(starts) == 10


def test_the_table_names_the_strategy_as_the_settings_do():
    assert STRATEGIES["weighted"] is order
