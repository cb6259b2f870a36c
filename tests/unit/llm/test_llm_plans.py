import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.llm.fitting import Sizes
from flaskllm.llm.lineup import Candidate, Lineup
from flaskllm.llm.parts import Message
from flaskllm.llm.plans import most_output_tokens, plan_of
from flaskllm.llm.prices import cost_nanos, expected_cost_nanos
from flaskllm.llm.terms import Price
from flaskllm.llm.types import (
    CompletionRequest,
    Deployment,
    EmbeddingRequest,
    Usage,
)

CHEAP, DEAR = Price(1_000_000, 2_000_000), Price(50_000_000, 90_000_000)
USUAL = 4096


def deployment(name="cheap", price=CHEAP, **known):
    return Deployment(name, "p", "vllm", "m", price=price, **known)


def chat(**wishes):
    return CompletionRequest("fast", (Message("user", "Hello there."),), **wishes)


def lineup(request, *deployments):
    candidates = tuple(Candidate("fast", each) for each in deployments)
    return Lineup(request, candidates, (), {}, Sizes(request))


@pytest.mark.parametrize(
    ("wishes", "known", "most"),
    [
        ({}, {}, 4096),
        ({}, {"max_output_tokens": 1000}, 1000),
        ({}, {"max_output_tokens": 16_384}, 4096),
        ({"max_output_tokens": 10}, {}, 10),
        # A caller's cap is a promise: no more can come, so no less is reserved.
        ({"max_output_tokens": 8000}, {}, 8000),
        ({"max_output_tokens": 8000}, {"max_output_tokens": 1000}, 1000),
        ({"choices": 3}, {}, 3 * 4096),
    ],
)
def test_the_planned_output_is_the_smallest_cap_for_each_answer(wishes, known, most):
    assert most_output_tokens(chat(**wishes), deployment(**known), USUAL) == most


def test_vectors_have_no_output():
    request = EmbeddingRequest("fast", ("one", "two"))
    plan = plan_of(lineup(request, deployment()), Candidate("fast", deployment()), 9)

    assert (plan.tokens_output, plan.tokens_input > 0) == (0, True)


def test_the_dearest_candidates_price_is_reserved_whoever_is_asked():
    dear = deployment("dear", DEAR)
    both = lineup(chat(max_output_tokens=100), deployment(), dear)
    plan = plan_of(both, both.candidates[0], USUAL)

    assert plan.reserved_nanos == expected_cost_nanos(DEAR, plan.tokens_input, 100)
    assert plan.expected_nanos == expected_cost_nanos(CHEAP, plan.tokens_input, 100)


@pytest.mark.parametrize("cache_write", [None, 500_000, 1_250_000, 2_000_000])
def test_a_capped_answer_never_costs_more_than_was_reserved_for_its_tokens(cache_write):
    price = Price(1_000_000, 2_000_000, cache_write=cache_write)
    alone = lineup(chat(max_output_tokens=100), deployment(price=price))
    plan = plan_of(alone, alone.candidates[0], USUAL)
    every = plan.tokens_input
    used = (Usage(every, 0, 0, 100), Usage(0, every, 0, 100), Usage(0, 0, every, 100))

    assert plan.reserved_nanos == max(cost_nanos(price, each) for each in used)


def test_without_a_known_price_nothing_is_reserved_and_nothing_expected():
    alone = lineup(chat(), deployment(price=None))
    plan = plan_of(alone, alone.candidates[0], USUAL)

    assert (plan.reserved_nanos, plan.expected_nanos) == (0, None)


@given(
    st.integers(1, 10_000),
    st.none() | st.integers(1, 50_000),
    st.none() | st.integers(1, 50_000),
)
def test_what_is_expected_is_never_above_what_is_reserved(usual, cap, own):
    alone = lineup(chat(max_output_tokens=cap), deployment(max_output_tokens=own))
    plan = plan_of(alone, alone.candidates[0], usual)

    assert plan.expected_nanos <= plan.reserved_nanos
