"""Budgets: whether an attempt fits, and what is told when it does not."""

import logging
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from flaskllm.core import logs
from flaskllm.core.errors import BudgetExceeded
from flaskllm.core.money import dollars_of
from flaskllm.core.periods import PERIODS, Period, period_end
from flaskllm.core.subjects import tag_of
from flaskllm.storage.budgets import Admitted, BudgetStanding, Refused

__all__ = [
    "Admitted",
    "BudgetNotice",
    "BudgetStanding",
    "Refused",
    "exceeded",
    "judge",
    "notice_of",
    "tell_passed",
]

# Whoever is told to wait for longer would rather not.
_LONGEST_HINT_SECONDS = 60.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class BudgetNotice:
    """What a caller is told of a budget that its request passed.

    Money is in nano-dollars. `alias` is the model name that was asked instead, since
    a hard budget is spent; None for a soft budget. `spent_nanos` is what was settled
    in the period so far.
    """

    budget_id: str
    period: Period
    limit_nanos: int
    spent_nanos: int
    alias: str | None = None


def judge(
    standings: Iterable[BudgetStanding], need_nanos: int, waived: Collection[str]
) -> Admitted | Refused:
    """Decide whether an attempt fits into the budgets. Pure.

    A hard budget refuses when ``spent + need > limit``, and also when
    ``spent >= limit``: what overshot stops the next call, a limit of 0 stops
    everything, and an attempt that needs nothing (its price is unknown, or nothing)
    passes only while something is left. A soft budget never refuses; it is passed
    when ``settled >= limit``: what is reserved is the worst case, and no alarm.

    Of several that refuse, one without an alias wins over one with; then the one
    that lasts longest, since nothing is possible before it ends.

    Args:
        standings: Of the subjects of this attempt, and of nobody else.
        need_nanos: What the attempt reserves at most, 0 or more.
        waived: The ids of budgets that stop this attempt no more, since the alias
            that they name on exhaustion is being asked, see `Refused.waives`.
    """
    every = tuple(standings)
    refusing = tuple(
        each
        for each in every
        if each.budget.kind == "hard"
        and each.budget.id not in waived
        and _is_full(each, need_nanos)
    )
    if refusing:
        return _refused(refusing, need_nanos)
    passed = tuple(
        each
        for each in every
        if each.budget.kind == "soft" and each.settled_nanos >= each.budget.limit_nanos
    )
    return Admitted(passed, _untold(passed))


def exceeded(refused: Refused, now: datetime, zone: ZoneInfo) -> BudgetExceeded:
    """Return the error that tells a refusal, with the alias that takes over if any.

    Args:
        refused: What was decided.
        now: Aware. When to come back is said where that is within a minute.
        zone: The reporting time zone.
    """
    standing, budget = refused.standing, refused.standing.budget
    ends = period_end(budget.period, standing.period_start, zone)
    tag = tag_of(budget.subject)
    seconds = (ends - now).total_seconds()
    error = BudgetExceeded(
        details=(
            f"The budget of {'this principal' if tag is None else f'the tag {tag}'} "
            f"for one {budget.period} is {dollars_of(budget.limit_nanos)} US dollars; "
            f"{dollars_of(standing.spent_nanos)} are spent or reserved, and up to "
            f"{dollars_of(refused.need_nanos)} are needed. "
            f"It begins anew at {ends.astimezone(zone).isoformat()}."
        ),
        retry_after_seconds=seconds if seconds <= _LONGEST_HINT_SECONDS else None,
    )
    error.alias = refused.alias
    return error


def notice_of(standing: BudgetStanding, alias: str | None = None) -> BudgetNotice:
    """Return what the caller is told: of `Admitted.passed`, or of a refusal.

    `alias` is `Refused.alias`, for the standing of a refusal.
    """
    budget = standing.budget
    return BudgetNotice(
        budget.id, budget.period, budget.limit_nanos, standing.settled_nanos, alias
    )


def tell_passed(
    told: Iterable[BudgetStanding], count: Callable[[str, Period], None]
) -> None:
    """Log and count the budgets that `storage.budgets.note_passed` noted first.

    Args:
        told: What it returned, once its transaction has been committed.
        count: Counts one by its kind and its period.
    """
    for standing in told:
        budget = standing.budget
        logs.event(
            _log,
            logging.WARNING,
            "budget_passed",
            budget=budget.id,
            subject=budget.subject,
            kind=budget.kind,
            period=budget.period,
            period_start=standing.period_start.isoformat(),
            limit_nanos=budget.limit_nanos,
            spent_nanos=standing.spent_nanos,
        )
        count(budget.kind, budget.period)


def _is_full(standing: BudgetStanding, need_nanos: int) -> bool:
    left_nanos = standing.budget.limit_nanos - standing.spent_nanos
    return left_nanos <= 0 or need_nanos > left_nanos


def _refused(refusing: tuple[BudgetStanding, ...], need_nanos: int) -> Refused:
    hardest = max(refusing, key=_hardness)
    alias = hardest.budget.on_exhausted
    # One alias takes over for all that name it, or each would refuse it in turn.
    same = (each.budget.id for each in refusing if each.budget.on_exhausted == alias)
    waives = frozenset() if alias is None else frozenset(same)
    return Refused(hardest, alias, need_nanos, waives, _untold(refusing))


def _hardness(standing: BudgetStanding) -> tuple[bool, int, str]:
    budget = standing.budget
    return budget.on_exhausted is None, PERIODS.index(budget.period), budget.id


def _untold(standings: Iterable[BudgetStanding]) -> tuple[BudgetStanding, ...]:
    return tuple(each for each in standings if not each.is_told)
