"""How budgets stand by the sums of the ledger, on either store."""

import json
from contextlib import suppress
from datetime import date
from threading import Event, Thread

import pytest
from budget_rows import (
    NOON,
    OPERATOR,
    TODAY,
    add_budgets,
    budget,
    rows_in,
    spend,
    standing,
)

from flaskllm.core.errors import Conflict
from flaskllm.storage.budget_rows import BudgetRows
from flaskllm.storage.budgets import note_passed, standings
from flaskllm.storage.tables import audit, budget_notices, budgets, spending

WEEK_START = date(2026, 8, 3)

# What was spent on which day, by the period that it counts for on 5 August 2026.
SPENT = {
    "2026-07-31": set(),
    "2026-08-01": {"month"},
    "2026-08-02": {"month"},
    "2026-08-03": {"month", "week"},
    "2026-08-05": {"month", "week", "day"},
    "2026-08-06": {"month", "week"},  # a host whose clock is ahead
    "2026-08-09": {"month", "week"},
    "2026-08-31": {"month"},
    "2026-09-01": set(),
}


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


def standings_now(database, *subjects, day=TODAY):
    with database.transaction() as connection:
        return standings(connection, subjects, day)


def test_a_period_has_what_was_reserved_and_settled_in_it(database):
    rows = [budget(period, period=period) for period in ("day", "week", "month")]
    add_budgets(database, *rows)
    for number, day in enumerate(SPENT):
        spend(database, "tag:sales", day, settled_nanos=2**number)

    found = standings_now(database, "tag:sales")

    spent = {
        each.budget.period: {
            day for number, day in enumerate(SPENT) if each.spent_nanos & 2**number
        }
        for each in found
    }
    assert spent == {
        period: {day for day, periods in SPENT.items() if period in periods}
        for period in ("day", "week", "month")
    }
    starts = {each.budget.period: each.period_start for each in found}
    assert starts == {"day": TODAY, "week": WEEK_START, "month": date(2026, 8, 1)}


def test_what_is_reserved_is_spent_and_told_apart(database):
    add_budgets(database, row := budget())
    spend(database, "tag:sales", "2026-08-05", settled_nanos=30, reserved_nanos=12)
    spend(database, "tag:sales", "2026-08-04", settled_nanos=1, reserved_nanos=3)

    (found,) = standings_now(database, "tag:sales")

    assert (found.budget, found.spent_nanos, found.reserved_nanos) == (row, 46, 15)


def test_only_the_subjects_that_are_named_are_looked_at_by_the_order_of_ids(database):
    add_budgets(
        database,
        budget("3", subject="principal:bootstrap"),
        budget("2", subject="tag:eu"),
        budget("1"),
    )
    spend(database, "tag:eu", "2026-08-05", settled_nanos=7)

    found = standings_now(database, "principal:bootstrap", "tag:sales")

    assert [each.budget.id[-1] for each in found] == ["1", "3"]
    assert [each.spent_nanos for each in found] == [0, 0]
    assert standings_now(database) == ()
    assert standings_now(database, "tag:none") == ()


def test_a_passed_budget_is_noted_once_in_each_of_its_periods(database):
    add_budgets(database, row := budget())
    there = standing(row, 60)

    def note(standing_, day=TODAY):
        with database.transaction() as connection:
            (seen,) = standings(connection, ["tag:sales"], day)
            return note_passed(connection, [standing_, standing_], NOON), seen.is_told

    assert note(there) == ((there,), False)
    assert note(there) == ((), True)
    september = standing(row, 70, start=date(2026, 9, 1))
    assert note(september, date(2026, 9, 7)) == ((september,), False)
    assert len(rows_in(database, budget_notices)) == 2


def test_what_is_noted_has_an_audit_row_of_its_own(database):
    add_budgets(database, row := budget(kind="soft"))

    with database.transaction() as connection:
        note_passed(connection, [standing(row, 60)], NOON)

    (found,) = [
        each for each in rows_in(database, audit) if each["action"] == "budget.passed"
    ]
    assert (found["principal_id"], found["object_id"]) == ("ledger", row.id)
    assert json.loads(found["details"]) == {
        "kind": "soft",
        "period": "month",
        "period_start": "2026-08-01",
        "limit_nanos": 50,
        "spent_nanos": 60,
        "reserved_nanos": 0,
    }


def test_a_note_that_is_rolled_back_was_none(database):
    add_budgets(database, row := budget())

    with suppress(KeyError), database.transaction() as connection:
        note_passed(connection, [standing(row, 60)], NOON)
        raise KeyError

    assert rows_in(database, budget_notices) == []


def test_a_subject_has_one_budget_of_a_period_and_kind(database):
    rows = BudgetRows(database)
    add_budgets(database, budget("1"))

    for same in (budget("2"), budget("3", 99, on_exhausted="local")):
        with pytest.raises(Conflict):
            rows.add(same, OPERATOR)
    others = [
        budget("4", period="day"),
        budget("5", kind="soft"),
        budget("6", subject="tag:eu"),
    ]
    for other in others:
        rows.add(other, OPERATOR)

    assert len(rows_in(database, budgets)) == 4


def test_a_change_to_a_kind_that_is_there_is_refused_and_changes_nothing(database):
    rows = BudgetRows(database)
    add_budgets(database, hard := budget("1"), budget("2", kind="soft"))

    with pytest.raises(Conflict):
        rows.change(hard.id, lambda row: budget("1", 9, kind="soft"), OPERATOR, NOON)

    assert rows.standing(hard.id, TODAY).budget == hard


def test_who_reserves_has_the_budget_to_itself(database):
    """Two that look at once look one after the other: the second sees the first."""
    add_budgets(database, budget())
    first_has_looked, second_was_begun = Event(), Event()
    seen = []

    def first():
        with database.transaction() as connection:
            (found,) = standings(connection, ["tag:sales"], TODAY)
            first_has_looked.set()
            second_was_begun.wait(5)
            seen.append(found.spent_nanos)
            spend_in(connection, 40)

    def second():
        first_has_looked.wait(5)
        second_was_begun.set()
        (found,) = standings_now(database, "tag:sales")
        seen.append(found.spent_nanos)

    threads = [Thread(target=first), Thread(target=second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [0, 40]


def spend_in(connection, nanos):
    values = {
        "subject": "tag:sales",
        "day": "2026-08-05",
        "reserved_nanos": nanos,
        "settled_nanos": 0,
    }
    connection.execute(spending.insert().values(values))
