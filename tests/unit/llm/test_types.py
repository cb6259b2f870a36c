"""The canonical values: usage adds up, and everything is frozen."""

from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.llm import types
from flaskllm.llm.types import Usage

counts = st.integers(min_value=0, max_value=10**9)
usages = st.builds(
    Usage,
    counts,
    counts,
    counts,
    counts,
    counts,
    st.sampled_from(["none", "provider", "estimated"]),
)


def test_tokens_are_the_sum_of_their_kinds():
    usage = Usage(1, 20, 300, 4_000, 50_000, "provider")

    assert (usage.tokens_input, usage.tokens_output) == (321, 54_000)


@given(usages, usages)
def test_sums_are_of_each_count_and_in_any_order(one, other):
    total = one + other

    assert total == other + one
    assert total.tokens_input == one.tokens_input + other.tokens_input
    assert total.tokens_output == one.tokens_output + other.tokens_output


@given(usages)
def test_nothing_added_changes_nothing(usage):
    assert usage + Usage() == usage


@pytest.mark.parametrize(
    ("one", "other", "source"),
    [
        ("none", "none", "none"),
        ("none", "provider", "provider"),
        ("provider", "estimated", "estimated"),
        ("estimated", "none", "estimated"),
    ],
)
def test_the_weaker_source_names_the_sum(one, other, source):
    assert (Usage(source=one) + Usage(source=other)).source == source


def test_every_value_is_frozen_and_has_slots():
    values = [each for each in vars(types).values() if is_dataclass(each)]

    assert len(values) >= 10
    for each in values:
        assert each.__dataclass_params__.frozen
        assert set(each.__slots__) == {field.name for field in fields(each)}
    with pytest.raises(FrozenInstanceError):
        Usage().output_text = 1
