"""API tokens: made, listed, changed; each change has its audit row."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from api_tokens import START, TESTER, TokenWorld, audit_of, reason_of

from flaskllm.core.auth import (
    BOOTSTRAP,
    Actor,
    Principal,
    PrincipalLimits,
    Scope,
)
from flaskllm.core.errors import (
    Conflict,
    InvalidInputError,
    NotFound,
    PermissionDenied,
)
from flaskllm.services.grants import Grant
from flaskllm.storage.audit import AuditRows
from flaskllm.storage.budget_rows import BudgetRows
from flaskllm.storage.budgets import BudgetRow

DAY = timedelta(days=1)
ANNA = Actor("abcdefABCDEF", "192.0.2.1", "req_12345678")
UNKNOWN = "0123456789AB"
# An admin who may give nothing but what it has.
DEPUTY = Principal(
    "DDDDDDDDDDDD",
    "deputy",
    frozenset({Scope.ADMIN}),
    "api",
    aliases=frozenset({"fast"}),
    limits=PrincipalLimits(requests_per_minute=10),
)
MODEST = {"aliases": frozenset({"fast"}), "requests_per_minute": 10}


@pytest.fixture
def world(database_url, make_database, tmp_path):
    return TokenWorld(make_database(database_url), tmp_path)


def hard(subject, nanos, **more):
    """Return a hard daily budget."""
    row = BudgetRow("bud_1", subject, "day", "hard", nanos, None, START, "cli:tester")
    return replace(row, **more)


class TestCreate:
    def test_the_text_of_a_token_is_stored_nowhere(self, world):
        token = world.make(Scope.CHAT)
        secret = token.text[-38:-6]

        record = world.records.find(token.id)

        rows = [AuditRows(world.database).page(10), record, record.digest]
        assert secret not in str(rows)
        assert len(record.digest) == 32

    def test_all_that_is_given_is_kept(self, world):
        grant = Grant(
            "mail server",
            frozenset({Scope.CHAT, Scope.READ}),
            START + DAY,
            True,
            frozenset({"fast"}),
            1,
            2,
            3,
            ("192.0.2.7",),
            "Ann",
            ("team-a",),
        )

        token = world.service.create(grant, actor=ANNA)

        shown = world.service.get(token.id)
        assert shown.grant == replace(grant, networks=("192.0.2.7/32",))
        assert (shown.state, shown.created_at, shown.created_by) == (
            "active",
            START,
            "abcdefABCDEF",
        )
        assert world.service.authenticate(token.text).limits == PrincipalLimits(1, 2, 3)

    def test_its_audit_row_tells_what_was_given_and_from_where(self, world):
        grant = Grant("x", frozenset({Scope.CHAT}), START + DAY)
        token = world.service.create(grant, actor=ANNA)

        (row,) = AuditRows(world.database).page(10)
        details = json.loads(row.details)
        assert (row.action, row.object_id) == ("token.create", token.id)
        assert (row.principal_id, row.peer) == ("abcdefABCDEF", "192.0.2.1")
        assert details["scopes"] == ["chat"]
        assert details["expires_at"] == "2030-01-02T00:00:00+00:00"

    def test_a_giver_cannot_give_more_than_it_has(self, world):
        with pytest.raises(PermissionDenied) as refused:
            world.make(Scope.CHAT, by=DEPUTY, aliases=frozenset({"fast", "slow"}))

        fields = {each.path: each.allowed for each in refused.value.fields}
        assert fields == {
            "aliases": "a part of fast",
            "requests_per_minute": "1 to 10",
        }
        assert not world.service.has_any()
        assert audit_of(world) == []

    def test_a_giver_gives_what_it_has(self, world):
        token = world.make(Scope.CHAT, by=DEPUTY, **MODEST)

        assert reason_of(world, token.text) is None

    def test_first_budgets_go_with_it(self, world):
        grant = Grant("x", frozenset({Scope.CHAT}))

        token = world.service.create(
            grant, actor=TESTER, budgets=lambda subject: [hard(subject, 7)]
        )

        (budget,) = BudgetRows(world.database).hard([f"principal:{token.id}"])
        assert budget.limit_nanos == 7

    def test_a_giver_who_is_bound_by_a_budget_binds_whom_it_makes(self, world):
        rows = BudgetRows(world.database)
        rows.add(hard(f"principal:{DEPUTY.id}", 100), TESTER)
        grant = Grant("x", frozenset({Scope.CHAT}), **MODEST)

        def make(*nanos):
            return world.service.create(
                grant,
                actor=TESTER,
                by=DEPUTY,
                budgets=lambda subject: [
                    hard(subject, each, id=f"bud_{each}") for each in nanos
                ],
            )

        for too_much in ((), (101,)):
            with pytest.raises(PermissionDenied) as refused:
                make(*too_much)
            assert [each.path for each in refused.value.fields] == ["budgets"]
        assert make(100)

    def test_the_api_token_of_the_settings_may_give_all(self, world):
        token = world.make(*Scope, by=BOOTSTRAP, direct_models=True)

        assert reason_of(world, token.text) is None


class TestShow:
    def test_all_are_listed_with_their_state_and_without_secrets(self, world):
        plain = world.make(name="plain")
        world.clock.advance(1)
        short = world.make(*Scope, name="short", expires_at=START + DAY)
        world.clock.advance(1)
        gone = world.make(name="gone", expires_at=START + DAY)
        world.service.revoke(gone.id, actor=TESTER)
        world.move_to(START + DAY)

        listed = world.service.list_tokens()

        assert [(t.id, t.grant.name, t.state) for t in listed] == [
            (plain.id, "plain", "active"),
            (short.id, "short", "expired"),
            (gone.id, "gone", "revoked"),
        ]
        assert listed[1].grant.scopes == frozenset(Scope)
        assert listed[0].created_at == START
        assert not hasattr(listed[0], "digest")

    def test_pages_hold_every_one_once(self, world):
        made = [world.make().id for _ in range(5)]

        seen, place = [], None
        while page := world.service.page(2, place):
            seen += [each.id for each in page]
            place = page[-1].place()

        assert sorted(seen) == sorted(made)

    def test_a_service_has_none_until_the_first_is_made(self, world):
        assert not world.service.has_any()

        world.make()

        assert world.service.has_any()

    def test_one_s_own_is_shown_also_where_there_is_no_record(self, world):
        token = world.make(Scope.READ, name="mine")
        principal = world.service.authenticate(token.text)

        assert world.service.own(principal).grant.name == "mine"
        own = world.service.own(BOOTSTRAP)
        assert (own.id, own.created_at, own.state) == ("bootstrap", None, "active")


class TestUpdate:
    def test_what_is_named_changes_and_the_rest_stays(self, world):
        token = world.make(Scope.CHAT, name="old", requests_per_minute=5)

        shown = world.service.update(
            token.id, {"name": "new", "tags": ("b", "b", "a")}, actor=ANNA
        )

        assert shown == world.service.get(token.id)
        assert (shown.grant.name, shown.grant.tags) == ("new", ("b", "a"))
        assert shown.grant.requests_per_minute == 5

    def test_its_audit_row_tells_old_and_new_values(self, world):
        token = world.make(name="old", tokens_per_minute=5)
        world.clock.advance(1)
        changes = {
            "name": "new",
            "tokens_per_minute": None,
            "aliases": frozenset({"b", "a"}),
            "owner": "",  # as it was
        }

        world.service.update(token.id, changes, actor=ANNA)

        assert audit_of(world)[0] == (
            "token.update",
            token.id,
            {
                "name": {"old": "old", "new": "new"},
                "tokens_per_minute": {"old": 5, "new": None},
                "aliases": {"old": None, "new": ["a", "b"]},
            },
        )

    def test_what_changes_nothing_leaves_no_audit_row(self, world):
        token = world.make(name="x")

        world.service.update(token.id, {"name": "x"}, actor=ANNA)

        assert [each[0] for each in audit_of(world)] == ["token.create"]

    def test_an_expired_one_is_good_again_with_a_later_end(self, world):
        token = world.make(expires_at=START + DAY)
        world.move_to(START + 2 * DAY)
        assert reason_of(world, token.text) == "expired"

        world.service.update(token.id, {"expires_at": None}, actor=TESTER)

        assert reason_of(world, token.text) is None

    def test_an_end_that_has_passed_may_stay_but_not_be_given(self, world):
        token = world.make(expires_at=START + DAY)
        world.move_to(START + 2 * DAY)

        world.service.update(token.id, {"name": "y"}, actor=TESTER)
        with pytest.raises(InvalidInputError, match="not valid") as refused:
            world.service.update(
                token.id, {"expires_at": START + DAY / 2}, actor=TESTER
            )

        assert refused.value.fields[0].path == "expires_at"

    def test_a_revoked_one_stays_as_it_is(self, world):
        token = world.make(name="x")
        world.service.revoke(token.id, actor=TESTER)

        with pytest.raises(Conflict):
            world.service.update(token.id, {"name": "y"}, actor=TESTER)
        assert world.service.get(token.id).grant.name == "x"

    def test_a_giver_cannot_raise_itself(self, world):
        mine = world.make(Scope.ADMIN, **MODEST)
        me = world.service.authenticate(mine.text)

        with pytest.raises(PermissionDenied) as refused:
            world.service.update(
                mine.id, {"requests_per_minute": None}, actor=TESTER, by=me
            )
        assert [each.path for each in refused.value.fields] == ["requests_per_minute"]

        world.service.update(mine.id, {"requests_per_minute": 9}, actor=TESTER, by=me)
        assert world.service.get(mine.id).grant.requests_per_minute == 9

    def test_a_giver_cannot_change_who_has_more(self, world):
        token = world.make(Scope.CHAT)

        with pytest.raises(PermissionDenied, match="has more than yours"):
            world.service.update(token.id, {"name": "y"}, actor=TESTER, by=DEPUTY)


@pytest.mark.parametrize("token_id", [UNKNOWN, "", "nobody", "\0", "ä" * 12, "x" * 500])
def test_an_id_that_nobody_has_is_not_found_in_the_same_words(world, token_id):
    world.make()
    service = world.service
    tries = [
        lambda: service.get(token_id),
        lambda: service.update(token_id, {"name": "x"}, actor=TESTER),
        lambda: service.roll(token_id, 0, actor=TESTER),
        lambda: service.revoke(token_id, actor=TESTER),
    ]

    for attempt in tries:
        with pytest.raises(NotFound) as refused:
            attempt()
        assert str(refused.value) == "There is no API token with this id."
        assert (refused.value.details, refused.value.fields) == ("", ())
