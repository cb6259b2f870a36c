"""What the replies of several dialects have in common."""

import pytest

from flaskllm.api.replies import dropped_header

HEADER = "X-Flaskllm-Dropped"


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        (["seed", "logprobs"], "seed, logprobs"),
        (["seed", "store", "seed"], "seed, store"),
        (["response_format.json_schema"], "response_format.json_schema"),
        (["größe", "a, b", "c\r\nd"], "gr%C3%B6%C3%9Fe, a%2C%20b, c%0D%0Ad"),
        (["x" * 65], "x" * 64),
        (["", "seed"], "seed"),
        (["\ud800"], "%3F"),
        ([f"f{number}" for number in range(60)], ", ".join(f"f{n}" for n in range(50))),
    ],
)
def test_the_header_names_each_dropped_field_once(names, shown):
    assert dropped_header(names) == {HEADER: shown}


def test_without_dropped_fields_there_is_no_header():
    assert dropped_header(()) == dropped_header([""]) == {}
