"""What an attempt is charged, decided from its plan and from how it ended. Pure."""

import json
from dataclasses import dataclass
from functools import lru_cache

from flaskllm.core.errors import CallerGone
from flaskllm.llm.prices import cost_nanos, price_as_json
from flaskllm.llm.terms import Price
from flaskllm.llm.types import Attempt, Outcome, Plan


@dataclass(frozen=True, slots=True)
class Bill:
    """What one attempt is charged.

    Attributes:
        nanos: Nano-dollars, >= 0; None where the price is not known.
        is_estimated: Whether that is a guess; then it is not above what was reserved.
        is_released: Whether it failed and used nothing.
    """

    nanos: int | None
    is_estimated: bool = False
    is_released: bool = False


_FREE = Bill(0)
_RELEASED = Bill(0, is_released=True)


def bill_of(attempt: Attempt, outcome: Outcome) -> Bill:
    """Return what the attempt is charged.

    What the provider counted is charged as it is, also above what was reserved; what
    we counted ourselves never above it. Where nobody counted anything, an attempt
    that its caller left is charged what it was expected to cost, since its upstream
    was at work; one that failed is charged nothing. Where no upstream is called
    there is nothing to charge.
    """
    plan, used = attempt.plan, outcome.usage
    if plan is None:
        return _FREE
    if used.tokens_input or used.tokens_output:
        return _bill_of_tokens(attempt, plan, outcome)
    if outcome.code == CallerGone.code:
        return Bill(plan.expected_nanos, is_estimated=True)
    if outcome.code != "OK":
        return _RELEASED
    return Bill(None) if attempt.price is None else _FREE


@lru_cache(maxsize=1024)
def price_text(price: Price | None) -> str:
    """Return the terms as JSON, empty where they are not known."""
    return "" if price is None else json.dumps(price_as_json(price))


def _bill_of_tokens(attempt: Attempt, plan: Plan, outcome: Outcome) -> Bill:
    is_estimated = outcome.usage.source == "estimated"
    if attempt.price is None:
        return Bill(None, is_estimated)
    nanos = cost_nanos(attempt.price, outcome.usage)
    if is_estimated:
        nanos = min(nanos, plan.reserved_nanos)
    return Bill(nanos, is_estimated)
