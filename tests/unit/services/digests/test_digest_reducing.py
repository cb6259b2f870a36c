"""Too many facts for the prose are thinned, the ones least missed first."""

import pytest

from flaskllm.services.digests.reducing import fit, spread

FACTS = {
    "points": [f"p{n}" for n in range(40)],
    "action_items": [f"a{n}" for n in range(20)],
    "dates": [f"d{n}" for n in range(10)],
    "priority": "high",
}


def count(name, fact):
    return 10


def kept(most):
    facts = fit(FACTS, most, count)
    return {name: len(facts[name]) for name in ("points", "action_items", "dates")}


@pytest.mark.parametrize(
    ("most", "left"),
    [
        (700, {"points": 40, "action_items": 20, "dates": 10}),
        (680, {"points": 40, "action_items": 20, "dates": 8}),
        (400, {"points": 11, "action_items": 20, "dates": 8}),
        (240, {"points": 8, "action_items": 8, "dates": 8}),
        (100, {"points": 1, "action_items": 8, "dates": 1}),
        (10, {"points": 0, "action_items": 1, "dates": 0}),
        (0, {"points": 0, "action_items": 0, "dates": 0}),
    ],
)
def test_what_is_left_fits_and_tasks_stay_longest(most, left):
    assert kept(most) == left


def test_what_is_left_keeps_its_order_and_the_rest_of_the_fields():
    facts = fit(FACTS, 400, count)

    assert list(facts["points"]) == sorted(facts["points"], key=lambda p: int(p[1:]))
    assert facts["points"][-1] == "p39"
    assert facts["priority"] == "high"


@pytest.mark.parametrize(
    ("most", "chosen"), [(0, []), (1, [9]), (5, [1, 3, 5, 7, 9]), (99, [*range(10)])]
)
def test_what_is_chosen_is_spread_and_ends_with_the_last(most, chosen):
    assert spread(range(10), most) == chosen
