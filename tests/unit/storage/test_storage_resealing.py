"""Resealing: every value under the current key, in small steps, on both databases."""

import os
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from sealers import CURRENT, OTHER, PREVIOUS, content_sealer
from sqlalchemy import text

from flaskllm.storage import resealing
from flaskllm.storage.resealing import Batch, SealedValues
from flaskllm.storage.responses import ResponseRow, ResponseRows
from flaskllm.storage.tables import responses

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ROW = ResponseRow("resp_1", "anna", None, NOON, NOON + DAY, b"body", b"items")
BOTH = content_sealer(CURRENT, PREVIOUS)
NEW, OLD = BOTH.prefixes()
BODY, ITEMS, KEY = "responses.body", "responses.input_items", "idempotency.body"
INSERT_CLAIM = text(
    "INSERT INTO idempotency (principal_id, key_digest, fingerprint, state, owner, "
    "lease_until, request_id, created_at, expires_at, body) VALUES "
    "('anna', :digest, :digest, 'finished', 'o', '2030-01-01 12:00:00.000000', 'r', "
    "'2030-01-01 12:00:00.000000', '2030-01-02 12:00:00.000000', :body)"
)


@pytest.fixture
def old(database_url, make_database):
    """The database as the previous master secret knew it."""
    return make_database(database_url, sealer=content_sealer(PREVIOUS))


@pytest.fixture
def new(database_url, make_database):
    """The same database under both secrets."""
    return make_database(database_url, sealer=BOTH)


@pytest.fixture
def values(new):
    return SealedValues(new)


def add_many(database, number, **changes):
    """Store so many responses in one transaction."""
    row = asdict(replace(ROW, **changes))
    rows = [row | {"id": f"resp_{each:03}"} for each in range(number)]
    with database.transaction() as connection:
        connection.execute(responses.insert(), rows)


def reseal_all(values, name):
    batches, batch = [], Batch()
    while (batch := values.reseal(name, OLD, BOTH, batch)).last is not None:
        batches.append(batch)
    return batches


def test_it_knows_every_sealed_column(values):
    assert {BODY, ITEMS, KEY} <= values.columns().keys()
    for name, column in values.columns().items():
        assert name == f"{column.table.name}.{column.name}"


def test_values_are_counted_by_the_key_they_lie_under(values, old, new):
    ResponseRows(old).add(ROW)
    ResponseRows(old).add(replace(ROW, id="resp_2"))
    ResponseRows(new).add(replace(ROW, id="resp_3"))

    assert values.count() == {OLD: 4, NEW: 2}


def test_resealed_values_read_the_same_without_the_previous_secret(
    values, old, database_url, make_database
):
    ResponseRows(old).add(ROW)

    assert [b.resealed for b in reseal_all(values, BODY)] == [1]
    assert [b.resealed for b in reseal_all(values, ITEMS)] == [1]

    alone = ResponseRows(make_database(database_url, sealer=content_sealer(CURRENT)))
    assert alone.find("resp_1", "anna", NOON) == ROW
    assert values.count() == {NEW: 2}


def test_a_second_run_finds_nothing(values, old):
    ResponseRows(old).add(ROW)
    reseal_all(values, BODY)

    assert reseal_all(values, BODY) == []


def test_many_values_go_in_several_batches_and_each_counts_once(values, old):
    add_many(old, 250)

    batches = reseal_all(values, BODY)

    assert [batch.resealed for batch in batches] == [100, 100, 50]
    assert batches[0].last == ("resp_099",)


def test_a_run_that_was_stopped_is_gone_on_with(values, old):
    add_many(old, 150)
    values.reseal(BODY, OLD, BOTH, Batch())

    assert [batch.resealed for batch in reseal_all(values, BODY)] == [50]


def test_large_values_go_in_smaller_batches(values, old):
    add_many(old, 11, body=os.urandom(900_000))  # noise does not shrink

    assert [batch.resealed for batch in reseal_all(values, BODY)] == [9, 2]


def test_one_value_beyond_all_bounds_has_a_batch_to_itself():
    sizes = [("a", resealing._MOST_BYTES + 1), ("b", 1)]

    assert resealing._first_within(sizes) == sizes[:1]


def test_a_broken_value_is_counted_passed_and_left_alone(values, old):
    for number in range(3):
        ResponseRows(old).add(replace(ROW, id=f"resp_{number}"))
    broken = OLD + bytes(40)
    with old.transaction() as connection:
        connection.execute(
            text("UPDATE responses SET body = :b WHERE id = 'resp_1'"), {"b": broken}
        )

    (batch,) = reseal_all(values, BODY)

    assert (batch.resealed, batch.broken) == (2, 1)
    assert values.count()[OLD] == 4  # the broken one, and three of the other column


def test_values_of_unknown_secrets_are_left_alone(values, database_url, make_database):
    other = content_sealer(OTHER)
    ResponseRows(make_database(database_url, sealer=other)).add(ROW)

    assert reseal_all(values, BODY) == []
    assert values.count() == {other.prefixes()[0]: 2}


def test_a_key_of_two_columns_leads_through_all_rows_and_null_is_no_value(values, old):
    sealer = content_sealer(PREVIOUS)
    with old.transaction() as connection:
        for number in range(150):
            body = sealer.seal(b"x", KEY) if number % 2 else None
            digest = number.to_bytes(32)
            connection.execute(INSERT_CLAIM, {"digest": digest, "body": body})

    assert values.count() == {OLD: 75}
    assert sum(batch.resealed for batch in reseal_all(values, KEY)) == 75
    assert values.count() == {NEW: 75}


class TestTokens:
    """Which API tokens nobody has used since."""

    INSERT = text(
        "INSERT INTO api_tokens (id, kind, name, digest, scopes, created_at, "
        "last_used_at, revoked_at, expires_at, direct_models) VALUES "
        "(:id, 'api', 'n', :digest, 'chat', :created, :used, :revoked, :expires, false)"
    )

    DAYS = ("created", "used", "revoked", "expires")
    CASES = (
        # created, used, revoked, expires (days from noon): does it count?
        ("never used", -2, None, None, None, True),
        ("used before", -2, -1, None, None, True),
        ("used since", -2, 1, None, None, False),
        ("made since", 1, None, None, None, False),
        ("revoked", -2, None, 1, None, False),
        ("expired", -2, None, None, 1, False),
        ("to expire", -2, None, None, 9, True),
    )

    def test_only_good_ones_that_were_not_used_since_are_named(self, values, new):
        counted = {}
        for name, *days, _ in self.CASES:
            row = dict(zip(self.DAYS, map(at, days), strict=True))
            with new.transaction() as connection:
                connection.execute(text("DELETE FROM api_tokens"))
                row |= {"id": "t1", "digest": bytes(32)}
                connection.execute(self.INSERT, row)
            counted[name] = values.tokens_unused_since(NOON, NOON + 2 * DAY)

        assert counted == {name: ("t1",) * counts for name, *_, counts in self.CASES}


def at(days):
    """Return noon, so many days later, as SQLite stores it; None stays None."""
    return None if days is None else f"{NOON + days * DAY:%Y-%m-%d %H:%M:%S.%f}"
