"""What callers are told of budgets that their request passed."""

from collections.abc import Sequence
from urllib.parse import quote

from flaskllm.core.money import dollars_of
from flaskllm.services.budgets import BudgetNotice

HEADER = "X-Flaskllm-Budget"

# What names of routes usually hold besides letters and digits, and no list would.
_PLAIN = "/:@+"


def budget_header(notices: Sequence[BudgetNotice]) -> dict[str, str]:
    """Return the header that tells them, separated by commas, if there are any.

    Example:
        `X-Flaskllm-Budget: soft; period=month; limit=25.00; spent=26.10`.
    """
    return {HEADER: ", ".join(map(_told, notices))} if notices else {}


def budget_warnings(notices: Sequence[BudgetNotice]) -> list[str]:
    """Return one warning for each, in the words of the header."""
    return [f"budget: {_told(notice)}" for notice in notices]


def _told(notice: BudgetNotice) -> str:
    kind = "soft"
    if notice.alias is not None:
        # Other characters are percent-encoded: a header is plain ASCII.
        kind = f"exhausted; alias={quote(notice.alias, safe=_PLAIN)}"
    return (
        f"{kind}; period={notice.period}; limit={dollars_of(notice.limit_nanos)}; "
        f"spent={dollars_of(notice.spent_nanos)}"
    )
