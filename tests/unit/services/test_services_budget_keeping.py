"""Budgets made, shown, changed and removed, on either store."""

import json
from dataclasses import replace
from datetime import date
from zoneinfo import ZoneInfo

import pytest
from budget_rows import NOON, OPERATOR, add_budgets, budget, rows_in, spend
from fakes import FakeClock

from flaskllm.core.auth import BOOTSTRAP
from flaskllm.core.errors import (
    Conflict,
    InvalidInputError,
    NotFound,
    PermissionDenied,
)
from flaskllm.services.budget_keeping import MOST_NANOS, Budgets, NewBudget
from flaskllm.storage.budget_rows import BudgetRows
from flaskllm.storage.budgets import note_passed
from flaskllm.storage.tables import audit, budget_notices
from flaskllm.storage.tables import budgets as table

ANN = replace(BOOTSTRAP, id="4fZkQ81mNb2c", kind="api", tags=("sales",))
BOB = replace(BOOTSTRAP, id="9aaaaaaaaaaa", kind="api")
WANTED = NewBudget("tag:sales", "month", "hard", 50)

WRONG = {
    "an unknown principal": ("subject", {"subject": "principal:nobody"}),
    "neither": ("subject", {"subject": "sales"}),
    "a tag that is none": ("subject", {"subject": "tag:Sales"}),
    "an id with a null": ("subject", {"subject": "principal:a\x00"}),
    "a long text": ("subject", {"subject": "tag:" + "a" * 10_000}),
    "an unknown period": ("period", {"period": "year"}),
    "an unknown kind": ("kind", {"kind": "medium"}),
    "negative money": ("limit_nanos", {"limit_nanos": -1}),
    "too much money": ("limit_nanos", {"limit_nanos": MOST_NANOS + 1}),
    "a fraction": ("limit_nanos", {"limit_nanos": 1.5}),
    "true": ("limit_nanos", {"limit_nanos": True}),
    "a text for money": ("limit_nanos", {"limit_nanos": "50"}),
    "an unknown alias": ("on_exhausted", {"on_exhausted": "locul"}),
    "an alias for a soft one": (
        "on_exhausted",
        {"kind": "soft", "on_exhausted": "local"},
    ),
}


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


@pytest.fixture
def budgets(database):
    return keep(database)


def keep(database, aliases=("fast", "local")):
    return Budgets(
        BudgetRows(database),
        {ANN.id, BOB.id}.__contains__,
        lambda: aliases,
        FakeClock(NOON),
        ZoneInfo("Europe/Berlin"),
    )


def actions_in(database):
    return [row["action"] for row in rows_in(database, audit)]


@pytest.mark.parametrize(
    "subject", ["tag:sales", "principal:bootstrap", f"principal:{ANN.id}"]
)
def test_a_budget_is_made_for_a_tag_or_a_principal_that_is_there(budgets, subject):
    report = budgets.create(replace(WANTED, subject=subject), None, OPERATOR)

    row = report.budget
    assert (row.subject, row.limit_nanos, row.created_at) == (subject, 50, NOON)
    assert row.created_by == OPERATOR.principal_id
    assert report.resets_at.isoformat() == "2026-09-01T00:00:00+02:00"
    assert budgets.get(row.id) == report


def test_its_audit_row_says_who_made_what(budgets, database):
    row = budgets.create(replace(WANTED, on_exhausted="local"), None, OPERATOR).budget

    (found,) = rows_in(database, audit)
    assert found["action"] == "budget.create"
    assert found["object_id"] == row.id
    assert found["principal_id"] == OPERATOR.principal_id
    assert found["request_id"] == OPERATOR.request_id
    assert json.loads(found["details"]) == {
        "subject": "tag:sales",
        "period": "month",
        "kind": "hard",
        "limit_nanos": 50,
        "on_exhausted": "local",
    }


@pytest.mark.parametrize(("field", "changes"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_refused_by_its_name_and_nothing_is_stored(
    budgets, database, field, changes
):
    with pytest.raises(InvalidInputError) as caught:
        budgets.create(replace(WANTED, **changes), None, OPERATOR)

    (told,) = caught.value.fields
    assert told.path == field
    assert told.allowed
    assert len(caught.value.details) < 300
    assert rows_in(database, table) == rows_in(database, audit) == []


def test_an_unknown_alias_is_refused_with_the_nearest(budgets):
    with pytest.raises(InvalidInputError, match="not valid") as caught:
        budgets.create(replace(WANTED, on_exhausted="locul"), None, OPERATOR)

    assert caught.value.fields[0].allowed == "local"


def test_without_aliases_none_can_be_named(database):
    with pytest.raises(InvalidInputError) as caught:
        keep(database, ()).create(replace(WANTED, on_exhausted="x"), None, OPERATOR)

    assert caught.value.fields[0].allowed == "none"


@pytest.mark.parametrize("limit", [0, MOST_NANOS])
def test_the_bounds_themselves_are_allowed(budgets, limit):
    report = budgets.create(replace(WANTED, limit_nanos=limit), None, OPERATOR)

    assert report.budget.limit_nanos == limit


def test_a_second_one_of_its_kind_is_refused_and_leaves_no_audit_row(budgets, database):
    budgets.create(WANTED, None, OPERATOR)

    with pytest.raises(Conflict) as caught:
        budgets.create(replace(WANTED, limit_nanos=60), None, OPERATOR)

    assert "tag:sales has a hard budget for one month" in caught.value.details
    assert actions_in(database) == ["budget.create"]


def test_a_report_tells_what_is_settled_reserved_and_left(budgets, database):
    add_budgets(database, row := budget())
    spend(database, "tag:sales", "2026-08-01", settled_nanos=30, reserved_nanos=12)

    report = budgets.get(row.id)

    assert report.settled_nanos == 30
    assert report.standing.reserved_nanos == 12
    assert report.remaining_nanos == 8
    spend(database, "tag:sales", "2026-08-02", settled_nanos=100)
    assert budgets.get(row.id).remaining_nanos == 0


def test_the_present_day_is_that_of_the_reporting_zone(database):
    add_budgets(database, row := budget(period="day"))
    late = FakeClock(NOON.replace(hour=22, minute=30))
    budgets = Budgets(
        BudgetRows(database), set().__contains__, tuple, late, ZoneInfo("Europe/Berlin")
    )

    assert budgets.get(row.id).standing.period_start == date(2026, 8, 6)


def test_everybody_sees_their_own_and_those_of_their_tags(budgets, database):
    theirs = [budget("1"), budget("2", subject=f"principal:{ANN.id}")]
    others = [budget("3", subject="tag:eu"), budget("4", subject=f"principal:{BOB.id}")]
    add_budgets(database, *theirs, *others)

    assert {each.budget for each in budgets.list_own(ANN)} == set(theirs)
    assert {each.budget for each in budgets.list_all()} == {*theirs, *others}
    assert [each.budget for each in budgets.list_all("tag:eu")] == others[:1]
    for row in theirs:
        assert budgets.get(row.id, ANN).budget == row


@pytest.mark.parametrize("subject", ["sales", "", "tag:\x00", "principal:\x00"])
def test_a_filter_that_is_no_subject_is_refused(budgets, subject):
    with pytest.raises(InvalidInputError):
        budgets.list_all(subject)


def test_another_s_budget_reads_like_one_that_is_not_there(budgets, database):
    add_budgets(database, row := budget("3", subject="tag:eu"))

    told = []
    for asked in (row.id, f"bud_{'x' * 20}", "bud_\x00", ""):
        with pytest.raises(NotFound) as caught:
            budgets.get(asked, ANN)
        told.append((caught.value.message, caught.value.details))

    assert len(set(told)) == 1


def test_a_change_keeps_what_was_spent_and_is_audited(budgets, database):
    add_budgets(database, row := budget())
    spend(database, "tag:sales", "2026-08-05", settled_nanos=30)

    changes = {"limit_nanos": 20, "on_exhausted": "fast"}
    report = budgets.update(row.id, changes, None, OPERATOR)

    assert report.budget == replace(row, limit_nanos=20, on_exhausted="fast")
    assert (report.settled_nanos, report.remaining_nanos) == (30, 0)
    (found,) = [
        each for each in rows_in(database, audit) if each["action"] == "budget.update"
    ]
    assert json.loads(found["details"]) == {
        "subject": "tag:sales",
        "before": {"kind": "hard", "limit_nanos": 50, "on_exhausted": None},
        "after": {"kind": "hard", "limit_nanos": 20, "on_exhausted": "fast"},
    }


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("body", {}),
        ("kind", {"kind": "medium"}),
        ("limit_nanos", {"limit_nanos": -1}),
        ("on_exhausted", {"on_exhausted": "nowhere"}),
        ("on_exhausted", {"kind": "soft", "on_exhausted": "fast"}),
    ],
)
def test_a_wrong_change_changes_nothing(budgets, database, field, changes):
    add_budgets(database, row := budget())

    with pytest.raises(InvalidInputError) as caught:
        budgets.update(row.id, changes, None, OPERATOR)

    assert caught.value.fields[0].path == field
    assert budgets.get(row.id).budget == row
    assert "budget.update" not in actions_in(database)


@pytest.mark.parametrize("missing", [f"bud_{'x' * 20}", "bud_\x00"])
def test_what_is_not_there_cannot_be_changed_or_removed(budgets, missing):
    with pytest.raises(NotFound):
        budgets.update(missing, {"limit_nanos": 1}, None, OPERATOR)
    with pytest.raises(NotFound):
        budgets.remove(missing, None, OPERATOR)


def test_a_removed_budget_is_gone_with_what_was_noted_of_it(budgets, database):
    add_budgets(database, row := budget())
    with database.transaction() as connection:
        note_passed(connection, [budgets.get(row.id).standing], NOON)

    budgets.remove(row.id, None, OPERATOR)

    assert rows_in(database, table) == rows_in(database, budget_notices) == []
    assert sorted(actions_in(database)) == [
        "budget.create",
        "budget.passed",
        "budget.remove",
    ]


def test_who_is_bound_by_a_budget_loosens_none(budgets, database):
    own = budget("1")
    other = budget("2", 20, subject=f"principal:{BOB.id}")
    add_budgets(database, own, other)

    with pytest.raises(PermissionDenied):
        budgets.create(replace(WANTED, subject="tag:eu", limit_nanos=51), ANN, OPERATOR)
    for row, limit in ((own, 51), (other, 51)):
        with pytest.raises(PermissionDenied):
            budgets.update(row.id, {"limit_nanos": limit}, ANN, OPERATOR)
        with pytest.raises(PermissionDenied):
            budgets.remove(row.id, ANN, OPERATOR)

    assert actions_in(database) == ["budget.create"] * 2
    assert {each.budget for each in budgets.list_all()} == {own, other}


def test_who_is_bound_by_none_and_the_shell_may_do_anything(budgets, database):
    add_budgets(database, row := budget("1", kind="soft"), budget("2"))

    budgets.update(row.id, {"limit_nanos": 51}, ANN, OPERATOR)
    budgets.update(f"bud_{'2':0>20}", {"limit_nanos": 51}, BOB, OPERATOR)
    budgets.remove(f"bud_{'2':0>20}", None, OPERATOR)

    assert [each.budget.limit_nanos for each in budgets.list_all()] == [51]
