"""API-token records: as they go in and come out, and what goes with a change."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from flaskllm.core.auth import Actor, PrincipalLimits, Scope
from flaskllm.core.errors import Conflict, InternalError, PermissionDenied
from flaskllm.core.paging import Place
from flaskllm.storage.api_tokens import (
    ApiTokenRecord,
    ApiTokens,
    Edit,
    Noted,
    touch_is_due,
)
from flaskllm.storage.audit import AuditRows
from flaskllm.storage.budget_rows import BudgetRows
from flaskllm.storage.budgets import BudgetRow
from flaskllm.storage.changes import Changes

NOON = datetime(2030, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ANNA = Actor("anna", "192.0.2.1", "req_12345678")
MADE = Noted("token.create", ANNA, NOON, {"name": "mail server"})
RECORD = ApiTokenRecord(
    id="abcdefABCDEF",
    kind="api",
    name="mail server",
    digest=bytes(range(32)),
    scopes=frozenset({Scope.WEBHOOK, Scope.READ}),
    created_at=NOON,
    expires_at=NOON + timedelta(days=1),
)
FULL = replace(
    RECORD,
    revoked_at=NOON + MINUTE,
    last_used_at=NOON + 2 * MINUTE,
    direct_models=True,
    previous_digest=bytes(32),
    previous_until=NOON + 3 * MINUTE,
    aliases=frozenset({"fast", "größe, or so"}),
    networks=("192.0.2.0/24", "2001:db8::/32"),
    requests_per_minute=1,
    tokens_per_minute=2,
    concurrent_requests=10_000_000,
    owner="Ann Lee",
    tags=("team-a", "b.c"),
    created_by="cli:root",
)
BUDGET = BudgetRow(
    id="bud_1",
    subject="principal:abcdefABCDEF",
    period="day",
    kind="hard",
    limit_nanos=5,
    on_exhausted=None,
    created_at=NOON,
    created_by="anna",
)


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


@pytest.fixture
def tokens(database):
    return ApiTokens(database)


@pytest.fixture
def counter(database):
    return Changes(database)


def audit_of(database):
    """Return each audit row as its action, its object and its details."""
    rows = AuditRows(database).page(100)
    return [(row.action, row.object_id, json.loads(row.details)) for row in rows]


def renamed(name):
    """Return an edit that gives another name."""
    noted = Noted("token.update", ANNA, NOON + MINUTE, {"name": name})
    return lambda record, _budgets_of: Edit(replace(record, name=name), noted)


def raise_refusal(*_given):
    raise PermissionDenied


class TestRecords:
    @pytest.mark.parametrize("record", [RECORD, FULL], ids=["plain", "full"])
    def test_one_comes_out_as_it_went_in(self, tokens, record):
        tokens.add(record, MADE)

        assert tokens.find(record.id) == record

    def test_times_come_out_in_utc(self, tokens):
        east = NOON.astimezone(timezone(timedelta(hours=9)))
        tokens.add(replace(RECORD, expires_at=east), MADE)

        found = tokens.find(RECORD.id).expires_at

        assert found == NOON
        assert found.utcoffset() == timedelta(0)

    def test_a_time_without_an_offset_is_never_stored(self, tokens):
        with pytest.raises(InternalError):
            tokens.add(replace(RECORD, created_at=datetime(2030, 1, 1)), MADE)

        assert tokens.list() == ()

    def test_no_digest_shows_in_the_repr(self):
        assert "digest" not in repr(FULL)

    @pytest.mark.parametrize("unknown", ["", "x", "' OR 1=1--", "abcdefabcdef"])
    def test_an_unknown_id_finds_nothing(self, tokens, unknown):
        tokens.add(RECORD, MADE)

        assert tokens.find(unknown) is None

    def test_they_are_listed_oldest_first(self, tokens):
        newer = replace(RECORD, id="0newer", created_at=NOON + MINUTE)
        same = replace(RECORD, id="0same")
        for record in (newer, RECORD, same):
            tokens.add(record, MADE)

        assert tokens.list() == (same, RECORD, newer)

    def test_pages_go_on_behind_a_place_whatever_was_added_before_it(self, tokens):
        ids = ["a1", "a2", "a3", "b1", "b2"]
        for number, name in enumerate(ids):
            at = NOON + (number // 3) * MINUTE  # three share a moment
            tokens.add(replace(RECORD, id=name, created_at=at), MADE)

        first = tokens.page(2)
        tokens.add(replace(RECORD, id="a0"), MADE)
        second = tokens.page(2, Place(first[-1].created_at, first[-1].id))
        third = tokens.page(2, Place(second[-1].created_at, second[-1].id))

        pages = [[record.id for record in page] for page in (first, second, third)]
        assert pages == [["a1", "a2"], ["a3", "b1"], ["b2"]]
        assert tokens.page(2, Place(NOON + MINUTE, "b2")) == ()

    def test_a_store_has_none_until_one_is_added(self, tokens):
        assert not tokens.has_any()

        tokens.add(replace(RECORD, revoked_at=NOON), MADE)

        assert tokens.has_any()

    def test_it_tells_who_calls(self):
        principal = FULL.principal()

        assert (principal.id, principal.name) == (FULL.id, FULL.name)
        assert (principal.scopes, principal.kind) == (FULL.scopes, "api")
        assert principal.direct_models
        assert principal.aliases == FULL.aliases
        assert principal.networks == FULL.networks
        assert principal.limits == PrincipalLimits(1, 2, 10_000_000)
        assert (principal.owner, principal.tags) == (FULL.owner, FULL.tags)
        assert principal.expires_at == FULL.expires_at


class TestAdd:
    def test_its_audit_row_and_the_counter_go_with_it(self, tokens, database, counter):
        assert counter.read() == 0

        tokens.add(RECORD, MADE)

        assert counter.read() == 1
        (row,) = AuditRows(database).page(10)
        assert (row.principal_id, row.peer) == ("anna", "192.0.2.1")
        assert (row.request_id, row.at) == ("req_12345678", NOON)
        assert audit_of(database) == [
            ("token.create", RECORD.id, {"name": "mail server"})
        ]

    def test_its_budgets_go_with_it(self, tokens, database):
        tokens.add(RECORD, MADE, [BUDGET])

        assert BudgetRows(database).hard([BUDGET.subject]) == (BUDGET,)
        assert [each[0] for each in audit_of(database)].count("budget.create") == 1

    @pytest.mark.parametrize(
        ("budgets", "check", "error"),
        [
            ([], raise_refusal, PermissionDenied),
            ([BUDGET, replace(BUDGET, id="bud_2")], lambda _: None, Conflict),
        ],
        ids=["refused", "budgets that clash"],
    )
    def test_it_is_all_or_nothing(
        self, tokens, database, counter, budgets, check, error
    ):
        with pytest.raises(error):
            tokens.add(RECORD, MADE, budgets, check)

        assert tokens.list() == ()
        assert BudgetRows(database).hard([BUDGET.subject]) == ()
        assert audit_of(database) == []
        assert counter.read() == 0

    def test_an_id_is_taken_once(self, tokens, counter):
        tokens.add(RECORD, MADE)

        with pytest.raises(InternalError):
            tokens.add(replace(RECORD, name="another"), MADE)
        assert tokens.find(RECORD.id) == RECORD
        assert counter.read() == 1

    def test_the_check_reads_budgets_of_the_same_moment(self, tokens):
        tokens.add(RECORD, MADE, [BUDGET])
        seen = []

        def check(budgets_of):
            seen.append(budgets_of([BUDGET.subject, "tag:none"]))
            seen.append(budgets_of(()))

        tokens.add(replace(RECORD, id="another"), MADE, (), check)

        assert seen == [(BUDGET,), ()]


class TestChange:
    def test_the_record_its_audit_row_and_the_counter_change_together(
        self, tokens, database, counter
    ):
        tokens.add(RECORD, MADE)

        changed = tokens.change(RECORD.id, renamed("new"))

        assert changed == tokens.find(RECORD.id) == replace(RECORD, name="new")
        assert counter.read() == 2
        assert audit_of(database)[0] == ("token.update", RECORD.id, {"name": "new"})

    def test_every_field_may_change(self, tokens):
        tokens.add(RECORD, MADE)

        tokens.change(RECORD.id, lambda *_: Edit(FULL, MADE))

        assert tokens.find(RECORD.id) == FULL

    def test_what_raises_leaves_everything_as_it_was(self, tokens, database, counter):
        tokens.add(RECORD, MADE)

        with pytest.raises(PermissionDenied):
            tokens.change(RECORD.id, raise_refusal)

        assert tokens.find(RECORD.id) == RECORD
        assert counter.read() == 1
        assert len(audit_of(database)) == 1

    def test_no_edit_is_no_change(self, tokens, database):
        tokens.add(RECORD, MADE)

        assert tokens.change(RECORD.id, lambda *_: None) == RECORD
        assert len(audit_of(database)) == 1

    def test_an_edit_may_leave_the_record_and_still_be_noted(self, tokens, database):
        tokens.add(RECORD, MADE)

        assert tokens.change(RECORD.id, lambda record, _: Edit(record, MADE)) == RECORD
        assert len(audit_of(database)) == 2

    def test_an_unknown_id_changes_nothing(self, tokens):
        tokens.add(RECORD, MADE)

        assert tokens.change("unknown", renamed("new")) is None
        assert tokens.list() == (RECORD,)

    def test_a_change_that_waited_sees_what_went_before(
        self, database_url, make_database
    ):
        """Two processes that change the same record do not undo each other."""
        one, other = (ApiTokens(make_database(database_url)) for _ in range(2))
        one.add(RECORD, MADE)
        owned = Noted("token.update", ANNA, NOON)

        one.change(RECORD.id, renamed("new"))
        other.change(
            RECORD.id, lambda record, _: Edit(replace(record, owner="Ann"), owned)
        )

        assert one.find(RECORD.id) == replace(RECORD, name="new", owner="Ann")


class TestTouch:
    def test_the_last_use_is_written_at_most_once_a_minute(self, tokens, counter):
        tokens.add(RECORD, MADE)
        noted = []

        for seconds in (0, 1, 59.9, 60, 119, 120):
            tokens.touch(RECORD.id, NOON + timedelta(seconds=seconds))
            noted.append((tokens.find(RECORD.id).last_used_at - NOON).total_seconds())

        assert noted == [0, 0, 0, 60, 60, 120]
        assert counter.read() == 1  # nobody needs to hear of it

    def test_it_leaves_other_records_alone(self, tokens):
        other = replace(RECORD, id="other")
        tokens.add(RECORD, MADE)
        tokens.add(other, MADE)

        tokens.touch(RECORD.id, NOON)
        tokens.touch("unknown", NOON)

        assert tokens.find("other") == other

    @pytest.mark.parametrize(
        ("last_used", "due"),
        [(None, True), (NOON, False), (NOON - MINUTE, True), (NOON + MINUTE, False)],
    )
    def test_it_is_due_after_a_minute(self, last_used, due):
        assert touch_is_due(last_used, NOON) is due


class TestReplaceDigest:
    @pytest.mark.parametrize("name", ["digest", "previous_digest"])
    def test_either_digest_is_replaced_where_it_stands(self, tokens, name):
        tokens.add(FULL, MADE)
        new = b"n" * 32

        tokens.replace_digest(FULL.id, getattr(FULL, name), new)

        assert tokens.find(FULL.id) == replace(FULL, **{name: new})

    def test_one_that_was_rolled_away_meanwhile_stays_away(self, tokens):
        tokens.add(FULL, MADE)

        tokens.replace_digest(FULL.id, b"o" * 32, b"n" * 32)

        assert tokens.find(FULL.id) == FULL
