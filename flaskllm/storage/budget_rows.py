"""The table of budgets, for those who set them. Each change has its audit row."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import asdict
from datetime import date, datetime

from sqlalchemy import Connection, select
from sqlalchemy.exc import IntegrityError

from flaskllm.core.auth import Actor
from flaskllm.core.errors import Conflict
from flaskllm.storage import audit
from flaskllm.storage.budgets import (
    BudgetRow,
    BudgetStanding,
    rows_of,
    standings_of,
)
from flaskllm.storage.database import Database
from flaskllm.storage.tables import budget_notices, budgets

_CHANGEABLE = ("kind", "limit_nanos", "on_exhausted")


class BudgetRows:
    """The table of budgets: one at most for a subject, a period and a kind."""

    def __init__(self, database: Database) -> None:
        """Keep the database; nothing is opened."""
        self._database = database

    def add(self, row: BudgetRow, actor: Actor) -> None:
        """Store a new budget.

        Raises:
            Conflict: Its subject has one of this period and kind.
            ServiceUnavailable: Nothing was stored; a retry may help.
        """
        with self._database.transaction() as connection:
            insert(connection, row, actor)

    def change(
        self,
        budget_id: str,
        change: Callable[[BudgetRow], BudgetRow],
        actor: Actor,
        at: datetime,
    ) -> BudgetRow | None:
        """Return the budget as it is from now on; None where there is none.

        Args:
            budget_id: Its id.
            change: Makes the new row of the present one, differing in kind, limit and
                alias only. What it raises leaves everything as it was.
            actor: Who changes it.
            at: Now, aware.

        Raises:
            Conflict: Its subject has one of this period and of the new kind.
            ServiceUnavailable: Nothing was changed; a retry may help.
        """
        with self._database.transaction() as connection:
            old = _locked(connection, budget_id)
            if old is None:
                return None
            new = change(old)
            before, after = _changeable(old), _changeable(new)
            statement = budgets.update().where(budgets.c.id == budget_id).values(after)
            try:
                connection.execute(statement)
            except IntegrityError as error:
                raise _conflict(new) from error
            told = {"subject": old.subject, "before": before, "after": after}
            audit.record(connection, actor, "budget.update", budget_id, at, told)
            return new

    def remove(
        self,
        budget_id: str,
        check: Callable[[BudgetRow], None],
        actor: Actor,
        at: datetime,
    ) -> bool:
        """Remove the budget, and tell whether there was one.

        Args:
            budget_id: Its id.
            check: What it raises leaves everything as it was.
            actor: Who removes it.
            at: Now, aware.

        Raises:
            ServiceUnavailable: Nothing was removed; a retry may help.
        """
        with self._database.transaction() as connection:
            row = _locked(connection, budget_id)
            if row is None:
                return False
            check(row)
            told = budget_notices.c.budget_id == budget_id
            connection.execute(budget_notices.delete().where(told))
            connection.execute(budgets.delete().where(budgets.c.id == budget_id))
            audit.record(
                connection, actor, "budget.remove", budget_id, at, _described(row)
            )
            return True

    def standing(self, budget_id: str, day: date) -> BudgetStanding | None:
        """Return how one budget stands on a day; None where there is none."""
        query = select(budgets).where(budgets.c.id == budget_id)
        with self._database.reading() as connection:
            found = standings_of(connection, rows_of(connection, query), day)
        return found[0] if found else None

    def standings(
        self, subjects: Collection[str] | None, day: date
    ) -> tuple[BudgetStanding, ...]:
        """Return how the budgets stand on a day, by subject, the oldest first.

        Args:
            subjects: Whose; None is everybody's.
            day: In the reporting time zone.
        """
        query = select(budgets).order_by(
            budgets.c.subject, budgets.c.created_at, budgets.c.id
        )
        if subjects is not None:
            query = query.where(budgets.c.subject.in_(subjects))
        with self._database.reading() as connection:
            return standings_of(connection, rows_of(connection, query), day)

    def hard(self, subjects: Iterable[str]) -> tuple[BudgetRow, ...]:
        """Return the hard budgets of these subjects."""
        query = select(budgets).where(
            budgets.c.subject.in_(tuple(subjects)), budgets.c.kind == "hard"
        )
        with self._database.reading() as connection:
            return rows_of(connection, query)


def insert(connection: Connection, row: BudgetRow, actor: Actor) -> None:
    """Add a budget and its audit row in the transaction of whoever wants it.

    Raises:
        Conflict: Its subject has one of this period and kind.
    """
    try:
        connection.execute(budgets.insert().values(asdict(row)))
    except IntegrityError as error:
        raise _conflict(row) from error
    audit.record(
        connection, actor, "budget.create", row.id, row.created_at, _described(row)
    )


def _locked(connection: Connection, budget_id: str) -> BudgetRow | None:
    query = select(budgets).where(budgets.c.id == budget_id).with_for_update()
    found = rows_of(connection, query)
    return found[0] if found else None


def _changeable(row: BudgetRow) -> dict[str, object]:
    return {name: getattr(row, name) for name in _CHANGEABLE}


def _described(row: BudgetRow) -> dict[str, object]:
    return {"subject": row.subject, "period": row.period, **_changeable(row)}


def _conflict(row: BudgetRow) -> Conflict:
    return Conflict(
        details=f"{row.subject} has a {row.kind} budget for one {row.period}; "
        "change that one."
    )
