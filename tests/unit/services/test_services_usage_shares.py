"""Who answered, what it cost, and what cheaper deployments saved."""

import json
from datetime import date

import pytest
from rollup_scene import Reports
from usage_rows import add_usage, usage_row

from flaskllm.core.auth import BOOTSTRAP
from flaskllm.services.usage_reports import Span, Wanted

NOVEMBER = Wanted(Span(date(2026, 11, 1), date(2026, 11, 30)))
DEAR = json.dumps({"input": 10_000_000_000, "output": 40_000_000_000})
CHEAP = json.dumps({"input": 1_000_000_000, "output": 4_000_000_000})
FREE = json.dumps({"input": 0, "output": 0})


def asked(deployment, price, tokens=(1000, 100), **told):
    """Return an attempt at list price, unless it says what it cost."""
    terms = json.loads(price) if price else {"input": 0, "output": 0}
    nanos = (tokens[0] * terms["input"] + tokens[1] * terms["output"]) // 1_000_000
    return usage_row(
        **{
            "deployment": deployment,
            "price": price,
            "input_uncached": tokens[0],
            "output_text": tokens[1],
            "cost_nanos": nanos if price else None,
        }
        | told
    )


@pytest.fixture
def shares_of(make_database):
    database = make_database("sqlite://")

    def shares_of(*rows):
        if rows:
            add_usage(database, *rows)
        return Reports(database).shares.of(NOVEMBER, BOOTSTRAP)

    return shares_of


def test_what_went_to_cheaper_deployments_is_told_with_what_that_saved(shares_of):
    found = shares_of(
        *[asked("small", CHEAP) for _ in range(3)],
        asked("big", DEAR),
        asked("small", CHEAP, outcome="LLM_TIMEOUT", tokens=(0, 0)),
    )
    small, big = found.shares

    assert (small.deployment, small.answered, small.is_cheaper) == ("small", 3, True)
    assert (big.deployment, big.answered, big.is_cheaper) == ("big", 1, False)
    assert (small.sums.cost_nanos, big.sums.cost_nanos) == (4_200_000, 14_000_000)
    assert small.at_dearest_nanos == 42_000_000
    assert big.at_dearest_nanos == big.sums.cost_nanos
    assert found.saved_nanos == small.saved_nanos == 37_800_000
    assert found.cheaper.answered == 0.75
    assert found.cheaper.tokens == 0.75
    assert found.cheaper.cost == pytest.approx(4.2 / 18.2)


def test_deployments_are_compared_under_the_same_alias_only(shares_of):
    found = shares_of(asked("small", CHEAP), asked("big", DEAR, alias="smart"))

    assert [each.is_cheaper for each in found.shares] == [False, False]
    assert (found.saved_nanos, found.cheaper.answered) == (0, 0)


def test_what_was_paid_less_for_is_taken_to_cost_less_elsewhere_too(shares_of):
    # Half of its list price, as if its input had been cached.
    half = asked("small", CHEAP, cost_nanos=700_000)
    small, _ = shares_of(half, half | {"id": "att_x"}, asked("big", DEAR)).shares

    assert small.at_dearest_nanos == 2 * 7_000_000


def test_a_free_deployment_saves_the_list_price_of_the_dearest(shares_of):
    found = shares_of(asked("own", FREE), asked("big", DEAR))
    own = next(each for each in found.shares if each.deployment == "own")

    assert (own.is_cheaper, own.saved_nanos) == (True, 14_000_000)


def test_where_a_price_is_not_known_nothing_is_estimated(shares_of):
    found = shares_of(asked("odd", ""), asked("big", DEAR))
    odd = next(each for each in found.shares if each.deployment == "odd")

    assert (odd.is_cheaper, odd.at_dearest_nanos, odd.saved_nanos) == (None,) * 3
    assert found.total.unpriced == 1
    assert found.at_dearest_nanos == 14_000_000


def test_a_deployment_whose_price_has_changed_is_one(shares_of):
    found = shares_of(asked("mini", CHEAP), asked("mini", DEAR))

    assert [each.sums.attempts for each in found.shares] == [2]
    assert found.saved_nanos == 0


def test_of_nothing_there_are_no_shares(shares_of):
    found = shares_of()

    assert (found.shares, found.cheaper.answered, found.saved_nanos) == ((), None, 0)
