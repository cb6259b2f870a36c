"""API tokens: made, listed, revoked; who is calling; all refusals alike."""

import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fakes import FakeClock
from sqlalchemy import Engine, event

from flaskllm.core.auth import BOOTSTRAP, BootstrapToken, Scope, make_token
from flaskllm.core.errors import (
    AuthenticationError,
    InvalidInputError,
    NotFound,
    ServiceUnavailable,
)
from flaskllm.core.secrets import KeyRing
from flaskllm.services.api_tokens import ApiTokenService, TokenRefused
from flaskllm.storage.api_tokens import ApiTokens
from flaskllm.storage.database import Database

START = datetime(2030, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
CHAT = frozenset({Scope.CHAT})
BOOTSTRAP_TEXT = "a-bootstrap-token-of-many-characters"


class World:
    """The service over a real file, its clock, and the statements it issued."""

    def __init__(self, folder, bootstrap=None):
        self.folder = folder
        self.clock = FakeClock(START)
        self.path = folder / "x.db"
        self.database = Database(
            f"sqlite:///{self.path}", journal="truncate", clock=self.clock
        )
        self.records = ApiTokens(self.database)
        self.service = self.with_secret(None, bootstrap)
        self.statements = []

    def with_secret(self, secret, bootstrap=None):
        ring = KeyRing(secret, self.folder / "data")
        return ApiTokenService(self.records, ring, self.clock, bootstrap)

    def move_to(self, moment):
        self.clock.advance((moment - self.clock.now()).total_seconds())

    def note(self, _connection, _cursor, statement, parameters, *_rest):
        self.statements.append((statement, parameters))


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path, BootstrapToken(BOOTSTRAP_TEXT))
    event.listen(Engine, "before_cursor_execute", world.note)
    yield world
    event.remove(Engine, "before_cursor_execute", world.note)
    world.database.close()


def refusal(service, text):
    with pytest.raises(TokenRefused) as refused:
        service.authenticate(text)
    return refused.value


def test_to_make_the_service_opens_nothing(tmp_path):
    World(tmp_path)

    assert list(tmp_path.iterdir()) == []


def test_a_new_token_says_who_is_calling(world):
    token = world.service.create("mail server", CHAT)

    principal = world.service.authenticate(token.text)

    assert (principal.id, principal.name) == (token.id, "mail server")
    assert (principal.scopes, principal.kind) == (CHAT, "api")
    assert principal.may(Scope.CHAT)
    assert not principal.may(Scope.READ)


def test_the_text_of_a_token_is_stored_nowhere(world):
    token = world.service.create("x", CHAT)
    secret = token.text[-38:-6].encode()

    world.database.close()

    files = [path for path in world.folder.rglob("*") if path.is_file()]
    assert files
    assert not any(secret in path.read_bytes() for path in files)


def test_the_bootstrap_token_needs_no_database(world):
    assert world.service.authenticate(BOOTSTRAP_TEXT) is BOOTSTRAP
    assert not world.path.exists()


def test_without_a_bootstrap_token_its_text_is_malformed(world):
    service = world.with_secret(None)

    assert refusal(service, BOOTSTRAP_TEXT).reason == "malformed"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param(None, "missing", id="none"),
        pytest.param("", "missing", id="empty"),
        pytest.param("' OR 1=1--", "malformed", id="sql"),
        pytest.param("x' UNION SELECT digest FROM api_tokens", "malformed", id="union"),
        pytest.param("\0", "malformed", id="nul"),
        pytest.param("A" * 65536, "malformed", id="64-kB"),
        pytest.param("clé-secrète-" * 5, "malformed", id="non-ascii"),
        pytest.param(make_token("api").text[:-1] + "!", "malformed", id="bad-check"),
    ],
)
def test_a_missing_or_malformed_token_is_refused_before_any_io(world, text, reason):
    refused = refusal(world.service, text)

    assert (refused.reason, refused.token_id) == (reason, None)
    assert world.statements == []
    assert list(world.folder.iterdir()) == []


def test_an_unknown_token_is_refused_after_one_look_by_bound_id(world):
    world.service.has_any()
    world.statements.clear()
    stranger = make_token("api")

    refused = refusal(world.service, stranger.text)

    assert (refused.reason, refused.token_id) == ("unknown", stranger.id)
    assert [parameters for _, parameters in world.statements] == [(), (stranger.id,)]
    assert not any(stranger.id in statement for statement, _ in world.statements)


def test_a_token_with_a_known_id_and_another_secret_is_wrong(world):
    token = world.service.create("x", CHAT)
    record = world.records.find(token.id)
    other = make_token("api")
    world.records.add(replace(record, id=other.id))

    assert refusal(world.service, other.text).reason == "wrong"
    assert world.service.authenticate(token.text).id == token.id


def test_a_token_is_wrong_under_another_master_secret(world):
    token = world.service.create("x", CHAT)
    service = world.with_secret("another secret, long enough for use")

    assert refusal(service, token.text).reason == "wrong"


def test_an_expired_token_is_refused_from_its_last_moment_on(world):
    token = world.service.create("x", CHAT, START + DAY)

    world.move_to(START + DAY - timedelta(microseconds=1))
    assert world.service.authenticate(token.text).id == token.id

    world.move_to(START + DAY)
    assert refusal(world.service, token.text).reason == "expired"


def test_a_revoked_token_is_refused_at_once(world):
    token = world.service.create("x", CHAT, START + DAY)
    world.service.authenticate(token.text)

    world.service.revoke(token.id)

    refused = refusal(world.service, token.text)
    assert (refused.reason, refused.token_id) == ("revoked", token.id)


def test_a_wrong_secret_does_not_learn_that_the_token_is_revoked(world):
    token, other = world.service.create("x", CHAT), make_token("api")
    world.records.add(
        replace(world.records.find(token.id), id=other.id, revoked_at=START)
    )

    assert refusal(world.service, other.text).reason == "wrong"


def test_all_refusals_read_alike(world):
    expired = world.service.create("x", CHAT, START + DAY)
    revoked = world.service.create("x", CHAT)
    world.service.revoke(revoked.id)
    wrong = make_token("api")
    world.records.add(replace(world.records.find(revoked.id), id=wrong.id))
    world.move_to(START + 2 * DAY)
    texts = [None, "x", make_token("api").text, wrong.text, expired.text, revoked.text]

    refusals = [refusal(world.service, text) for text in texts]

    assert [refused.reason for refused in refusals] == [
        "missing",
        "malformed",
        "unknown",
        "wrong",
        "expired",
        "revoked",
    ]
    public = AuthenticationError()
    for refused in refusals:
        assert (refused.status, refused.code) == (public.status, public.code)
        assert (refused.message, str(refused)) == (public.message, public.message)
        assert (refused.details, refused.fields) == ("", ())
        assert refused.retry_after_seconds is None


def test_the_last_use_is_noted_once_a_minute(world):
    token = world.service.create("x", CHAT)
    writes = []

    for seconds in (0, 30, 60):
        world.move_to(START + timedelta(seconds=seconds))
        world.statements.clear()
        world.service.authenticate(token.text)
        writes.append(any("UPDATE" in statement for statement, _ in world.statements))

    assert writes == [True, False, True]
    assert world.service.list_tokens()[0].last_used_at == world.clock.now()


def test_a_refused_token_is_not_noted_as_used(world):
    token = world.service.create("x", CHAT)
    world.service.revoke(token.id)

    refusal(world.service, token.text)

    assert world.service.list_tokens()[0].last_used_at is None


def test_a_use_that_cannot_be_written_is_logged_and_lets_the_caller_in(world, caplog):
    token = world.service.create("x", CHAT)
    with world.database.reading() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")

    with caplog.at_level(logging.WARNING):
        assert world.service.authenticate(token.text).id == token.id

    (line,) = (each for each in caplog.records if each.name.endswith("api_tokens"))
    assert line.message == "api_token_use_not_recorded"
    assert line.levelname == "WARNING"
    assert line.fields == {
        "api_token_id": token.id,
        "reason": "It can be read but not written.",
    }


def test_a_database_that_cannot_be_read_is_no_refusal(world):
    token = world.service.create("x", CHAT)
    world.database.close()
    world.path.write_bytes(b"no database " * 1000)

    with pytest.raises(ServiceUnavailable):
        world.service.authenticate(token.text)


def test_tokens_are_listed_with_their_state_and_without_secrets(world):
    plain = world.service.create("plain", CHAT)
    world.clock.advance(1)
    short = world.service.create("short", frozenset(Scope), START + DAY)
    world.clock.advance(1)
    gone = world.service.create("gone", CHAT, START + DAY)
    world.service.revoke(gone.id)
    world.move_to(START + DAY)

    listed = world.service.list_tokens()

    assert [(t.id, t.name, t.state) for t in listed] == [
        (plain.id, "plain", "active"),
        (short.id, "short", "expired"),
        (gone.id, "gone", "revoked"),
    ]
    assert listed[1].scopes == frozenset(Scope)
    assert listed[1].expires_at == START + DAY
    assert listed[0].created_at == START
    assert not hasattr(listed[0], "digest")


def test_a_service_has_none_until_the_first_is_made(world):
    assert not world.service.has_any()

    world.service.create("x", CHAT)

    assert world.service.has_any()


def test_to_revoke_an_unknown_token_is_not_found(world):
    with pytest.raises(NotFound, match="no API token with the id 'nobody'"):
        world.service.revoke("nobody")


@pytest.mark.parametrize(
    ("name", "scopes", "expires_at", "field"),
    [
        pytest.param("", CHAT, None, "name", id="empty-name"),
        pytest.param("  ", CHAT, None, "name", id="blank-name"),
        pytest.param("a\nb", CHAT, None, "name", id="line-feed"),
        pytest.param("\x1b[31m", CHAT, None, "name", id="escape-sequence"),
        pytest.param("a\u202eb", CHAT, None, "name", id="turned-direction"),
        pytest.param("a" * 101, CHAT, None, "name", id="long-name"),
        pytest.param("x", frozenset(), None, "scopes", id="no-scope"),
        pytest.param("x", CHAT, START, "expires_at", id="now"),
        pytest.param("x", CHAT, START - DAY, "expires_at", id="past"),
        pytest.param("x", CHAT, datetime(2031, 1, 1), "expires_at", id="no-offset"),
    ],
)
def test_a_token_that_makes_no_sense_is_not_made(
    world, name, scopes, expires_at, field
):
    with pytest.raises(InvalidInputError) as refused:
        world.service.create(name, scopes, expires_at)

    assert [wrong.path for wrong in refused.value.fields] == [field]
    assert refused.value.fields[0].allowed
    assert not world.service.has_any()


@pytest.mark.parametrize("name", ["a", "a" * 100, "Büro 東京", "mail server #1"])
def test_any_readable_name_will_do(world, name):
    world.service.create(name, CHAT)

    assert world.service.list_tokens()[0].name == name
