"""API tokens are rolled and revoked; each time there is an audit row."""

from datetime import timedelta

import pytest
from api_tokens import START, TESTER, TokenWorld, audit_of, reason_of

from flaskllm.core.auth import Actor, Principal, Scope
from flaskllm.core.errors import Conflict, InvalidInputError, PermissionDenied
from flaskllm.services.api_tokens import LONGEST_OVERLAP_SECONDS

DAY = timedelta(days=1)
ANNA = Actor("abcdefABCDEF", "192.0.2.1", "req_12345678")
# An admin who lacks most of what others have.
DEPUTY = Principal(
    "DDDDDDDDDDDD",
    "deputy",
    frozenset({Scope.ADMIN}),
    "api",
    aliases=frozenset({"fast"}),
)


@pytest.fixture
def world(database_url, make_database, tmp_path):
    return TokenWorld(make_database(database_url), tmp_path)


class TestRoll:
    def test_the_new_secret_is_good_and_the_id_stays(self, world):
        old = world.make(name="x")

        new = world.service.roll(old.id, 0, actor=TESTER)

        assert new.id == old.id
        assert new.text != old.text
        assert world.service.authenticate(new.text).id == old.id
        assert reason_of(world, old.text) == "wrong"

    def test_both_are_good_for_the_chosen_time(self, world):
        old = world.make()
        new = world.service.roll(old.id, 3600, actor=TESTER)
        shown = world.service.get(old.id)
        assert shown.previous_until == START + timedelta(hours=1)

        world.clock.advance(3599.999)
        assert [reason_of(world, each.text) for each in (old, new)] == [None, None]
        world.clock.advance(0.001)

        assert [reason_of(world, each.text) for each in (old, new)] == ["rolled", None]
        assert world.service.get(old.id).previous_until is None

    def test_a_second_roll_drops_the_oldest(self, world):
        oldest = world.make()
        old = world.service.roll(oldest.id, 3600, actor=TESTER)

        new = world.service.roll(oldest.id, 3600, actor=TESTER)

        reasons = [reason_of(world, each.text) for each in (oldest, old, new)]
        assert reasons == ["wrong", None, None]

    def test_an_overlap_does_not_outlive_the_token(self, world):
        old = world.make(expires_at=START + DAY)
        new = world.service.roll(old.id, 30 * 86_400, actor=TESTER)
        assert reason_of(world, old.text) is None

        world.move_to(START + DAY)

        assert [reason_of(world, each.text) for each in (old, new)] == ["expired"] * 2

    def test_its_audit_row_tells_the_overlap_and_no_secret(self, world):
        old = world.make()
        world.clock.advance(1)
        new = world.service.roll(old.id, 60, actor=ANNA)

        told = audit_of(world)
        assert told[0] == ("token.roll", old.id, {"overlap_seconds": 60})
        for secret in (old.text[21:53], new.text[21:53]):
            assert secret not in str(told)

    @pytest.mark.parametrize("seconds", [-1, LONGEST_OVERLAP_SECONDS + 1])
    def test_an_overlap_has_its_bounds(self, world, seconds):
        token = world.make()

        with pytest.raises(InvalidInputError) as refused:
            world.service.roll(token.id, seconds, actor=TESTER)

        assert refused.value.fields[0].allowed == "0 to 2592000"
        assert reason_of(world, token.text) is None

    def test_what_is_over_is_not_rolled(self, world):
        revoked, expired = world.make(), world.make(expires_at=START + DAY)
        world.service.revoke(revoked.id, actor=TESTER)
        world.move_to(START + DAY)

        for token, words in ((revoked, "revoked"), (expired, "expired")):
            with pytest.raises(Conflict) as refused:
                world.service.roll(token.id, 0, actor=TESTER)
            assert words in refused.value.details

    def test_nobody_sees_a_secret_that_may_do_more(self, world):
        token = world.make(Scope.CHAT)

        with pytest.raises(PermissionDenied):
            world.service.roll(token.id, 0, actor=TESTER, by=DEPUTY)

        assert reason_of(world, token.text) is None


class TestRevoke:
    def test_it_is_refused_at_once_with_both_its_secrets(self, world):
        old = world.make()
        new = world.service.roll(old.id, 3600, actor=TESTER)
        for token in (old, new):
            assert reason_of(world, token.text) is None

        world.service.revoke(old.id, actor=TESTER)

        assert reason_of(world, new.text) == "revoked"
        assert reason_of(world, old.text) == "wrong"  # its digest is gone

    def test_to_revoke_it_twice_changes_nothing(self, world):
        token = world.make()
        world.clock.advance(1)
        first = world.service.revoke(token.id, actor=ANNA)
        world.clock.advance(60)

        assert world.service.revoke(token.id, actor=TESTER) == first
        assert [each[0] for each in audit_of(world)] == ["token.revoke", "token.create"]

    def test_who_has_less_may_revoke_who_has_more(self, world):
        token = world.make(*Scope, direct_models=True)

        world.service.revoke(token.id, actor=Actor(DEPUTY.id))

        assert reason_of(world, token.text) == "revoked"
