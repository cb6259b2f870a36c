"""How callers are told of budgets that their request passed. Pure."""

from collections.abc import Sequence
from urllib.parse import quote

from flaskllm.core.money import dollars_of
from flaskllm.services.budgets import BudgetNotice

# What names of routes usually hold besides letters and digits, and no list would.
_PLAIN = "/:@+"


def budget_warnings(notices: Sequence[BudgetNotice]) -> list[str]:
    """Return one warning for each budget.

    Example:
        `budget: soft; period=month; limit=25.00; spent=26.10`.
    """
    return [f"budget: {told(notice)}" for notice in notices]


def told(notice: BudgetNotice) -> str:
    """Return one notice as plain ASCII, fit for a header."""
    kind = "soft"
    if notice.alias is not None:
        kind = f"exhausted; alias={quote(notice.alias, safe=_PLAIN)}"
    return (
        f"{kind}; period={notice.period}; limit={dollars_of(notice.limit_nanos)}; "
        f"spent={dollars_of(notice.spent_nanos)}"
    )
