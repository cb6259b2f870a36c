"""What a body says about the cache: taken out of it, or refused."""

import pytest

from flaskllm.api.cache_wishes import cache_headers, take_wishes
from flaskllm.core.errors import InvalidInputError
from flaskllm.llm.cached import CacheNote


@pytest.mark.parametrize(
    ("said", "stores"),
    [
        ({}, True),
        ({"cache": None, "sensitive": None}, True),
        ({"cache": True}, True),
        ({"cache": False}, False),
    ],
)
def test_it_is_taken_out_of_the_body(said, stores):
    fields = {**said, "model": "fast"}

    assert take_wishes(fields).stores is stores
    assert fields == {"model": "fast"}


def test_what_is_sensitive_is_so():
    assert take_wishes({"sensitive": True}).is_sensitive


@pytest.mark.parametrize("name", ["cache", "sensitive"])
@pytest.mark.parametrize("value", ["yes", "no", 1, 0, []])
def test_neither_true_nor_false_is_refused_before_anything_is_kept(name, value):
    with pytest.raises(InvalidInputError) as caught:
        take_wishes({name: value})

    (problem,) = caught.value.fields
    assert (problem.path, problem.allowed) == (name, "true or false")


def test_an_error_that_was_shared_is_a_hit_of_no_age():
    assert cache_headers([CacheNote("joined")]) == {"X-Flaskllm-Cache": "hit"}
