"""`flaskllm db reseal`: what it tells of a master secret that is changed."""

import os
import pwd

import pytest
from click.testing import CliRunner
from sealers import CURRENT, PREVIOUS
from sqlalchemy import text

from flaskllm.cli import actors, cli
from flaskllm.core.config import load
from flaskllm.services.responses import KeptResponse
from flaskllm.storage.audit import AuditRows
from flaskllm.wiring import build_services

KEPT = KeptResponse("resp_1", {"output": []}, [])


@pytest.fixture
def services_of(tmp_path):
    """Return the services of a folder under these secrets."""
    opened = []

    def build(current, previous=None):
        variables = {
            "FLASKLLM_DATA_DIR": str(tmp_path / "data"),
            "FLASKLLM_SECRET": current,
        }
        if previous:
            variables["FLASKLLM_PREVIOUS_SECRET"] = previous
        services = build_services(load(variables, tmp_path))
        opened.append(services.database)
        return services

    yield build
    for database in opened:
        database.close()


@pytest.fixture
def run(services_of, monkeypatch):
    """Run the command under these secrets; return what `invoke` does."""

    def run(*options, current=CURRENT, previous=PREVIOUS):
        services = services_of(current, previous)
        monkeypatch.setattr("flaskllm.cli._obtain_services", lambda: services)
        return CliRunner().invoke(cli, ["db", "reseal", *options])

    return run


def test_without_a_previous_secret_there_is_nothing_to_do(run):
    result = run(previous=None)

    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "There is no previous master secret."


def test_a_check_counts_and_changes_nothing(run, services_of):
    services_of(PREVIOUS).responses.keep(KEPT, "anna")

    results = [run("--check") for _ in range(2)]

    for result in results:
        assert result.exit_code == 1
        assert result.stdout.splitlines() == [
            "under the current master secret: 0",
            "under the previous master secret: 2",
            "Keep the previous master secret: run `flaskllm db reseal`.",
        ]


def test_it_tells_what_it_did_and_when_the_previous_secret_may_go(run, services_of):
    services_of(PREVIOUS).responses.keep(KEPT, "anna")

    result = run()

    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "responses.body: 1 resealed",
        "responses.input_items: 1 resealed",
        "under the current master secret: 2",
        "under the previous master secret: 0",
        "The previous master secret may be removed.",
    ]
    assert services_of(CURRENT).responses.find("resp_1", "anna") == KEPT


def test_the_audit_names_the_user_of_the_machine(run, services_of):
    services_of(PREVIOUS).responses.keep(KEPT, "anna")
    run()

    (row,) = AuditRows(services_of(CURRENT).database).page(9)

    name = pwd.getpwuid(os.getuid()).pw_name
    assert (row.action, row.principal_id) == ("db.reseal", f"cli:{name}")


def test_a_user_without_a_name_is_told_by_the_number(monkeypatch):
    def unknown(_number):
        raise KeyError("no such user")

    monkeypatch.setattr(actors.pwd, "getpwuid", unknown)

    assert actors.cli_actor().principal_id.removeprefix("cli:").isdigit()


def test_api_tokens_that_still_need_the_previous_secret_are_counted(run, services_of):
    database = services_of(PREVIOUS).database
    with database.transaction() as connection:
        connection.execute(
            text(
                "INSERT INTO api_tokens (id, kind, name, digest, scopes, created_at) "
                "VALUES ('t', 'api', 'n', x'00', 'chat', '2020-01-01 00:00:00.000000')"
            )
        )

    result = run()

    assert result.stdout.splitlines()[-2].startswith("1 API tokens were not used since")


def test_what_cannot_be_opened_is_told_and_is_a_failure(run, services_of):
    services = services_of(PREVIOUS)
    services.responses.keep(KEPT, "anna")
    with services.database.transaction() as connection:
        connection.execute(
            text("UPDATE responses SET body = input_items, input_items = x'0102'")
        )

    result = run()

    assert result.exit_code == 1
    assert "under neither, so not readable: 1" in result.stdout
    assert "1 sealed values cannot be opened" in result.stderr


def test_a_wrong_secret_ends_it_with_one_line(run, services_of):
    services_of(PREVIOUS).responses.keep(KEPT, "anna")

    result = run(previous=None)

    assert result.exit_code == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: The master secret is not the one this database was")
