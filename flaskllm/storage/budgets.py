"""Budgets, what was spent of each, and what was decided by that."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Literal

from sqlalchemy import Connection, Select, bindparam, select

from flaskllm.core.auth import Actor
from flaskllm.core.periods import Period, next_start, period_start
from flaskllm.storage import audit
from flaskllm.storage.tables import budget_notices, budgets, spending
from flaskllm.storage.upserts import insert_into

Kind = Literal["soft", "hard"]
"""A hard budget refuses what does not fit; a soft one only tells."""

_LEDGER = Actor("ledger")


@dataclass(frozen=True, slots=True)
class BudgetRow:
    """One budget. Money is in nano-dollars; `created_at` is aware.

    `subject` is `principal:ID` or `tag:NAME`. `on_exhausted` is the alias that takes
    over when a hard budget is spent; None refuses then.
    """

    id: str
    subject: str
    period: Period
    kind: Kind
    limit_nanos: int
    on_exhausted: str | None
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class BudgetStanding:
    """A budget and what was spent of it.

    Attributes:
        budget: The row.
        period_start: The first day of the present period.
        spent_nanos: What is reserved and what is settled in it, together.
        is_told: Whether it was told already, in this period, that it is passed.
        reserved_nanos: The part of `spent_nanos` that attempts under way may take.
    """

    budget: BudgetRow
    period_start: date
    spent_nanos: int
    is_told: bool
    reserved_nanos: int = 0

    @property
    def settled_nanos(self) -> int:
        """Return what was spent for good."""
        return self.spent_nanos - self.reserved_nanos

    def charged(self, nanos: int) -> "BudgetStanding":
        """Return it with so much more reserved; a negative number gives back."""
        return replace(
            self,
            spent_nanos=self.spent_nanos + nanos,
            reserved_nanos=self.reserved_nanos + nanos,
        )


@dataclass(frozen=True, slots=True)
class Admitted:
    """The attempt may be made.

    Attributes:
        passed: The soft budgets that are passed already.
        untold: Those of them that were not told yet in their period.
    """

    passed: tuple[BudgetStanding, ...] = ()
    untold: tuple[BudgetStanding, ...] = ()


@dataclass(frozen=True, slots=True)
class Refused:
    """The attempt does not fit.

    Attributes:
        standing: The budget that it does not fit into, as it stood without it.
        alias: What to ask instead; None when it is refused for good.
        need_nanos: What the attempt would have reserved.
        waives: The ids of the budgets that must not refuse an attempt **under that
            alias** for the rest of this request (`Attempt.alias` is the alias); any
            other attempt of the request they refuse as before. What is spent under
            it still counts.
        untold: The budgets that it does not fit into, where that is not told yet.
    """

    standing: BudgetStanding
    alias: str | None
    need_nanos: int
    waives: frozenset[str] = frozenset()
    untold: tuple[BudgetStanding, ...] = ()


Judge = Callable[[Iterable[BudgetStanding], int, Collection[str]], Admitted | Refused]
"""Decides over one attempt: the standings of its own subjects, what it needs at most
in nano-dollars, and the ids of budgets that are waived for it."""


# Made once: each batch of reservations asks it.
_CONCERNED = (
    select(budgets)
    .where(budgets.c.subject.in_(bindparam("subjects", expanding=True)))
    .order_by(budgets.c.id)
    .with_for_update()
)


def standings(
    connection: Connection, subjects: Collection[str], day: date
) -> tuple[BudgetStanding, ...]:
    """Return how the budgets of these subjects stand, by the ids of the budgets.

    For the transaction that reserves: on PostgreSQL the rows of the budgets are
    locked, in the order of their ids, so that nobody else admits anything to them
    before the commit; SQLite has one writer at a time anyway. Lock nothing of
    `spending` before. What one transaction reserves for several attempts in a row
    it must add itself, by `BudgetStanding.charged`.

    Args:
        connection: Of a transaction that may write.
        subjects: See `core.subjects`.
        day: The day that the attempts are counted for, in the reporting time zone.
    """
    if not subjects:
        return ()
    rows = rows_of(connection, _CONCERNED, {"subjects": list(subjects)})
    return standings_of(connection, rows, day)


def note_passed(
    connection: Connection, untold: Iterable[BudgetStanding], at: datetime
) -> tuple[BudgetStanding, ...]:
    """Note that these budgets are passed, and return those nobody had noted before.

    Each of those has its audit row `budget.passed` now; after the commit it wants a
    log line and a count (`services.budgets.tell_passed`). For the transaction that
    reserves or refuses.

    Args:
        connection: Of a transaction that may write.
        untold: Of one verdict or of several; the same budget may come twice.
        at: Now, aware.
    """
    # By id: two transactions must not wait for each other's rows.
    by_id = {each.budget.id: each for each in untold}
    new = [by_id[each] for each in sorted(by_id) if _note(connection, by_id[each], at)]
    for standing in new:
        row = standing.budget
        told = {
            "kind": row.kind,
            "period": row.period,
            "period_start": standing.period_start.isoformat(),
            "limit_nanos": row.limit_nanos,
            "spent_nanos": standing.settled_nanos,
            "reserved_nanos": standing.reserved_nanos,
        }
        audit.record(connection, _LEDGER, "budget.passed", row.id, at, told)
    return tuple(new)


def _note(connection: Connection, standing: BudgetStanding, at: datetime) -> bool:
    values = {
        "budget_id": standing.budget.id,
        "period_start": standing.period_start.isoformat(),
        "at": at,
    }
    statement = (
        insert_into(connection, budget_notices).values(values).on_conflict_do_nothing()
    )
    # Of an insert PostgreSQL's driver tells it only when it is asked to.
    options = {"preserve_rowcount": True}
    return connection.execute(statement, execution_options=options).rowcount > 0


def rows_of(
    connection: Connection,
    query: Select[*tuple[object, ...]],
    values: Mapping[str, object] | None = None,
) -> tuple[BudgetRow, ...]:
    """Return what a query for whole rows of budgets finds, in its order."""
    found = connection.execute(query, values).mappings()
    return tuple(BudgetRow(**row) for row in found)


def standings_of(
    connection: Connection, rows: Sequence[BudgetRow], day: date
) -> tuple[BudgetStanding, ...]:
    """Return how these budgets stand on a day, in their order; locks nothing."""
    if not rows:
        return ()
    starts = {row.id: period_start(row.period, day) for row in rows}
    earliest = min(starts.values())
    days = _spent_by_day(connection, rows, earliest)
    told = _told(connection, rows, earliest)
    found = []
    for row in rows:
        start = starts[row.id]
        spent = _summed(days.get(row.subject, ()), start, row.period)
        is_told = (row.id, start.isoformat()) in told
        found.append(
            BudgetStanding(row, start, spent.nanos, is_told, spent.reserved_nanos)
        )
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Spent:
    """What a subject spent on a day, or in a period; the part that is reserved."""

    day: str
    nanos: int
    reserved_nanos: int


def _spent_by_day(
    connection: Connection, rows: Iterable[BudgetRow], earliest: date
) -> dict[str, list[_Spent]]:
    """Return what each subject spent on each day since the earliest."""
    query = select(
        spending.c.subject,
        spending.c.day,
        spending.c.reserved_nanos,
        spending.c.settled_nanos,
    ).where(
        spending.c.subject.in_({row.subject for row in rows}),
        spending.c.day >= earliest.isoformat(),
    )
    found: dict[str, list[_Spent]] = {}
    for subject, day, reserved, settled in connection.execute(query):
        found.setdefault(subject, []).append(_Spent(day, reserved + settled, reserved))
    return found


def _summed(days: Iterable[_Spent], start: date, period: Period) -> _Spent:
    # A host whose clock is ahead may have written for tomorrow: that counts too.
    first, after = start.isoformat(), next_start(period, start).isoformat()
    within = [each for each in days if first <= each.day < after]
    return _Spent(
        first,
        sum(each.nanos for each in within),
        sum(each.reserved_nanos for each in within),
    )


def _told(
    connection: Connection, rows: Iterable[BudgetRow], earliest: date
) -> set[tuple[str, str]]:
    """Return the ids and the first days of the periods that were told."""
    query = select(budget_notices.c.budget_id, budget_notices.c.period_start).where(
        budget_notices.c.budget_id.in_([row.id for row in rows]),
        budget_notices.c.period_start >= earliest.isoformat(),
    )
    return {(row[0], row[1]) for row in connection.execute(query)}
