"""Responses in the database: each principal's own, until they expire."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flaskllm.storage.responses import ResponseRow, ResponseRows

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
ROW = ResponseRow(
    id="resp_1",
    principal_id="anna",
    previous_id=None,
    created_at=NOON,
    expires_at=NOON + DAY,
    body='{"id": "resp_1"}',
    input_items="[]",
)


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


def test_adding_one_removes_what_has_expired(rows):
    rows.add(ROW)
    later = replace(ROW, id="resp_2", created_at=NOON + DAY, expires_at=NOON + 2 * DAY)

    rows.add(later)

    assert rows.find("resp_1", "anna", NOON) is None
    assert rows.find("resp_2", "anna", NOON) == later


def test_what_was_said_does_not_show_in_the_repr():
    assert "body" not in repr(ROW)
    assert "input_items" not in repr(ROW)
