"""`flaskllm budgets`."""

import json
from dataclasses import dataclass
from zoneinfo import ZoneInfo

import pytest
from budget_rows import DOLLAR, NOON, rows_in, spend
from click.testing import CliRunner
from fakes import FakeClock

from flaskllm.cli.budgets import budgets
from flaskllm.services.budget_keeping import Budgets
from flaskllm.storage.budget_rows import BudgetRows
from flaskllm.storage.tables import audit

ANN = "4fZkQ81mNb2c"
MONTH = ("--period", "month", "--limit", "25.00")


@dataclass(frozen=True)
class SomeServices:
    """What the commands use of the services."""

    budgets: Budgets


@pytest.fixture
def database(sqlite_database_url, make_database):
    return make_database(sqlite_database_url)


@pytest.fixture
def run(database):
    services = SomeServices(
        Budgets(
            BudgetRows(database),
            {ANN}.__contains__,
            lambda: ("fast", "local"),
            FakeClock(NOON),
            ZoneInfo("UTC"),
        )
    )

    def run(*arguments):
        return CliRunner().invoke(budgets, arguments, obj=lambda: services)

    return run


def listed(run, *arguments):
    return json.loads(run("list", "--json", *arguments).stdout)


def test_the_id_of_a_new_budget_stands_alone_on_stdout(run):
    result = run("create", "--tag", "sales", *MONTH, "--on-exhausted", "local")

    assert result.exit_code == 0
    (made,) = listed(run)
    assert result.stdout == f"{made['id']}\n"
    assert made == {
        "id": made["id"],
        "subject": "tag:sales",
        "period": "month",
        "kind": "hard",
        "limit_nanos": 25 * DOLLAR,
        "on_exhausted": "local",
        "spent_nanos": 0,
        "reserved_nanos": 0,
        "remaining_nanos": 25 * DOLLAR,
        "period_start": "2026-08-01",
        "resets_at": "2026-09-01T00:00:00+00:00",
    }


def test_it_may_be_soft_and_for_a_principal(run):
    run("create", "--principal", ANN, *MONTH, "--soft")

    (made,) = listed(run)
    assert (made["subject"], made["kind"]) == (f"principal:{ANN}", "soft")


def test_the_audit_names_the_user_of_the_machine(run, database):
    run("create", "--tag", "sales", *MONTH)

    (row,) = rows_in(database, audit)
    assert row["principal_id"].startswith("cli:")


@pytest.mark.parametrize(
    "limit",
    ["-1", "1e3", "0.0000000001", "25,00", "all", "", "NaN", "٢٥", "1" * 13],
)
def test_dollars_that_are_not_exact_are_refused(run, limit):
    result = run("create", "--tag", "sales", "--period", "day", f"--limit={limit}")

    assert result.exit_code == 2
    assert "at most 9 decimals" in result.stderr
    assert listed(run) == []


@pytest.mark.parametrize(
    ("limit", "nanos"), [("0", 0), ("0.000000001", 1), ("25.1", 25_100_000_000)]
)
def test_dollars_are_read_exactly(run, limit, nanos):
    run("create", "--tag", "sales", "--period", "day", "--limit", limit)

    assert listed(run)[0]["limit_nanos"] == nanos


@pytest.mark.parametrize("whom", [(), ("--tag", "sales", "--principal", ANN)])
def test_it_is_for_one_of_both(run, whom):
    result = run("create", *whom, *MONTH)

    assert result.exit_code == 2
    assert "either --principal or --tag" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("create", "--principal", "nobody", *MONTH), "does not exist"),
        (("create", "--tag", "Sales", *MONTH), "neither a principal nor a tag"),
        (("create", "--tag", "x", *MONTH, "--on-exhausted", "locul"), "allowed: local"),
        (("list", "--tag", "Sales"), "neither a principal nor a tag"),
    ],
)
def test_a_value_that_is_not_allowed_ends_it_with_status_2(run, arguments, told):
    result = run(*arguments)

    assert result.exit_code == 2
    assert told in result.stderr


@pytest.mark.parametrize(
    "arguments", [("update", "bud_1", "--limit", "1"), ("remove", "bud_1")]
)
def test_a_budget_that_is_not_there_is_one_line_and_status_1(run, arguments):
    result = run(*arguments)

    assert result.exit_code == 1
    assert result.stderr == "Error: There is no such budget.\n"


def test_the_list_is_a_table_in_dollars(run, database):
    run("create", "--tag", "sales", *MONTH)
    run("create", "--tag", "eu", "--period", "day", "--limit", "1", "--soft")
    spend(database, "tag:sales", "2026-08-02", settled_nanos=DOLLAR, reserved_nanos=1)

    lines = run("list").stdout.splitlines()

    assert lines[0].split()[:4] == ["ID", "SUBJECT", "PERIOD", "KIND"]
    assert [" ".join(line.split()[1:]) for line in lines[1:]] == [
        "tag:eu day soft 1.00 0.00 0.00 2026-08-06T00:00+00:00 -",
        "tag:sales month hard 25.00 1.00 0.000000001 2026-09-01T00:00+00:00 -",
    ]


def test_the_list_may_be_of_one_subject(run):
    run("create", "--tag", "sales", *MONTH)
    run("create", "--principal", ANN, *MONTH)

    assert [each["subject"] for each in listed(run, "--tag", "sales")] == ["tag:sales"]
    found = listed(run, "--principal", ANN)
    assert [each["subject"] for each in found] == [f"principal:{ANN}"]


@pytest.mark.parametrize(
    ("arguments", "field", "value"),
    [
        (("--limit", "7.5"), "limit_nanos", 7_500_000_000),
        (("--on-exhausted", "fast"), "on_exhausted", "fast"),
        (("--on-exhausted", "none"), "on_exhausted", None),
        (("--soft", "--on-exhausted", "none"), "kind", "soft"),
        (("--hard",), "kind", "hard"),
    ],
)
def test_a_change_is_what_was_said(run, arguments, field, value):
    made = run("create", "--tag", "sales", *MONTH, "--on-exhausted", "local")
    budget_id = made.stdout.strip()

    result = run("update", budget_id, *arguments)

    assert result.stdout == f"Budget {budget_id} is changed.\n"
    assert listed(run)[0][field] == value


def test_a_change_of_nothing_is_refused(run):
    budget_id = run("create", "--tag", "sales", *MONTH).stdout.strip()

    assert run("update", budget_id).exit_code == 2


def test_a_removed_budget_is_gone(run):
    budget_id = run("create", "--tag", "sales", *MONTH).stdout.strip()

    assert run("remove", budget_id).stdout == f"Budget {budget_id} is removed.\n"
    assert listed(run) == []
