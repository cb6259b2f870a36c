from random import Random

from strategy_scene import first_names, share_of

from flaskllm.llm.strategies.choices import Choice, Turn
from flaskllm.llm.strategies.usage import order


def test_the_largest_headroom_comes_first_whatever_the_weight():
    choices = [
        Choice("scarce", 9, headroom=0.1),
        Choice("half", 1, headroom=0.5),
        Choice("free", 1, headroom=0.9),
    ]

    places = order(choices, Turn(0, Random(1)))

    assert [place.name for place in places] == ["free", "half", "scarce"]
    assert [place.score for place in places] == [0.9, 0.5, 0.1]


def test_without_limits_the_weights_decide():
    names = first_names("usage", [Choice("a", 4), Choice("b", 1)], 1000)

    assert share_of(names, "a") == 0.8


def test_limits_of_one_to_three_are_used_up_alike():
    used = {"small": 0, "large": 0}
    limits = {"small": 100, "large": 300}
    for number in range(200):
        choices = [
            Choice(name, 1, headroom=1 - used[name] / limits[name]) for name in used
        ]
        used[order(choices, Turn(number, Random(1)))[0].name] += 1

    assert used == {"small": 50, "large": 150}
