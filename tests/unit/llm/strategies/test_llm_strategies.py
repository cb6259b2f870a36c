"""What holds for every strategy, whatever the numbers."""

import math
from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.config_routes import StrategyName
from flaskllm.llm.strategies import STRATEGIES
from flaskllm.llm.strategies.choices import Choice, Record, Turn

amounts = st.floats(0.0, 1e6)
records = st.builds(Record, amounts, amounts, st.none() | amounts)
choices = st.builds(
    Choice,
    name=st.text(min_size=1),
    weight=st.integers(1, 10**9),
    in_flight=st.integers(0, 10**6),
    headroom=st.floats(0.0, 1.0),
    first_byte_seconds=st.none() | amounts,
    cost_nanos=st.none() | st.integers(0, 10**15),
    record=records,
)
routes = st.lists(choices, max_size=6, unique_by=lambda choice: choice.name)
turns = st.builds(
    Turn,
    st.integers(0, 2**64),
    st.integers().map(Random),
    st.integers(0, 10**12),
)


def test_there_is_one_for_each_name_of_the_settings():
    assert set(STRATEGIES) == set(get_args(StrategyName))


@pytest.mark.parametrize("name", STRATEGIES)
@given(route=routes, turn=turns)
def test_every_name_comes_exactly_once(name, route, turn):
    places = STRATEGIES[name](route, turn)

    assert sorted(place.name for place in places) == sorted(each.name for each in route)


@pytest.mark.parametrize("name", STRATEGIES)
@given(route=routes, turn=turns)
def test_every_score_is_a_number_that_can_be_written_down(name, route, turn):
    places = STRATEGIES[name](route, turn)

    assert all(isinstance(place.score, float) for place in places)
    assert all(math.isfinite(place.score) for place in places)


@pytest.mark.parametrize("name", STRATEGIES)
@given(route=routes, number=st.integers(0, 2**32), seed=st.integers())
def test_the_same_numbers_and_chance_give_the_same_order(name, route, number, seed):
    once = STRATEGIES[name](route, Turn(number, Random(seed)))
    again = STRATEGIES[name](route, Turn(number, Random(seed)))

    assert once == again


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_route_of_nobody_asks_nobody(name):
    assert STRATEGIES[name]([], Turn(1, Random(1))) == ()
