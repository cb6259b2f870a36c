"""API-token records and usage rows, as they go in and come out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from database_rows import usage_of

from flaskllm.core.auth import Scope
from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import InternalError
from flaskllm.storage.api_tokens import ApiTokenRecord, ApiTokens
from flaskllm.storage.database import Database
from flaskllm.storage.usage import UsageRow, UsageRows

NOON = datetime(2030, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RECORD = ApiTokenRecord(
    id="abcdefABCDEF",
    kind="api",
    name="mail server",
    digest=bytes(range(32)),
    scopes=frozenset({Scope.WEBHOOK, Scope.READ}),
    created_at=NOON,
    expires_at=NOON + timedelta(days=1),
)
ROW = UsageRow(
    id="use_1",
    request_id="req_12345678",
    principal_id="abcdefABCDEF",
    alias="fast",
    deployment="mini",
    provider="openai",
    model="gpt-4o-mini",
    attempt=1,
    outcome="OK",
    latency_ms=1234,
    input_uncached=1,
    input_cache_read=2,
    input_cache_write=3,
    output_text=4,
    output_reasoning=5,
    usage_source="provider",
    created_at=NOON,
)


@pytest.fixture
def database(tmp_path):
    database = Database(
        f"sqlite:///{tmp_path}/x.db", journal="truncate", clock=SystemClock()
    )
    yield database
    database.close()


@pytest.fixture
def tokens(database):
    return ApiTokens(database)


def test_a_record_comes_out_as_it_went_in(tokens):
    tokens.add(RECORD)

    assert tokens.find(RECORD.id) == RECORD


def test_a_record_with_every_time_set_comes_out_as_it_went_in(tokens):
    full = replace(RECORD, revoked_at=NOON + MINUTE, last_used_at=NOON + 2 * MINUTE)
    tokens.add(full)

    assert tokens.find(RECORD.id) == full


def test_times_come_out_in_utc(tokens):
    east = NOON.astimezone(timezone(timedelta(hours=9)))
    tokens.add(replace(RECORD, expires_at=east))

    found = tokens.find(RECORD.id).expires_at

    assert found == NOON
    assert found.utcoffset() == timedelta(0)


def test_a_time_without_an_offset_is_never_stored(tokens):
    with pytest.raises(InternalError):
        tokens.add(replace(RECORD, created_at=datetime(2030, 1, 1)))

    assert tokens.list() == ()


def test_the_digest_does_not_show_in_the_repr():
    assert "digest" not in repr(RECORD)


@pytest.mark.parametrize("unknown", ["", "x", "' OR 1=1--", "abcdefabcdef", "\0"])
def test_an_unknown_id_finds_nothing(tokens, unknown):
    tokens.add(RECORD)

    assert tokens.find(unknown) is None


def test_an_id_is_taken_once(tokens):
    tokens.add(RECORD)

    with pytest.raises(InternalError):
        tokens.add(replace(RECORD, name="another"))
    assert tokens.find(RECORD.id) == RECORD


def test_records_are_listed_oldest_first(tokens):
    newer = replace(RECORD, id="0newer", created_at=NOON + MINUTE)
    same = replace(RECORD, id="0same")
    for record in (newer, RECORD, same):
        tokens.add(record)

    assert tokens.list() == (same, RECORD, newer)


def test_a_store_has_none_until_one_is_added(tokens):
    assert not tokens.has_any()

    tokens.add(replace(RECORD, revoked_at=NOON))

    assert tokens.has_any()


def test_a_revoked_record_keeps_its_first_time(tokens):
    tokens.add(RECORD)

    assert tokens.revoke(RECORD.id, NOON)
    assert tokens.revoke(RECORD.id, NOON + MINUTE)

    assert tokens.find(RECORD.id) == replace(RECORD, revoked_at=NOON)


def test_to_revoke_an_unknown_id_changes_nothing(tokens):
    tokens.add(RECORD)

    assert not tokens.revoke("unknown", NOON)
    assert tokens.list() == (RECORD,)


def test_the_last_use_is_written_at_most_once_a_minute(tokens):
    tokens.add(RECORD)
    noted = []

    for seconds in (0, 1, 59.9, 60, 119, 120):
        tokens.touch(RECORD.id, NOON + timedelta(seconds=seconds))
        noted.append((tokens.find(RECORD.id).last_used_at - NOON).total_seconds())

    assert noted == [0, 0, 0, 60, 60, 120]


def test_a_touch_leaves_other_records_alone(tokens):
    other = replace(RECORD, id="other")
    tokens.add(RECORD)
    tokens.add(other)

    tokens.touch(RECORD.id, NOON)
    tokens.touch("unknown", NOON)

    assert tokens.find("other") == other


@pytest.mark.parametrize(
    ("last_used", "due"),
    [(None, True), (NOON, False), (NOON - MINUTE, True), (NOON + MINUTE, False)],
)
def test_a_touch_is_due_after_a_minute(last_used, due):
    assert replace(RECORD, last_used_at=last_used).touch_is_due(NOON) is due


def test_usage_comes_out_as_it_went_in(database):
    rows = UsageRows(database)
    rows.add([ROW])

    assert usage_of(database, ROW.request_id) == (ROW,)


def test_each_attempt_of_a_request_has_a_row(database):
    rows = UsageRows(database)
    second = replace(ROW, id="use_0", attempt=2, outcome="LLM_TIMEOUT")
    for row in (second, ROW, replace(ROW, id="use_3", request_id="req_other")):
        rows.add([row])

    assert usage_of(database, ROW.request_id) == (ROW, second)
