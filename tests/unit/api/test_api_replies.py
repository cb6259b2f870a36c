"""What the replies of several dialects have in common."""

import pytest
from model_fakes import RESCUE, SEAM

from flaskllm.api.replies import dropped_header, header_text, rescue_note

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


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("fast weighted: mini 0.80; skipped rack (cooling 3 s)",) * 2,
        ("größe\r\nSet-Cookie: a=b\x00\x7f☀", "gr??e??Set-Cookie: a=b???"),
        ("x" * 301, "x" * 300),
        ("\ud800", "?"),
    ],
)
def test_a_header_holds_what_is_plain_and_not_too_long(text, shown):
    assert header_text(text) == shown


def test_a_rescue_is_told_beside_the_dialect_s_own_fields():
    assert rescue_note(SEAM) == {"flaskllm": {"rescue": RESCUE}}
    assert rescue_note(None) == {}
