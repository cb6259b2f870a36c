"""What an attempt is charged."""

import json

import pytest

from flaskllm.llm.terms import Price
from flaskllm.llm.types import Attempt, Deployment, Outcome, Plan, Usage
from flaskllm.services.bills import Bill, bill_of, price_text

PRICE = Price(1_000_000, 2_000_000)  # one and two nano-dollars a token
PLAN = Plan(100, 50, reserved_nanos=200, expected_nanos=120)
DEPLOYMENT = Deployment("mini", "openai", "openai", "gpt-4o-mini")
COUNTED = Usage(100, output_text=30, source="provider")
OVER = Usage(100, output_text=90, source="provider")
GUESSED = Usage(100, output_text=30, source="estimated")
GUESSED_OVER = Usage(100, output_text=90, source="estimated")
NOTHING = Usage()


@pytest.mark.parametrize(
    ("code", "usage", "bill"),
    [
        ("OK", COUNTED, Bill(160)),
        ("OK", OVER, Bill(280)),
        ("OK", GUESSED, Bill(160, is_estimated=True)),
        ("OK", GUESSED_OVER, Bill(200, is_estimated=True)),
        ("OK", NOTHING, Bill(0)),
        ("CALLER_GONE", GUESSED, Bill(160, is_estimated=True)),
        ("CALLER_GONE", GUESSED_OVER, Bill(200, is_estimated=True)),
        ("CALLER_GONE", COUNTED, Bill(160)),
        ("CALLER_GONE", NOTHING, Bill(120, is_estimated=True)),
        ("LLM_REFUSED", COUNTED, Bill(160)),
        ("LLM_SERVER_ERROR", GUESSED, Bill(160, is_estimated=True)),
        ("LLM_TIMEOUT", NOTHING, Bill(0, is_released=True)),
        ("INTERNAL_ERROR", NOTHING, Bill(0, is_released=True)),
    ],
)
def test_an_attempt_is_charged_what_it_used(code, usage, bill):
    attempt = Attempt(1, "fast", DEPLOYMENT, price=PRICE, plan=PLAN)

    assert bill_of(attempt, Outcome(code, 1.0, usage)) == bill


@pytest.mark.parametrize(
    ("code", "usage", "bill"),
    [
        ("OK", COUNTED, Bill(None)),
        ("OK", GUESSED, Bill(None, is_estimated=True)),
        ("OK", NOTHING, Bill(None)),
        ("CALLER_GONE", NOTHING, Bill(None, is_estimated=True)),
        ("LLM_TIMEOUT", NOTHING, Bill(0, is_released=True)),
    ],
)
def test_without_a_price_only_what_used_nothing_is_known(code, usage, bill):
    attempt = Attempt(1, "fast", DEPLOYMENT, plan=Plan(100, 50))

    assert bill_of(attempt, Outcome(code, 1.0, usage)) == bill


@pytest.mark.parametrize("code", ["OK", "CALLER_GONE", "INTERNAL_ERROR"])
def test_where_no_upstream_is_called_there_is_nothing_to_charge(code):
    attempt = Attempt(1, "fast", DEPLOYMENT)

    assert bill_of(attempt, Outcome(code, 1.0, GUESSED)) == Bill(0)


def test_the_terms_are_kept_as_json_and_unknown_ones_as_nothing():
    assert price_text(None) == ""
    assert json.loads(price_text(PRICE)) == {"input": 1_000_000, "output": 2_000_000}
