"""`flaskllm audit`: who changed what, when, from where."""

import json
import re
from dataclasses import dataclass
from datetime import timedelta

import pytest
from api_tokens import START, TESTER, TokenWorld, make_token
from click.testing import CliRunner
from fakes import FakeClock

from flaskllm.cli.audit import audit
from flaskllm.core.auth import Actor
from flaskllm.services.audit import Audit
from flaskllm.storage.audit import AuditRows
from flaskllm.storage.database import Database


@dataclass(frozen=True)
class SomeServices:
    """What the command uses of the services."""

    audit: Audit


@pytest.fixture
def world(tmp_path):
    clock = FakeClock(START + timedelta(hours=8.5))
    database = Database(f"sqlite:///{tmp_path}/x.db", journal="truncate", clock=clock)
    yield TokenWorld(database, tmp_path, clock=clock)
    database.close()


@pytest.fixture
def service(world):
    return world.service


@pytest.fixture
def run(world):
    services = SomeServices(Audit(AuditRows(world.database)))

    def run(*arguments):
        return CliRunner().invoke(audit, arguments, obj=lambda: services)

    return run


def test_an_argument_that_is_no_text_is_told(run):
    # So does Python hand a byte on that is no UTF-8.
    result = run("--object", "\udcff")

    assert result.exit_code == 1
    assert result.stderr == "Error: An argument is not readable as UTF-8.\n"


def test_it_tells_who_did_what_the_latest_first(run, service, world):
    token = make_token(service, name="x")
    world.clock.advance(60)
    world.service.update(token.id, {"owner": "Ann"}, actor=Actor("ab", "::1"))

    heading, *lines = [re.split(" {2,}", line) for line in run().stdout.splitlines()]

    assert heading == ["TIME", "WHO", "FROM", "ACTION", "OBJECT", "DETAILS"]
    newest, oldest = lines
    assert newest[0] == "2030-01-01T08:31:00Z"
    assert newest[1:] == [
        "ab",
        "::1",
        "token.update",
        token.id,
        '{"owner": {"old": "", "new": "Ann"}}',
    ]
    assert oldest[1:5] == ["cli:tester", "-", "token.create", token.id]
    assert oldest[5].endswith("…")


def test_json_is_what_the_api_answers(run, service):
    token = make_token(service, name="x")

    (row,) = json.loads(run("--json").stdout)

    assert (row["action"], row["object"]) == ("token.create", token.id)
    assert (row["principal"], row["peer"]) == ("cli:tester", "")
    assert row["details"]["name"] == "x"


def test_it_is_filtered_and_cut(run, service, world):
    token = make_token(service)
    for _ in range(3):
        world.clock.advance(1)
        world.service.roll(token.id, 0, actor=Actor("ab"))
    world.clock.advance(1)
    service.revoke(token.id, actor=TESTER)

    def actions(*arguments):
        found = json.loads(run(*arguments, "--json").stdout)
        return [row["action"] for row in found]

    assert actions("--limit", "2") == ["token.revoke", "token.roll"]
    assert actions("--action", "token.roll") == ["token.roll"] * 3
    assert actions("--principal", "cli:tester") == ["token.revoke", "token.create"]
    assert actions("--object", "another") == []


def test_what_could_steer_a_terminal_is_left_out(run, service):
    make_token(service)
    service.revoke(service.list_tokens()[0].id, actor=Actor("cli:a\x1b[2J"))

    assert "cli:a[2J" in run("--action", "token.revoke").stdout
    assert "\x1b" not in run().stdout
