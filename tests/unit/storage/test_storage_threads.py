"""Mail threads in the database: each principal's own, one writer at a time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from fakes import FakeClock
from sealers import content_sealer
from sqlalchemy import text, update

from flaskllm.storage.tables import digest_threads
from flaskllm.storage.threads import ThreadRow, ThreadRows

DAY = timedelta(days=1)
KEY, OLD_KEY, OTHER_KEY = b"k" * 32, b"o" * 32, b"x" * 32
ROW = ThreadRow("anna", KEY, 1, b'{"facts": []}')
REVOKED = text(
    "INSERT INTO api_tokens (id, kind, name, digest, scopes, created_at, revoked_at) "
    "VALUES ('anna', 'live', 'Anna', :digest, 'webhook', :at, :at)"
)


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


@pytest.fixture
def rows(database):
    return ThreadRows(database, FakeClock())


def expire(database):
    """Let all rows have expired; the server's clock is not ours to move."""
    past = datetime(2020, 1, 1, tzinfo=UTC)
    with database.transaction() as connection:
        connection.execute(update(digest_threads).values(expires_at=past))


def test_a_thread_comes_out_as_it_went_in(rows):
    assert rows.put(ROW, None, DAY) is True
    assert rows.find("anna", [OTHER_KEY, KEY]) == ROW


def test_nothing_else_finds_it(rows, database):
    rows.put(ROW, None, DAY)

    assert rows.find("ben", [KEY]) is None
    assert rows.find("anna", [OTHER_KEY]) is None
    expire(database)
    assert rows.find("anna", [KEY]) is None


def test_of_two_at_once_the_second_one_reads_again(rows):
    rows.put(ROW, None, DAY)
    known = rows.find("anna", [KEY])

    assert rows.put(replace(ROW, body=b"first"), known, DAY) is True
    assert rows.put(replace(ROW, body=b"second"), known, DAY) is False
    assert rows.put(replace(ROW, body=b"third"), None, DAY) is False
    assert rows.find("anna", [KEY]) == replace(ROW, version=2, body=b"first")


def test_one_that_has_expired_is_begun_anew(rows, database):
    rows.put(ROW, None, DAY)
    expire(database)

    assert rows.put(replace(ROW, body=b"new"), None, DAY) is True
    assert rows.find("anna", [KEY]) == replace(ROW, body=b"new")


def test_one_that_was_known_by_another_secret_moves_to_the_new_key(rows):
    rows.put(replace(ROW, key_digest=OLD_KEY), None, DAY)
    known = rows.find("anna", [KEY, OLD_KEY])

    assert rows.put(replace(ROW, body=b"moved"), known, DAY) is True
    assert rows.put(replace(ROW, body=b"late"), known, DAY) is False
    assert rows.find("anna", [OLD_KEY]) is None
    assert rows.find("anna", [KEY]) == replace(ROW, version=2, body=b"moved")


def test_what_has_expired_is_removed_in_batches(rows, database):
    for number in range(3):
        rows.put(replace(ROW, key_digest=bytes([number]) * 32), None, DAY)
    expire(database)
    rows.put(ROW, None, DAY)

    assert [rows.remove_expired(2) for _ in range(3)] == [2, 1, 0]
    assert rows.find("anna", [KEY]) == ROW


def test_what_belongs_to_a_revoked_api_token_is_removed(rows, database):
    rows.put(ROW, None, DAY)
    rows.put(replace(ROW, principal_id="ben"), None, DAY)
    with database.transaction() as connection:
        at = "2026-01-05 09:00:00.000000"
        connection.execute(REVOKED, {"digest": b"d" * 32, "at": at})

    assert rows.remove_expired(9) == 1
    assert rows.find("anna", [KEY]) is None
    assert rows.find("ben", [KEY]) is not None


def test_what_is_known_lies_sealed_and_shows_in_no_repr(rows, database):
    rows.put(ROW, None, DAY)

    with database.reading() as connection:
        body = connection.execute(text("SELECT body FROM digest_threads")).scalar_one()
    opened = content_sealer().open(bytes(body), "digest_threads.body")
    assert opened == ROW.body
    assert "facts" not in repr(ROW)
