"""`flaskllm tokens` and `flaskllm db`."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest
from click.testing import CliRunner

from flaskllm.cli.database import database_commands
from flaskllm.cli.tokens import tokens
from flaskllm.core.auth import Scope, parse_token
from flaskllm.core.clock import SystemClock
from flaskllm.core.secrets import KeyRing
from flaskllm.services.api_tokens import ApiTokenService
from flaskllm.storage.api_tokens import ApiTokens
from flaskllm.storage.database import Database


class Today(SystemClock):
    """A clock that stands still."""

    def now(self):
        return datetime(2030, 1, 1, 8, 30, tzinfo=UTC)


@dataclass(frozen=True)
class SomeServices:
    """What the commands use of the services."""

    api_tokens: ApiTokenService
    database: Database


@pytest.fixture
def services(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/x.db", journal="truncate", clock=Today())
    ring = KeyRing("a master secret of forty characters, yes", tmp_path)
    service = ApiTokenService(ApiTokens(database), ring, Today())
    yield SomeServices(service, database)
    database.close()


@pytest.fixture
def run(services):
    def run(*arguments, group=tokens):
        return CliRunner().invoke(group, arguments, obj=lambda: services)

    return run


def test_a_new_token_stands_alone_on_the_last_line_of_stdout(run, services):
    result = run("create", "mail server", "--scope", "webhook", "--scope", "read")

    text = result.stdout.splitlines()[-1]
    assert result.exit_code == 0
    assert parse_token(text).id in result.stderr
    assert text not in result.stderr
    principal = services.api_tokens.authenticate(text)
    assert principal.name == "mail server"
    assert principal.scopes == {Scope.WEBHOOK, Scope.READ}


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        ("2030-01-31", datetime(2030, 1, 31, tzinfo=UTC)),
        ("2030-01-31T18:30", datetime(2030, 1, 31, 18, 30, tzinfo=UTC)),
        ("2030-01-31T18:30:00Z", datetime(2030, 1, 31, 18, 30, tzinfo=UTC)),
        (
            "2030-01-31T18:30+09:00",
            datetime(2030, 1, 31, 18, 30, tzinfo=timezone(timedelta(hours=9))),
        ),
    ],
)
def test_a_token_expires_when_it_is_told_to(run, services, given, meant):
    assert run("create", "x", "--scope", "chat", "--expires", given).exit_code == 0

    assert services.api_tokens.list_tokens()[0].expires_at == meant


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        pytest.param(["x"], 2, "--scope", id="no-scope"),
        pytest.param(["x", "--scope", "root"], 2, "'root' is not one of", id="scope"),
        pytest.param(["--scope", "chat"], 2, "NAME", id="no-name"),
        pytest.param(
            ["x", "--scope", "chat", "--expires", "soon"],
            2,
            "'soon' is not like 2030-01-31",
            id="no-date",
        ),
        pytest.param(
            ["x", "--scope", "chat", "--expires", "2029-12-31"],
            1,
            "expires_at: 2029-12-31T00:00:00+00:00 has passed",
            id="past-date",
        ),
        pytest.param(["\x1b[2J", "--scope", "chat"], 1, "name: not", id="escape"),
    ],
)
def test_a_wrong_create_is_told_and_makes_nothing(
    run, services, arguments, status, words
):
    result = run("create", *arguments)

    assert result.exit_code == status
    assert words in result.stderr
    assert result.stdout == ""
    assert not services.api_tokens.has_any()


def test_the_list_shows_all_but_secrets(run, services):
    far = datetime(2031, 2, 3, 4, 5, tzinfo=UTC)
    first = services.api_tokens.create("mail server", frozenset(Scope), far)
    second = services.api_tokens.create("x", frozenset({Scope.CHAT}))
    services.api_tokens.authenticate(first.text)
    services.api_tokens.revoke(second.id)

    result = run("list")

    heading, *lines = [re.split(" {2,}", line) for line in result.stdout.splitlines()]
    assert result.exit_code == 0
    assert heading[:3] == ["ID", "NAME", "SCOPES"]
    assert heading[3:] == ["CREATED", "EXPIRES", "LAST USED", "STATE"]
    assert sorted(lines, key=lambda cells: cells[1]) == [
        [
            first.id,
            "mail server",
            "admin,chat,read,webhook",
            "2030-01-01T08:30Z",
            "2031-02-03T04:05Z",
            "2030-01-01T08:30Z",
            "active",
        ],
        [second.id, "x", "chat", "2030-01-01T08:30Z", "never", "never", "revoked"],
    ]
    assert first.text[21:53] not in result.output


def test_the_columns_of_the_list_stand_under_each_other(run, services):
    services.api_tokens.create("a rather long name", frozenset({Scope.CHAT}))

    heading, line = run("list").stdout.splitlines()

    assert heading.index("SCOPES") == line.index("chat")
    assert heading.index("STATE") == line.index("active")


def test_an_empty_list_has_only_its_heading(run):
    assert len(run("list").stdout.splitlines()) == 1


def test_a_token_is_revoked(run, services):
    token = services.api_tokens.create("x", frozenset({Scope.CHAT}))

    result = run("revoke", token.id)

    assert (result.exit_code, result.stderr) == (0, "")
    assert services.api_tokens.list_tokens()[0].state == "revoked"


def test_to_revoke_an_unknown_token_fails_and_says_so(run):
    result = run("revoke", "nobody")

    assert result.exit_code == 1
    assert result.stderr == "Error: There is no API token with the id 'nobody'.\n"


@pytest.mark.parametrize("command", [["list"], ["revoke", "x"]])
def test_a_database_that_does_not_work_is_told_in_words(run, tmp_path, command):
    (tmp_path / "x.db").write_bytes(b"no database " * 1000)

    result = run(*command)

    assert result.exit_code == 1
    assert "file is damaged" in result.stderr


def test_db_upgrade_says_whether_it_did_anything(run):
    first = run("upgrade", group=database_commands)
    second = run("upgrade", group=database_commands)

    assert (first.exit_code, first.stdout) == (0, "The schema was upgraded.\n")
    assert (second.exit_code, second.stdout) == (0, "The schema is up to date.\n")


def test_db_upgrade_fails_in_words(run, tmp_path):
    (tmp_path / "x.db").write_bytes(b"no database " * 1000)

    result = run("upgrade", group=database_commands)

    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("Error: The database cannot be used at the moment.")
