"""The candidates of a route stand in the order that its strategy makes of them."""

from dataclasses import replace
from random import Random

import pytest
from router_scene import REQUEST, Half

from flaskllm.llm.catalog import Route
from flaskllm.llm.fitting import Sizes
from flaskllm.llm.health.standings import Obstacle, Standing
from flaskllm.llm.lineup import Candidate, Lineup
from flaskllm.llm.order import Order
from flaskllm.llm.strategies.choices import Record
from flaskllm.llm.terms import Price
from flaskllm.llm.types import Deployment, EmbeddingRequest

WELL = Standing()
COOLING = Standing("open", Obstacle("cooling", 4.0))
EMPTY: dict = {}
STREAM = replace(REQUEST, stream=True)
VECTORS = EmbeddingRequest(None, ("one", (1, 2, 3)))


def lineup(strategy, *names, prices=EMPTY, request=REQUEST, **others):
    """Line up deployments of one route, with weights 1, 2, ..."""
    deployments = {
        name: Deployment(name, name, "vllm", "m", price=prices.get(name))
        for name in names
    }
    weights = {name: number for number, name in enumerate(names, start=1)}
    route = Route(alias="main", strategy=strategy, weights=weights, **others)
    return Lineup(
        request,
        tuple(Candidate("main", deployments[n], weights[n]) for n in names),
        (),
        {"main": route},
        Sizes(request),
    )


def ordered(shown, standings=EMPTY, random=None, **how):
    """Return the candidates of a line-up in order; who has no standing is well."""
    order = Order(random or Half(), lambda each: standings.get(each.name, WELL))
    return order.of_all(shown, **how).candidates


def names(candidates):
    return [each.name for each in candidates]


def test_what_the_strategy_puts_first_is_asked_first():
    busy = {"a": Standing(in_flight=3), "b": Standing(in_flight=1)}

    assert names(ordered(lineup("least_busy", "a", "b"), busy)) == ["b", "a"]


def test_the_score_is_kept():
    scores = [each.score for each in ordered(lineup("weighted", "a", "b"))]

    assert sorted(scores) == pytest.approx([1 / 3, 2 / 3])


def test_who_may_not_be_asked_takes_no_part_and_stands_behind_by_its_time():
    standings = {
        "a": Standing(obstacle=Obstacle("limited", None)),
        "b": COOLING,
        "c": Standing(obstacle=Obstacle("limited", 1.0)),
    }

    found = ordered(lineup("weighted", "a", "b", "c", "d"), standings)

    assert names(found) == ["d", "c", "b", "a"]
    assert [each.obstacle and each.obstacle.reason for each in found] == [
        None,
        "limited",
        "cooling",
        "limited",
    ]
    assert found[0].score == 1.0


def test_one_alone_is_not_even_looked_at():
    def look(candidate):
        raise AssertionError

    order = Order(Half(), look)

    assert names(order.of_all(lineup("weighted", "a")).candidates) == ["a"]


def test_each_route_is_ordered_by_itself():
    main, rest = lineup("least_busy", "a", "b"), lineup("least_busy", "c", "d")
    behind = tuple(replace(each, alias="rest") for each in rest.candidates)
    both = replace(
        main,
        candidates=(*main.candidates, *behind),
        routes={"main": main.routes["main"], "rest": rest.routes["main"]},
    )

    assert names(ordered(both, {"a": Standing(in_flight=1), "c": COOLING})) == [
        "b",
        "a",
        "d",
        "c",
    ]


def test_the_turns_of_a_route_count_from_a_random_start():
    shown = lineup("round_robin", "a", "b", "c")
    order = Order(Half(), lambda each: WELL)

    firsts = [order.of_all(shown).candidates[0].name for _ in range(6)]

    assert firsts[:3] == firsts[3:]
    assert sorted(firsts[:3]) == ["a", "b", "c"]
    elsewhere = Order(Other(), lambda each: WELL)
    assert elsewhere.of_all(shown).candidates[0].name == firsts[1]


class Other(Half):
    """Draws the number of which the start is the next one."""

    def random(self):
        return 0.5 + 2.0**-32


LATENCIES = {
    "streams by their first token": (STREAM, "a"),
    "whole answers by all of it": (REQUEST, "b"),
    "vectors by all of it": (VECTORS, "b"),
}


@pytest.mark.parametrize(("request_", "first"), LATENCIES.values(), ids=LATENCIES)
def test_latency_is_compared_for(request_, first):
    standings = {
        "a": Standing(first_token_seconds=0.1, answer_seconds=9.0),
        "b": Standing(first_token_seconds=0.5, answer_seconds=2.0),
    }
    shown = lineup("lowest_latency", "a", "b", request=request_)

    assert names(ordered(shown, standings))[0] == first


DOLLAR = 10**9
CHEAP, DEAR = Price(DOLLAR, DOLLAR), Price(9 * DOLLAR, 9 * DOLLAR)


@pytest.mark.parametrize("request_", [REQUEST, VECTORS], ids=["chat", "vectors"])
def test_the_expected_cost_is_worked_out_where_the_strategy_asks_for_it(request_):
    shown = lineup(
        "cheapest", "a", "b", prices={"a": DEAR, "b": CHEAP}, request=request_
    )

    found = ordered(shown)

    assert names(found) == ["b", "a"]
    assert 0 < 9 * found[0].expected_cost_nanos == found[1].expected_cost_nanos


def test_it_is_not_worked_out_where_the_strategy_does_not():
    found = ordered(lineup("weighted", "a", "b", prices={"a": DEAR}))

    assert [each.expected_cost_nanos for each in found] == [None, None]


def test_in_full_everything_is_told_of_one_alone_too():
    shown = lineup("weighted", "a", prices={"a": CHEAP})

    (one,) = ordered(shown, {"a": COOLING}, in_full=True)

    assert (one.obstacle, one.score) == (COOLING.obstacle, None)
    assert one.expected_cost_nanos > 0


def test_in_full_an_unknown_price_costs_nothing_known():
    (one,) = ordered(lineup("weighted", "a"), in_full=True)

    assert (one.score, one.expected_cost_nanos) == (1.0, None)


def test_headroom_is_what_usage_goes_by():
    standings = {"a": Standing(headroom=0.2), "b": Standing(headroom=0.9)}

    assert names(ordered(lineup("usage", "a", "b"), standings)) == ["b", "a"]


@pytest.mark.parametrize(("second_nanos", "first"), [(10**12, "fast"), (0, "cheap")])
def test_what_a_second_is_worth_decides_between_fast_and_cheap(second_nanos, first):
    standings = {
        "fast": Standing(record=Record(1e6, 0.0, 1.0)),
        "cheap": Standing(record=Record(1e6, 0.0, 2.0)),
    }
    shown = lineup(
        "adaptive",
        "fast",
        "cheap",
        prices={"fast": DEAR, "cheap": CHEAP},
        second_nanos=second_nanos,
    )

    assert names(ordered(shown, standings, random=Random(1)))[0] == first
