"""Budgets for the faces, on a database in memory: every principal and name exists."""

from zoneinfo import ZoneInfo

from fakes import FakeClock

from flaskllm.services.budget_keeping import Budgets
from flaskllm.storage.budget_rows import BudgetRows
from flaskllm.storage.database import Database


class EveryName:
    """Holds whatever is looked for."""

    def __contains__(self, name):
        return True

    def __len__(self):
        return 0

    def __iter__(self):
        return iter(())


def make_budgets():
    """Return budgets on a clock that stands still."""
    clock = FakeClock()
    rows = BudgetRows(Database("sqlite://", journal="wal", clock=clock))
    return Budgets(rows, lambda _: True, EveryName, clock, ZoneInfo("UTC"))
