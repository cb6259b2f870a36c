from collections import Counter
from random import Random

import pytest
from strategy_scene import LearningRoute, Upstream, share_of

from flaskllm.llm.strategies.adaptive import order
from flaskllm.llm.strategies.choices import Choice, Record, Turn

SEEDS = range(20)
# A second is worth a thousandth of a dollar, a million nano-dollars.
BETTER_AND_WORSE = {
    "success rate": (Upstream(succeeds=0.98), Upstream(succeeds=0.6)),
    "latency": (Upstream(seconds=0.5), Upstream(seconds=1.0)),
    "cost": (Upstream(cost_nanos=400_000), Upstream(cost_nanos=2_000_000)),
}


def most_asked(names):
    """Return who was asked the most often; several where they are equal."""
    counted = Counter(names)
    most = max(counted.values())
    return [name for name, count in counted.items() if count == most]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("by", BETTER_AND_WORSE)
def test_the_better_of_three_is_found_within_200_calls_and_a_swap_followed(by, seed):
    better, worse = BETTER_AND_WORSE[by]
    route = LearningRoute(Random(seed))

    before = route.ask({"a": worse, "b": better, "c": worse}, 200)
    after = route.ask({"a": better, "b": worse, "c": worse}, 200)

    assert most_asked(before[-50:]) == ["b"]
    assert most_asked(after[-50:]) == ["a"]


@pytest.mark.parametrize(
    ("by", "share"), [("success rate", 0.75), ("latency", 0.85), ("cost", 0.9)]
)
def test_once_found_the_better_one_has_most_calls(by, share):
    better, worse = BETTER_AND_WORSE[by]
    last = []
    for seed in SEEDS:
        route = LearningRoute(Random(seed))
        last += route.ask({"a": worse, "b": better, "c": worse}, 400)[-200:]

    assert share_of(last, "b") >= share


@pytest.mark.parametrize("seed", SEEDS)
def test_what_never_answers_gets_hardly_a_call(seed):
    route = LearningRoute(Random(seed))

    names = route.ask({"dead": Upstream(succeeds=0.0), "well": Upstream()}, 400)

    assert share_of(names[-200:], "dead") <= 0.15


def known(name, cost_nanos, seconds=1.0, successes=1e6, failures=0.0):
    """Return a choice so well known that its draws are its means."""
    return Choice(
        name, 1, cost_nanos=cost_nanos, record=Record(successes, failures, seconds)
    )


def scores(*choices, second_nanos=1_000_000):
    places = order(choices, Turn(0, Random(3), second_nanos))
    return {place.name: place.score for place in places}


def test_the_score_is_the_price_of_one_good_answer():
    found = scores(
        known("a", 500_000, seconds=2.0),
        known("b", 500_000, seconds=2.0, successes=1e6, failures=1e6),
    )

    # Two seconds and the cost; half of the attempts fail, so twice of it.
    assert found["a"] == pytest.approx(2_500_000, rel=0.01)
    assert found["b"] == pytest.approx(5_000_000, rel=0.01)


@pytest.mark.parametrize(
    ("second_nanos", "first"), [(0, "cheap"), (1_000_000, "cheap"), (10**8, "soon")]
)
def test_the_price_of_a_second_decides_between_time_and_money(second_nanos, first):
    cheap = known("cheap", 1_000_000, seconds=3.0)
    soon = known("soon", 9_000_000, seconds=1.0)

    assert next(iter(scores(cheap, soon, second_nanos=second_nanos))) == first


def test_an_unknown_price_counts_as_the_dearest_of_the_choices():
    found = scores(known("a", 100), known("b", 7_000), known("c", None), second_nanos=0)

    assert found["c"] == pytest.approx(7_000, rel=0.01)
    assert found["a"] == pytest.approx(100, rel=0.01)


def test_where_nothing_costs_anything_success_decides():
    good = known("good", None)
    bad = known("bad", None, successes=1e6, failures=1e6)

    assert next(iter(scores(bad, good, second_nanos=0))) == "good"


def test_one_alone_is_scored_like_many():
    assert scores(known("a", 500_000))["a"] == pytest.approx(1_500_000, rel=0.01)


def test_all_unknown_are_tried():
    route = LearningRoute(Random(1))

    assert set(route.ask(dict.fromkeys("abc", Upstream()), 30)) == {"a", "b", "c"}
