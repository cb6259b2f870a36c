from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.llm.strategies import STRATEGIES
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


def test_a_draw_of_zero_is_no_error():
    class Zero(Random):
        def random(self):
            return 0.0

    assert order({"a": 1, "b": 2}, Zero()) == ("a", "b")


def test_the_table_names_the_strategy_as_the_settings_do():
    assert STRATEGIES["weighted"] is order
