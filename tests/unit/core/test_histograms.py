import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.histograms import (
    RELATIVE_ERROR,
    added,
    bin_of,
    empty,
    middle_of,
    percentiles,
)

SIX_HOURS_MS = 6 * 3600 * 1000
DURATIONS = st.lists(st.integers(0, SIX_HOURS_MS), min_size=1, max_size=50)
SHARES = [0.5, 0.9, 0.95, 0.99]


def counted(durations):
    counts = empty()
    for each in durations:
        counts[bin_of(each)] += 1
    return counts


@given(st.integers(1, SIX_HOURS_MS))
def test_a_bin_stands_for_durations_within_the_error_that_is_stated(milliseconds):
    middle = middle_of(bin_of(milliseconds))

    assert abs(middle - milliseconds) <= RELATIVE_ERROR * milliseconds * (1 + 1e-9)


@given(DURATIONS, DURATIONS)
def test_percentiles_of_histograms_that_were_added_up_are_those_of_all(one, other):
    merged = added([counted(one), counted(other)])
    everything = sorted(one + other)

    found = percentiles(merged, SHARES)

    for share, told in zip(SHARES, found, strict=True):
        exact = everything[math.ceil(share * len(everything) - 1e-9) - 1]
        assert abs(told - exact) <= RELATIVE_ERROR * exact * (1 + 1e-9)


def test_of_nothing_there_is_no_percentile():
    assert percentiles(empty(), SHARES) == [None] * 4
    assert added([]) == empty()


@pytest.mark.parametrize("milliseconds", [2**31, 2**40])
def test_what_is_longer_than_any_bound_counts_as_the_longest(milliseconds):
    assert bin_of(milliseconds) == bin_of(SIX_HOURS_MS + 3_000_000)
