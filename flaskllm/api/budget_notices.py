"""What callers are told of budgets that their request passed, in a header."""

from collections.abc import Sequence

from flaskllm.services.budget_words import told
from flaskllm.services.budgets import BudgetNotice

HEADER = "X-Flaskllm-Budget"


def budget_header(notices: Sequence[BudgetNotice]) -> dict[str, str]:
    """Return the header that tells them, separated by commas, if there are any.

    Example:
        `X-Flaskllm-Budget: soft; period=month; limit=25.00; spent=26.10`.
    """
    return {HEADER: ", ".join(map(told, notices))} if notices else {}
