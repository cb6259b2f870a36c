"""How long the soak's tests run."""

import pytest
from rounds import size_of


@pytest.mark.parametrize(
    ("text", "size"),
    [(None, "small"), ("", "small"), ("small", "small"), ("full", "full")],
)
def test_few_rounds_unless_all_are_asked_for(text, size):
    assert size_of(text) == size


def test_a_size_that_does_not_exist_is_refused():
    with pytest.raises(pytest.UsageError, match="not 'large'"):
        size_of("large")
