"""Who is calling: proved, remembered, refused in words that tell nothing."""

import logging
from dataclasses import replace
from datetime import timedelta

import pytest
from api_tokens import SECRET, START, TESTER, TokenWorld, statements

from flaskllm.core.auth import BOOTSTRAP, BootstrapToken, Scope, make_token
from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import AuthenticationError, ServiceUnavailable
from flaskllm.services.api_tokens import TokenRefused
from flaskllm.storage.api_tokens import Noted
from flaskllm.storage.database import Database

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
MICROSECOND = timedelta(microseconds=1)
BOOTSTRAP_TEXT = "a-bootstrap-token-of-many-characters"
ADDED = Noted("token.create", TESTER, START)


@pytest.fixture
def world(database_url, make_database, tmp_path):
    return TokenWorld(make_database(database_url), tmp_path)


@pytest.fixture
def unopened(tmp_path):
    """A world whose database file is not there yet."""
    database = Database(
        f"sqlite:///{tmp_path}/x.db", journal="truncate", clock=SystemClock()
    )
    bootstrap = BootstrapToken(BOOTSTRAP_TEXT)
    yield TokenWorld(database, tmp_path, secret=None, bootstrap=bootstrap)
    database.close()


def refusal(world, text):
    with pytest.raises(TokenRefused) as refused:
        world.service.authenticate(text)
    return refused.value


def queries(seen):
    """Return the statements that ask or change, without begin and commit."""
    return [
        (sql, given) for sql, given in seen if sql.split()[0] in {"SELECT", "UPDATE"}
    ]


class TestGood:
    def test_a_new_token_says_who_is_calling(self, world):
        token = world.make(Scope.CHAT, name="mail server")

        principal = world.service.authenticate(token.text)

        assert (principal.id, principal.name) == (token.id, "mail server")
        assert (principal.scopes, principal.kind) == ({Scope.CHAT}, "api")
        assert principal.may(Scope.CHAT)
        assert not principal.may(Scope.READ)

    def test_the_bootstrap_token_needs_no_database(self, unopened):
        assert unopened.service.authenticate(BOOTSTRAP_TEXT) is BOOTSTRAP
        assert list(unopened.folder.iterdir()) == []

    def test_without_a_bootstrap_token_its_text_is_malformed(self, world):
        assert refusal(world, BOOTSTRAP_TEXT).reason == "malformed"

    def test_a_warm_request_asks_the_database_nothing(self, world):
        token = world.make()
        world.service.authenticate(token.text)

        with statements() as seen:
            for _ in range(50):
                world.service.authenticate(token.text)

        assert seen == []

    def test_otherwise_it_asks_for_the_counter_once_a_second(self, world):
        token = world.make()
        world.service.authenticate(token.text)

        with statements() as seen:
            for _ in range(50):
                world.clock.advance(0.1)
                world.service.authenticate(token.text)

        asked = [sql for sql, _ in queries(seen)]
        assert len(asked) == 5
        assert all("FROM changes" in sql for sql in asked)


class TestRefused:
    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            pytest.param(None, "missing", id="none"),
            pytest.param("", "missing", id="empty"),
            pytest.param("' OR 1=1--", "malformed", id="sql"),
            pytest.param("x' UNION SELECT 1", "malformed", id="union"),
            pytest.param("\0", "malformed", id="nul"),
            pytest.param("A" * 65536, "malformed", id="64-kB"),
            pytest.param("clé-secrète-" * 5, "malformed", id="non-ascii"),
            pytest.param(make_token("api").text[:-1] + "!", "malformed", id="check"),
        ],
    )
    def test_what_is_missing_or_malformed_is_refused_before_any_io(
        self, unopened, text, reason
    ):
        with statements() as seen:
            refused = refusal(unopened, text)

        assert (refused.reason, refused.token_id) == (reason, None)
        assert seen == []
        assert list(unopened.folder.iterdir()) == []

    def test_an_unknown_one_is_refused_after_one_look_by_bound_id(self, world):
        refusal(world, make_token("api").text)  # the counter is known now
        stranger = make_token("api")

        with statements() as seen:
            refused = refusal(world, stranger.text)

        assert (refused.reason, refused.token_id) == ("unknown", stranger.id)
        ((sql, given),) = queries(seen)
        assert stranger.id not in sql
        assert stranger.id in str(given)

    def test_a_known_id_with_another_secret_is_wrong(self, world):
        token = world.make()
        other = make_token("api")
        world.records.add(replace(world.records.find(token.id), id=other.id), ADDED)

        assert refusal(world, other.text).reason == "wrong"
        assert world.service.authenticate(token.text).id == token.id

    def test_a_wrong_secret_does_not_learn_what_became_of_the_right_one(self, world):
        token, other = world.make(), make_token("api")
        revoked = replace(
            world.records.find(token.id),
            id=other.id,
            revoked_at=START,
            expires_at=START,
        )
        world.records.add(revoked, ADDED)

        assert refusal(world, other.text).reason == "wrong"

    def test_it_expires_at_its_last_moment(self, world):
        token = world.make(expires_at=START + DAY)

        world.move_to(START + DAY - MICROSECOND)
        assert world.service.authenticate(token.text).id == token.id

        world.move_to(START + DAY)
        assert refusal(world, token.text).reason == "expired"

    def test_all_refusals_read_alike(self, world):
        expired = world.make(expires_at=START + DAY)
        revoked, rolled = world.make(), world.make()
        world.service.revoke(revoked.id, actor=TESTER)
        world.service.roll(rolled.id, 1, actor=TESTER)
        wrong = make_token("api")
        world.records.add(replace(world.records.find(revoked.id), id=wrong.id), ADDED)
        world.move_to(START + 2 * DAY)
        every = [wrong.text, expired.text, revoked.text, rolled.text]
        texts = [None, "x", make_token("api").text, *every]

        refusals = [refusal(world, text) for text in texts]

        assert [refused.reason for refused in refusals] == [
            "missing",
            "malformed",
            "unknown",
            "wrong",
            "expired",
            "revoked",
            "rolled",
        ]
        public = AuthenticationError()
        for refused in refusals:
            assert (refused.status, refused.code) == (public.status, public.code)
            assert (refused.message, str(refused)) == (public.message, public.message)
            assert (refused.details, refused.fields) == ("", ())
            assert refused.retry_after_seconds is None


class TestElsewhere:
    """What one process decides, every other one knows within a second."""

    def test_a_revoked_token_is_refused(self, world):
        token, other = world.make(), world.beside()
        other.service.authenticate(token.text)

        world.service.revoke(token.id, actor=TESTER)

        assert refusal(world, token.text).reason == "revoked"  # here at once
        world.clock.advance(0.999)
        assert other.service.authenticate(token.text).id == token.id
        world.clock.advance(0.001)
        assert refusal(other, token.text).reason == "revoked"

    def test_what_was_changed_holds(self, world):
        token, other = world.make(), world.beside()
        other.service.authenticate(token.text)

        world.service.update(token.id, {"requests_per_minute": 5}, actor=TESTER)
        world.clock.advance(1)

        for each in (world, other):
            limits = each.service.authenticate(token.text).limits
            assert limits.requests_per_minute == 5

    def test_a_rolled_secret_is_refused(self, world):
        token, other = world.make(), world.beside()
        other.service.authenticate(token.text)

        new = world.service.roll(token.id, 0, actor=TESTER)
        world.clock.advance(1)

        for each in (world, other):
            assert each.service.authenticate(new.text).id == token.id
            assert refusal(each, token.text).reason == "wrong"


class TestIsGood:
    """What runs for long asks now and then."""

    def test_one_that_is_good_stays_good_and_costs_nothing(self, world):
        token = world.make()
        world.service.authenticate(token.text)

        with statements() as seen:
            assert all(world.service.is_good(token.text) for _ in range(50))

        assert seen == []

    def test_one_that_was_revoked_elsewhere_is_not_within_a_second(self, world):
        token, other = world.make(), world.beside()
        assert other.service.is_good(token.text)

        world.service.revoke(token.id, actor=TESTER)
        world.clock.advance(1)

        assert not other.service.is_good(token.text)

    def test_one_that_expires_is_not_from_that_moment(self, world):
        token = world.make(expires_at=START + HOUR)
        assert world.service.is_good(token.text)

        world.move_to(START + HOUR)

        assert not world.service.is_good(token.text)

    def test_the_bootstrap_token_always_is(self, unopened):
        assert unopened.service.is_good(BOOTSTRAP_TEXT)
        assert not unopened.service.is_good(None)

    def test_a_store_that_cannot_be_read_is_no_refusal(self, unopened):
        token = unopened.make()
        damage(unopened)

        with pytest.raises(ServiceUnavailable):
            unopened.service.is_good(token.text)


class TestMasterSecret:
    OTHER = "another secret, long enough for any use of it"

    def test_under_another_one_a_token_is_wrong(self, world):
        token = world.make()
        other = world.beside(secret=self.OTHER)

        assert refusal(other, token.text).reason == "wrong"

    def test_the_previous_one_proves_it_and_the_digest_is_made_anew(self, world):
        token = world.make()
        both = world.beside(secret=self.OTHER, previous=SECRET)

        assert both.service.authenticate(token.text).id == token.id

        only_new = world.beside(secret=self.OTHER)
        assert only_new.service.authenticate(token.text).id == token.id
        assert refusal(world.beside(), token.text).reason == "wrong"

    def test_so_does_it_for_the_secret_before_a_roll(self, world):
        old = world.make()
        new = world.service.roll(old.id, 3600, actor=TESTER)
        both = world.beside(secret=self.OTHER, previous=SECRET)

        for token in (old, new):
            assert both.service.authenticate(token.text).id == old.id

        only_new = world.beside(secret=self.OTHER)
        for token in (old, new):
            assert only_new.service.authenticate(token.text).id == old.id

    def test_a_digest_that_cannot_be_written_refuses_nobody(self, unopened, caplog):
        token = unopened.beside().make()
        both = unopened.beside(secret=self.OTHER, previous=SECRET)
        read_only(unopened)

        with caplog.at_level(logging.WARNING):
            assert both.service.authenticate(token.text).id == token.id

        assert "api_token_digest_not_replaced" in caplog.messages


class TestLastUse:
    def test_it_is_noted_once_a_minute_on_the_warm_path_too(self, world):
        token = world.make()
        writes = []

        for seconds in (0, 30, 60):
            world.move_to(START + timedelta(seconds=seconds))
            with statements() as seen:
                world.service.authenticate(token.text)
            writes.append(any(sql.startswith("UPDATE") for sql, _ in seen))

        assert writes == [True, False, True]
        assert world.service.get(token.id).last_used_at == world.clock.now()

    def test_to_be_refused_is_no_use(self, world):
        token = world.make()
        world.service.revoke(token.id, actor=TESTER)

        refusal(world, token.text)

        assert world.service.get(token.id).last_used_at is None

    def test_one_that_cannot_be_written_is_logged_and_lets_the_caller_in(
        self, unopened, caplog
    ):
        token = unopened.make()
        read_only(unopened)

        with caplog.at_level(logging.WARNING):
            assert unopened.service.authenticate(token.text).id == token.id

        (line,) = (each for each in caplog.records if "use_not" in each.message)
        assert line.message == "api_token_use_not_recorded"
        assert line.levelname == "WARNING"
        assert line.fields == {
            "api_token_id": token.id,
            "reason": "It can be read but not written.",
        }


def test_a_database_that_cannot_be_read_is_no_refusal(unopened):
    token = unopened.make()
    damage(unopened)

    with pytest.raises(ServiceUnavailable):
        unopened.service.authenticate(token.text)


def damage(world):
    """Spoil the database file."""
    world.database.close()
    (world.folder / "x.db").write_bytes(b"no database " * 1000)


def read_only(world):
    """Let the open connection write no more."""
    with world.database.reading() as connection:
        connection.exec_driver_sql("PRAGMA query_only = ON")
