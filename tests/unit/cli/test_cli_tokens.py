"""`flaskllm tokens`: what a person types, and what is kept."""

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

import pytest
from api_tokens import SECRET, START, TESTER, TokenWorld, audit_of, make_token
from click.testing import CliRunner
from fakes import FakeClock

from flaskllm.cli.tokens import tokens
from flaskllm.core.auth import PrincipalLimits, Scope, parse_token
from flaskllm.services.api_tokens import ApiTokenService
from flaskllm.storage.database import Database

FAR = datetime(2031, 2, 3, 4, 5, tzinfo=UTC)


@dataclass(frozen=True)
class SomeServices:
    """What the commands use of the services."""

    api_tokens: ApiTokenService
    database: Database


@pytest.fixture
def world(tmp_path):
    clock = FakeClock(START + timedelta(hours=8.5))
    database = Database(f"sqlite:///{tmp_path}/x.db", journal="truncate", clock=clock)
    yield TokenWorld(database, tmp_path, clock=clock, secret=SECRET)
    database.close()


@pytest.fixture
def service(world):
    return world.service


@pytest.fixture
def run(world):
    services = SomeServices(world.service, world.database)

    def run(*arguments):
        return CliRunner().invoke(tokens, arguments, obj=lambda: services)

    return run


class TestCreate:
    def test_it_stands_alone_on_the_last_line_of_stdout(self, run, service):
        result = run("create", "mail server", "--scope", "webhook", "--scope", "read")

        text = result.stdout.splitlines()[-1]
        assert result.exit_code == 0
        assert parse_token(text).id in result.stderr
        assert text not in result.stderr
        principal = service.authenticate(text)
        assert principal.name == "mail server"
        assert principal.scopes == {Scope.WEBHOOK, Scope.READ}

    def test_every_option_is_kept(self, run, service):
        result = run(
            "create",
            "x",
            *("--scope", "chat", "--direct-models"),
            *("--alias", "fast", "--alias", "not there yet"),
            *("--requests-per-minute", "60", "--tokens-per-minute", "1000"),
            *("--concurrent-requests", "4"),
            *("--network", "192.0.2.7", "--network", "2001:db8::/32"),
            *("--owner", "Ann Lee", "--tag", "team-a", "--tag", "b"),
        )

        principal = service.authenticate(result.stdout.strip())
        assert principal.direct_models
        assert principal.aliases == {"fast", "not there yet"}
        assert principal.limits == PrincipalLimits(60, 1000, 4)
        assert principal.networks == ("192.0.2.7/32", "2001:db8::/32")
        assert (principal.owner, principal.tags) == ("Ann Lee", ("team-a", "b"))

    def test_json_is_what_the_api_answers(self, run, service):
        result = run("create", "x", "--scope", "chat", "--json")

        data = json.loads(result.stdout)
        assert service.authenticate(data["token"]).id == data["id"]
        assert data["name"] == "x"
        assert re.fullmatch(r"cli:.+", data["created_by"])

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
    def test_it_expires_when_it_is_told_to(self, run, service, given, meant):
        assert run("create", "x", "--scope", "chat", "--expires", given).exit_code == 0

        assert service.list_tokens()[0].grant.expires_at == meant

    @pytest.mark.parametrize(
        ("arguments", "words"),
        [
            pytest.param(["x"], "--scope", id="no-scope"),
            pytest.param(["x", "--scope", "root"], "'root' is not one of", id="scope"),
            pytest.param(["--scope", "chat"], "NAME", id="no-name"),
            pytest.param(
                ["x", "--scope", "chat", "--expires", "soon"],
                "'soon' is not like 2030-01-31",
                id="no-date",
            ),
            pytest.param(
                ["x", "--scope", "chat", "--expires", "2029-12-31"],
                "expires_at: 2029-12-31T00:00:00+00:00 has passed",
                id="past-date",
            ),
            pytest.param(["\x1b[2J", "--scope", "chat"], "name: not", id="escape"),
            pytest.param(
                ["x", "--scope", "chat", "--requests-per-minute", "many"],
                "'many' is neither a whole number nor none",
                id="limit",
            ),
            pytest.param(
                ["x", "--scope", "chat", "--tokens-per-minute", "0"],
                "tokens_per_minute: 0; allowed: 1 to 10000000",
                id="limit-of-0",
            ),
            pytest.param(
                ["x", "--scope", "chat", "--network", "here"],
                "'here' is no network",
                id="network",
            ),
            pytest.param(
                ["x", "--scope", "chat", "--tag", "Team A"], "'Team A' is", id="tag"
            ),
        ],
    )
    def test_what_is_wrong_is_told_and_makes_nothing(
        self, run, service, arguments, words
    ):
        result = run("create", *arguments)

        assert result.exit_code == 2
        assert words in result.stderr
        assert result.stdout == ""
        assert not service.has_any()


class TestShow:
    def test_the_list_shows_all_but_secrets(self, run, service):
        first = make_token(service, *Scope, name="mail server", expires_at=FAR)
        second = make_token(service, name="x")
        service.authenticate(first.text)
        service.revoke(second.id, actor=TESTER)

        result = run("list")

        heading, *lines = [
            re.split(" {2,}", each) for each in result.stdout.splitlines()
        ]
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

    def test_its_columns_stand_under_each_other(self, run, service):
        make_token(service, name="a rather long name")

        heading, line = run("list").stdout.splitlines()

        assert heading.index("SCOPES") == line.index("chat")
        assert heading.index("STATE") == line.index("active")

    def test_an_empty_list_has_only_its_heading(self, run):
        assert len(run("list").stdout.splitlines()) == 1
        assert json.loads(run("list", "--json").stdout) == []

    def test_one_is_shown_field_by_field(self, run, service):
        token = make_token(service, name="x", tags=("a", "b"))

        lines = run("show", token.id).stdout.splitlines()
        data = json.loads(run("show", token.id, "--json").stdout)

        told = dict(re.split(" {2,}", line) for line in lines)
        assert told.keys() == data.keys()
        assert (told["id"], told["tags"], told["owner"]) == (token.id, "a, b", "-")
        assert data["tags"] == ["a", "b"]
        assert [data] == json.loads(run("list", "--json").stdout)


class TestUpdate:
    def test_what_is_named_changes_and_the_rest_stays(self, run, service):
        token = make_token(service, name="old", owner="Ann", requests_per_minute=5)

        result = run(
            "update",
            token.id,
            *("--name", "new", "--scope", "read", "--alias", "fast"),
            *("--tokens-per-minute", "7", "--direct-models", "--expires", "2031-02-03"),
            "--json",
        )

        grant = service.get(token.id).grant
        assert result.exit_code == 0
        assert json.loads(result.stdout)["name"] == grant.name == "new"
        assert (grant.scopes, grant.aliases) == ({Scope.READ}, {"fast"})
        assert (grant.requests_per_minute, grant.tokens_per_minute) == (5, 7)
        assert (grant.owner, grant.direct_models) == ("Ann", True)
        assert grant.expires_at == datetime(2031, 2, 3, tzinfo=UTC)

    def test_restrictions_are_taken_away(self, run, service):
        token = make_token(
            service,
            expires_at=FAR,
            direct_models=True,
            aliases=frozenset({"fast"}),
            requests_per_minute=5,
            networks=("192.0.2.7",),
            owner="Ann",
            tags=("a",),
        )

        result = run(
            "update",
            token.id,
            *("--expires", "never", "--no-direct-models", "--any-alias"),
            *("--requests-per-minute", "none", "--any-network", "--owner", ""),
            "--no-tags",
        )

        grant = service.get(token.id).grant
        assert result.exit_code == 0
        assert grant.expires_at is grant.aliases is grant.networks is None
        assert grant.requests_per_minute is None
        assert (grant.direct_models, grant.owner, grant.tags) == (False, "", ())

    @pytest.mark.parametrize("word", ["never", "none"])
    def test_these_words_are_names_too(self, run, service, word):
        made = make_token(service, name="x")

        result = run("update", made.id, "--name", word, "--owner", word)

        grant = service.get(made.id).grant
        assert result.exit_code == 0, result.output
        assert (grant.name, grant.owner) == (word, word)

    def test_nothing_named_changes_nothing(self, run, service, world):
        token = make_token(service, tags=("a",))
        before = service.get(token.id)

        assert run("update", token.id).exit_code == 0

        assert service.get(token.id) == before
        assert len(audit_of(world)) == 1


class TestRoll:
    @pytest.mark.parametrize(
        ("arguments", "seconds", "words"),
        [
            ([], 86_400, "ends in 1 day, 0:00:00"),
            (["--overlap", "0"], 0, "has ended"),
            (["--overlap", "90s"], 90, "ends in 0:01:30"),
            (["--overlap", "30m"], 1800, "ends in 0:30:00"),
            (["--overlap", "7d"], 604_800, "ends in 7 days, 0:00:00"),
        ],
    )
    def test_the_old_secret_stays_good_for_as_long_as_told(
        self, run, service, world, arguments, seconds, words
    ):
        old = make_token(service)

        result = run("roll", old.id, *arguments)

        new = result.stdout.strip()
        assert words in result.stderr
        assert service.authenticate(new).id == old.id
        assert service.is_good(old.text) is (seconds > 0)
        world.clock.advance(seconds)
        assert not service.is_good(old.text)

    def test_json_holds_the_new_secret(self, run, service):
        old = make_token(service)

        data = json.loads(run("roll", old.id, "--json").stdout)

        assert service.authenticate(data["token"]).id == old.id
        assert data["previous_until"] == "2030-01-02T08:30:00Z"

    @pytest.mark.parametrize(
        ("overlap", "words"),
        [
            ("a while", "'a while' is not like 90s, 30m, 24h or 7d"),
            ("-1", "'-1' is not like"),
            ("٣h", "is not like"),
            ("31d", "overlap_seconds: 2678400; allowed: 0 to 2592000"),
        ],
    )
    def test_a_wrong_overlap_is_told(self, run, service, overlap, words):
        old = make_token(service)

        result = run("roll", old.id, f"--overlap={overlap}")

        assert result.exit_code == 2
        assert words in result.stderr
        assert service.is_good(old.text)


def test_a_token_is_revoked(run, service):
    token = make_token(service)

    result = run("revoke", token.id)

    assert (result.exit_code, result.stderr) == (0, "")
    assert service.list_tokens()[0].state == "revoked"


@pytest.mark.parametrize("command", ["show", "update", "roll", "revoke"])
def test_an_unknown_token_is_told(run, command):
    result = run(command, "nobody")

    assert result.exit_code == 1
    assert result.stderr == "Error: There is no API token with this id.\n"


@pytest.mark.parametrize("command", [["list"], ["revoke", "abcdefABCDEF"]])
def test_a_database_that_does_not_work_is_told_in_words(run, tmp_path, command):
    (tmp_path / "x.db").write_bytes(b"no database " * 1000)

    result = run(*command)

    assert result.exit_code == 1
    assert "file is damaged" in result.stderr
