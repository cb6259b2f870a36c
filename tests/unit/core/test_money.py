"""Dollars as people write them and as they are counted: exactly the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flaskllm.core.money import dollars_of, nanos_of

WRITTEN = {
    "25": 25_000_000_000,
    "25.00": 25_000_000_000,
    "25.1": 25_100_000_000,
    "0": 0,
    "0.000000001": 1,
    "999999999999.999999999": 999_999_999_999_999_999_999,
    "007.5": 7_500_000_000,
}


@pytest.mark.parametrize(("text", "nanos"), WRITTEN.items(), ids=WRITTEN)
def test_a_decimal_text_is_read_exactly(text, nanos):
    assert nanos_of(text) == nanos


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "-1", "+1", "1e3", "1E3", "0.0000000001", ".5", "5.", "1,000"),
        *("1_000", "NaN", "Infinity", "٣", "$5", " 5", "5\n", "1" * 13, "0x10"),
    ],
)
def test_what_is_no_plain_decimal_number_is_refused(text):
    with pytest.raises(ValueError, match="decimal"):
        nanos_of(text)


def test_dollars_show_cents_and_no_more_than_there_is():
    shown = [dollars_of(each) for each in (0, 1, 10**7, 26_104_000_000, -5 * 10**8)]

    assert shown == ["0.00", "0.000000001", "0.01", "26.104", "-0.50"]


@given(st.integers(0, 10**21 - 1))
def test_what_is_written_is_read_back(nanos):
    assert nanos_of(dollars_of(nanos)) == nanos
