"""Responses in the database: each principal's own, until they expire."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sealers import content_sealer
from sqlalchemy import text

from flaskllm.storage.responses import ResponseRow, ResponseRows

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ROW = ResponseRow(
    id="resp_1",
    principal_id="anna",
    previous_id=None,
    created_at=NOON,
    expires_at=NOON + DAY,
    body=b'{"id": "resp_1"}',
    input_items=b"[]",
)


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


@pytest.fixture
def rows(database):
    return ResponseRows(database)


def test_a_response_comes_out_as_it_went_in(rows):
    rows.add(ROW)

    assert rows.find("resp_1", "anna", NOON) == ROW


@pytest.mark.parametrize(
    ("response_id", "principal_id", "at"),
    [
        ("resp_2", "anna", NOON),
        ("resp_1", "ben", NOON),
        ("resp_1", "anna", NOON + DAY),
    ],
    ids=["another id", "another principal", "too late"],
)
def test_nothing_else_finds_it(rows, response_id, principal_id, at):
    rows.add(ROW)

    assert rows.find(response_id, principal_id, at) is None
    assert rows.chain(response_id, principal_id, at, most=9, most_bytes=99) is None
    assert rows.remove(response_id, principal_id, at) is False
    assert rows.find("resp_1", "anna", NOON) == ROW


def test_a_chain_comes_oldest_first(rows):
    second = replace(ROW, id="resp_2", previous_id="resp_1")
    third = replace(ROW, id="resp_3", previous_id="resp_2")
    for row in (ROW, second, third):
        rows.add(row)

    found = rows.chain("resp_3", "anna", NOON, most=3, most_bytes=99)

    assert found == (ROW, second, third)


@pytest.mark.parametrize(("most", "most_bytes"), [(1, 99), (9, 17)])
def test_of_a_chain_that_is_too_long_the_beginning_is_not_read(rows, most, most_bytes):
    second = replace(ROW, id="resp_2", previous_id="resp_1")
    rows.add(ROW)
    rows.add(second)

    found = rows.chain("resp_2", "anna", NOON, most=most, most_bytes=most_bytes)

    assert found == (second,)


def test_a_chain_through_another_principals_response_is_none(rows):
    rows.add(replace(ROW, principal_id="ben"))
    rows.add(replace(ROW, id="resp_2", previous_id="resp_1"))

    assert rows.chain("resp_2", "anna", NOON, most=9, most_bytes=99) is None


def test_a_removed_response_is_gone(rows):
    rows.add(ROW)

    assert rows.remove("resp_1", "anna", NOON) is True
    assert rows.find("resp_1", "anna", NOON) is None
    assert rows.remove("resp_1", "anna", NOON) is False


def test_what_has_expired_is_removed_in_batches_and_counted(rows):
    for number in range(5):
        rows.add(replace(ROW, id=f"resp_{number}"))
    rows.add(replace(ROW, id="resp_9", expires_at=NOON + 2 * DAY))

    counts = [rows.remove_expired(NOON + DAY, most=2) for _ in range(4)]

    assert counts == [2, 2, 1, 0]
    assert rows.find("resp_9", "anna", NOON + DAY) is not None


def test_nothing_is_removed_before_it_expires(rows):
    rows.add(ROW)

    assert rows.remove_expired(NOON + DAY - timedelta(seconds=1), most=9) == 0


def test_what_was_said_lies_sealed_in_the_table(rows, database):
    rows.add(ROW)

    with database.reading() as connection:
        found = connection.execute(text("SELECT body, input_items FROM responses"))
        body, input_items = found.one()
    sealer = content_sealer()
    assert sealer.open(bytes(body), "responses.body") == ROW.body
    assert sealer.open(bytes(input_items), "responses.input_items") == b"[]"


def test_what_was_said_does_not_show_in_the_repr():
    assert "body" not in repr(ROW)
    assert "input_items" not in repr(ROW)
