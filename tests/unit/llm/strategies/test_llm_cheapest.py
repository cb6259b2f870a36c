from random import Random

import pytest
from strategy_scene import first_names, share_of

from flaskllm.llm.strategies.cheapest import order
from flaskllm.llm.strategies.choices import Choice, Turn

# The same model at two places, and a dearer one.
MINI, TWIN = (
    Choice("mini", 3, cost_nanos=390_000),
    Choice("twin", 1, 0, 1, None, 390_000),
)
LARGE, UNKNOWN = Choice("large", 9, cost_nanos=6_500_000), Choice("unknown", 9)


def test_the_lowest_cost_comes_first_and_an_unknown_one_last():
    places = order([UNKNOWN, LARGE, MINI], Turn(0, Random(1)))

    assert [(place.name, place.score) for place in places] == [
        ("mini", 390_000.0),
        ("large", 6_500_000.0),
        ("unknown", -1.0),
    ]


def test_what_is_known_to_be_free_comes_before_all():
    free = Choice("free", 1, cost_nanos=0)

    assert order([MINI, UNKNOWN, free], Turn(0, Random(1)))[0].name == "free"


@pytest.mark.parametrize("seed", range(5))
def test_equal_costs_are_shared_by_weight(seed):
    names = first_names("cheapest", [MINI, TWIN, LARGE], 1000, seed)

    assert share_of(names, "mini") == 0.75
    assert share_of(names, "twin") == 0.25


@pytest.mark.parametrize("seed", range(5))
def test_1000_calls_go_to_the_cheaper_ones_also_while_one_of_them_cools(seed):
    def standing(call):
        return [MINI, LARGE] if 300 <= call < 700 else [MINI, TWIN, LARGE]

    names = first_names("cheapest", standing, 1000, seed)

    assert share_of(names, "mini", "twin") == 1.0
    assert share_of(names[300:700], "mini") == 1.0


def test_only_when_all_cheaper_ones_cool_the_dear_one_is_asked():
    assert set(first_names("cheapest", [LARGE, UNKNOWN], 100)) == {"large"}
