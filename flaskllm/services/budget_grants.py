"""Nobody gives more than they have: who is bound by budgets loosens none. Pure."""

from collections.abc import Iterable

from flaskllm.core.errors import PermissionDenied
from flaskllm.core.money import dollars_of
from flaskllm.llm.allowed import EVERYTHING, Allowed
from flaskllm.storage.budgets import BudgetRow

_REASON = "You cannot give more than you have."


def check_change(
    own: Iterable[BudgetRow],
    before: BudgetRow | None,
    after: BudgetRow | None,
    names: Allowed = EVERYTHING,
) -> None:
    """Return when somebody may change this budget.

    Nobody lets an alias take over that they may not send, see `leads_beyond`. Else
    who has no hard budget may do anything. Anybody may make a budget tighter, and
    change soft ones. Otherwise what a hard budget becomes, or begins as, must be as
    tight as each hard budget for the same period that binds the one who changes it;
    and it must stay a hard one.

    Args:
        own: The hard budgets of the one who changes it and of their tags.
        before: The budget as it is; None for a new one.
        after: The budget as it is to be; None when it is to be removed.
        names: Those that the one who changes it may send.

    Raises:
        PermissionDenied: It would allow more than their own; the details say what
            they have.
    """
    binding = tuple(own)
    is_new = after is not None and (
        before is None or before.on_exhausted != after.on_exhausted
    )
    if after is not None and is_new and leads_beyond(after, names, binding):
        raise PermissionDenied(
            _REASON,
            details=f"on_exhausted: your API token may not send the name "
            f"{after.on_exhausted}; allowed: a name that it may send, or none.",
        )
    if not binding or not _loosens(before, after):
        return
    if after is None or after.kind == "soft":
        raise PermissionDenied(
            _REASON,
            details="A hard budget binds you, so you cannot take one away; "
            "somebody who has none can.",
        )
    for each in binding:
        if each.period == after.period and not is_as_tight(after, each):
            raise PermissionDenied(
                _REASON,
                details=f"Your own hard budget for one {each.period} is "
                f"{dollars_of(each.limit_nanos)} US dollars, on_exhausted: "
                f"{each.on_exhausted or 'none'}; allowed: at most that.",
            )


def leads_beyond(budget: BudgetRow, names: Allowed, own: Iterable[BudgetRow]) -> bool:
    """Tell whether a budget leads to a name that somebody could not come to.

    An alias that takes over is asked for whatever names its holder may send: to set
    a budget of nothing would be leave to use it.

    Args:
        budget: Any one.
        names: Those that somebody may send.
        own: The hard budgets that bind them: where these lead they come already.
    """
    alias = budget.on_exhausted
    if alias is None or names.holds(alias):
        return False
    return all(each.on_exhausted != alias for each in own)


def is_as_tight(budget: BudgetRow, other: BudgetRow) -> bool:
    """Tell whether a hard budget stops its holder no later than another of its period.

    An alias that takes over lets its holder go on: it must be the same, or none.
    """
    return budget.limit_nanos <= other.limit_nanos and budget.on_exhausted in (
        None,
        other.on_exhausted,
    )


def _loosens(before: BudgetRow | None, after: BudgetRow | None) -> bool:
    if before is None:
        # It binds nobody less; but a large one reads as leave to spend as much.
        return after is not None and after.kind == "hard"
    if before.kind == "soft":
        return False
    return after is None or after.kind == "soft" or not is_as_tight(after, before)
