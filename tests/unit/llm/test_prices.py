import json
from datetime import date, timedelta
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.llm.parts import Message
from flaskllm.llm.prices import (
    cost_nanos,
    expected_cost_nanos,
    expected_output_tokens,
    price_as_json,
    price_from,
    price_lines,
    price_of,
)
from flaskllm.llm.terms import Price, Tier
from flaskllm.llm.types import (
    CompletionRequest,
    Deployment,
    EmbeddingRequest,
    Usage,
)

MINI = Price(150_000_000, 600_000_000, cache_read=75_000_000)
HAIKU = Price(1_000_000_000, 5_000_000_000, 100_000_000, 1_250_000_000)
# A dollar for a million tokens is a thousand nano-dollars a token.
DOLLAR = 1_000_000_000

prices = st.builds(
    Price,
    st.integers(0, 10**12),
    st.integers(0, 10**12),
    st.none() | st.integers(0, 10**12),
    st.none() | st.integers(0, 10**12),
)
counts = st.integers(0, 10**7)
usages = st.builds(Usage, counts, counts, counts, counts, counts)


def deployment(kind="openai", model="gpt-4o-mini", **known):
    return Deployment("d", "p", kind, model, **known)


@pytest.mark.parametrize(
    ("price", "usage", "nanos"),
    [
        (MINI, Usage(1000, 0, 0, 500, 0), 150_000 + 300_000),
        # 2,000 tokens of input, 1,500 of them cached at half the price.
        (MINI, Usage(500, 1500, 0, 100, 0), 75_000 + 112_500 + 60_000),
        # Thoughts are output.
        (MINI, Usage(0, 0, 0, 100, 900), 600_000),
        # Kept input is dearer than other input, and later cheaper.
        (HAIKU, Usage(100, 0, 4000, 50, 0), 100_000 + 5_000_000 + 250_000),
        (HAIKU, Usage(100, 4000, 0, 50, 0), 100_000 + 400_000 + 250_000),
        # Where no price is known for it, it costs as much as other input.
        (Price(DOLLAR, DOLLAR), Usage(1, 2, 3, 4, 5), 15_000),
        # Free is not unknown.
        (Price(DOLLAR, 0, 0, 0), Usage(0, 10**6, 10**6, 10**6, 0), 0),
        (MINI, Usage(), 0),
    ],
)
def test_an_attempt_costs_its_tokens_by_their_kind(price, usage, nanos):
    assert cost_nanos(price, usage) == nanos


LONG = Price(DOLLAR, 2 * DOLLAR, tiers=(Tier(1000, Price(5 * DOLLAR, 10 * DOLLAR)),))


@pytest.mark.parametrize(
    ("usage", "nanos"),
    [
        (Usage(1000, 0, 0, 10), 1_000_000 + 20_000),
        # One token more, and all cost what the tier says.
        (Usage(1001, 0, 0, 10), 5_005_000 + 100_000),
        (Usage(1, 500, 500, 10), 5_005_000 + 100_000),
    ],
)
def test_beyond_a_tiers_bound_all_tokens_cost_what_it_says(usage, nanos):
    assert cost_nanos(LONG, usage) == nanos


def test_thoughts_may_have_a_price_of_their_own():
    price = Price(DOLLAR, 2 * DOLLAR, reasoning=DOLLAR)

    assert cost_nanos(price, Usage(0, 0, 0, 10, 10)) == 20_000 + 10_000


def test_a_price_comes_back_from_json_as_it_was():
    price = Price(1, 2, 0, 4, 5, tiers=(Tier(7, Price(2, 4)), Tier(9, Price(3, 6, 0))))

    assert price_from(price_as_json(price)) == price


@given(price=prices, usage=usages)
def test_the_lines_are_the_tokens_that_were_used(price, usage):
    lines = price_lines(price, usage)

    assert sum(line.tokens for line in lines) == (
        usage.tokens_input + usage.tokens_output
    )
    assert all(getattr(usage, line.kind) == line.tokens for line in lines)


@pytest.mark.parametrize(
    ("millionths", "nanos"),
    [
        (499_999, 0),
        (500_000, 0),
        (500_001, 1),
        (1_499_999, 1),
        (1_500_000, 2),
        (2_500_000, 2),
        (2_500_001, 3),
    ],
)
def test_the_sum_is_rounded_once_and_half_to_even(millionths, nanos):
    assert cost_nanos(Price(1, 1), Usage(millionths - 9, output_text=9)) == nanos


@given(price=prices, one=usages, other=usages)
def test_the_costs_of_two_attempts_are_that_of_their_sum_but_for_a_nano(
    price, one, other
):
    apart = cost_nanos(price, one) + cost_nanos(price, other)

    assert abs(cost_nanos(price, one + other) - apart) <= 1


@given(price=prices, usage=usages, more=usages)
def test_more_tokens_never_cost_less(price, usage, more):
    assert cost_nanos(price, usage + more) >= cost_nanos(price, usage) >= 0


@given(price=prices, tokens_input=counts, tokens_output=counts)
def test_what_is_expected_is_the_cost_of_uncached_tokens(
    price, tokens_input, tokens_output
):
    usage = Usage(tokens_input, output_text=tokens_output)

    assert expected_cost_nanos(price, tokens_input, tokens_output) == cost_nanos(
        price, usage
    )


@pytest.mark.parametrize(
    ("asked", "longest", "expected"),
    [
        (None, None, 400),
        (None, 16_384, 400),
        (100, 16_384, 100),
        (4096, 256, 256),
        (4096, None, 400),
    ],
)
def test_an_answer_is_expected_to_be_usual_unless_it_is_capped(
    asked, longest, expected
):
    request = CompletionRequest("fast", (Message("user", "Hi"),), asked)
    where = deployment(max_output_tokens=longest)

    assert expected_output_tokens(request, where) == expected


def test_several_answers_are_expected_to_take_as_many_times_the_tokens():
    request = CompletionRequest("fast", (Message("user", "Hi"),), 50, choices=3)

    assert expected_output_tokens(request, deployment()) == 150


def test_vectors_have_no_output():
    request = EmbeddingRequest("vectors", ("Hi",))

    assert expected_output_tokens(request, deployment()) == 0


def test_the_price_of_the_settings_goes_before_the_list():
    own = Price(1, 2)

    assert price_of(deployment(price=own)) == own


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("openai", "gpt-4o-mini"),
        ("openai", "GPT-4o-mini"),
        ("openai", "gpt-4o-mini-2024-07-18"),
        ("openai", "gpt-4o-mini-20240718"),
        ("openai", "gpt-4o-mini-latest"),
        ("azure", "gpt-4o-mini"),
    ],
)
def test_a_model_is_known_by_its_kind_and_name_with_or_without_a_date(kind, model):
    assert price_of(deployment(kind, model)) == MINI


def test_a_dated_model_with_a_price_of_its_own_keeps_it():
    first = price_of(deployment(model="gpt-4o-2024-05-13"))
    later = price_of(deployment(model="gpt-4o-2024-08-06"))

    assert first == Price(5 * DOLLAR, 15 * DOLLAR)
    assert later == Price(2_500_000_000, 10 * DOLLAR, 1_250_000_000)


@pytest.mark.parametrize(
    ("kind", "model"),
    [
        ("openai", "gpt-4o-mini-2"),
        ("openai", "gpt-4o-mini-0718"),
        ("openai", "my-gpt-4o-mini"),
        ("openai", "gpt-4o-mini-latest-2024-07-18"),
        ("openai", "latest"),
        ("openai", ""),
        ("mistral", "mistral-large-2499"),
        ("anthropic", "gpt-4o-mini"),
        ("ollama", "gpt-4o-mini"),
        ("vllm", "gpt-4o-mini"),
        ("llamacpp", "gpt-4o-mini"),
        ("openai_compatible", "gpt-4o-mini"),
        ("extractive", "extractive"),
    ],
)
def test_what_is_not_listed_has_no_price(kind, model):
    assert price_of(deployment(kind, model)) is None


def announced():
    """Yield each listed model whose price changes on a day that was announced."""
    text = resources.files("flaskllm.llm").joinpath("prices.json").read_text("utf-8")
    for kind, models in json.loads(text)["prices"].items():
        for model, steps in models.items():
            if isinstance(steps, list):
                yield kind, model, date.fromisoformat(steps[-1]["from"]), steps


@pytest.mark.parametrize(("kind", "model", "begins", "steps"), tuple(announced()))
def test_an_announced_price_holds_from_its_day_on_also_in_an_old_process(
    kind, model, begins, steps
):
    days = (begins - timedelta(days=1), begins)

    found = [price_of(deployment(kind, model), day) for day in days]

    assert [each.input for each in found] == [each["input"] for each in steps[-2:]]


def test_a_local_model_has_the_price_that_it_is_given():
    own = Price(0, 0)

    assert price_of(deployment("ollama", "llama3.1:8b", price=own)) is own
