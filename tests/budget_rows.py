"""Budgets and how they stand, for the tests of money."""

from datetime import UTC, date, datetime

from flaskllm.core.auth import Actor
from flaskllm.storage.budget_rows import insert
from flaskllm.storage.budgets import BudgetRow, BudgetStanding
from flaskllm.storage.tables import spending

DOLLAR = 10**9
NOON = datetime(2026, 8, 5, 12, 0, tzinfo=UTC)  # a Wednesday
TODAY = NOON.date()
OPERATOR = Actor("cli:ann", "", "req_of_the_test")


def budget(name="a", limit_nanos=50, **fields):
    """Return a hard budget of a month for the tag `sales`, but for these fields."""
    usual = {
        "id": f"bud_{name:0>20}",
        "subject": "tag:sales",
        "period": "month",
        "kind": "hard",
        "limit_nanos": limit_nanos,
        "on_exhausted": None,
        "created_at": NOON,
        "created_by": "cli:ann",
    }
    return BudgetRow(**{**usual, **fields})


def standing(row, spent_nanos=0, *, is_told=False, start=date(2026, 8, 1)):
    """Return how a budget stands."""
    return BudgetStanding(row, start, spent_nanos, is_told)


def add_budgets(database, *rows):
    """Store budgets."""
    with database.transaction() as connection:
        for row in rows:
            insert(connection, row, OPERATOR)


def spend(database, subject, day, settled_nanos=0, reserved_nanos=0):
    """Store what a subject spent on a day, an ISO date."""
    values = {
        "subject": subject,
        "day": day,
        "reserved_nanos": reserved_nanos,
        "settled_nanos": settled_nanos,
    }
    with database.transaction() as connection:
        connection.execute(spending.insert().values(values))


def rows_in(database, table):
    """Return all rows of a table as dictionaries."""
    with database.reading() as connection:
        return [dict(row) for row in connection.execute(table.select()).mappings()]
