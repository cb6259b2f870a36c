"""Audit rows: added with the change they tell, shown the latest first."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from flaskllm.core.auth import Actor
from flaskllm.core.errors import NotFound
from flaskllm.core.paging import Place
from flaskllm.storage.audit import AuditRows, WantedRows, record

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
ANNA = Actor("anna", "192.0.2.1", "req_12345678")


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


@pytest.fixture
def rows(database):
    return AuditRows(database)


@pytest.fixture
def note(database):
    """Adds a row in a transaction of its own."""

    def note(action="token.create", object_id="x", actor=ANNA, at=NOON, **details):
        with database.transaction() as connection:
            record(connection, actor, action, object_id, at, details)

    return note


def actions(page):
    return [row.action for row in page]


def test_a_row_tells_who_did_what_when_and_from_where(rows, note):
    note("token.update", "abcdefABCDEF", name={"old": "a", "new": "b"})

    (row,) = rows.page(10)
    assert (row.action, row.object_id) == ("token.update", "abcdefABCDEF")
    assert (row.principal_id, row.peer, row.request_id) == (
        "anna",
        "192.0.2.1",
        "req_12345678",
    )
    assert row.at == NOON
    assert json.loads(row.details) == {"name": {"old": "a", "new": "b"}}
    assert row.id.startswith("aud_")


def test_a_change_that_is_rolled_back_leaves_no_row(rows, database):
    def change():
        with database.transaction() as connection:
            record(connection, ANNA, "token.create", "x", NOON)
            raise NotFound

    with pytest.raises(NotFound):
        change()

    assert rows.page(10) == ()


def test_what_is_too_long_is_cut_and_not_refused(rows, note):
    note(object_id="o" * 500, actor=Actor("anna", "p" * 100, "req_12345678"))

    (row,) = rows.page(10)
    assert (len(row.object_id), len(row.peer)) == (400, 64)


def test_pages_go_back_in_time_and_miss_nothing(rows, note):
    for number in range(5):
        # Two share each moment.
        note(f"a.{number}", at=NOON + (number // 2) * SECOND)

    seen, place = [], None
    while page := rows.page(2, None, place):
        note("late", at=NOON + 60 * SECOND)  # comes before every place
        seen += page
        place = Place(page[-1].at, page[-1].id)

    assert sorted(actions(seen)) == [f"a.{number}" for number in range(5)]
    assert [row.at for row in seen] == sorted((row.at for row in seen), reverse=True)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (WantedRows(), ["token.create", "token_x", "tokens.y", "budget.create"]),
        (WantedRows(action="token."), ["token.create"]),
        (WantedRows(action="token_"), ["token_x"]),  # no pattern
        (WantedRows(action="%"), []),
        (WantedRows(object_id="bud_1"), ["budget.create"]),
        (WantedRows(principal_id="cli:root"), ["tokens.y"]),
        (WantedRows("token", "x", "anna"), ["token.create", "token_x"]),
    ],
)
def test_rows_are_found_by_what_was_done_to_what_by_whom(rows, note, wanted, found):
    note("token.create")
    note("token_x")
    note("tokens.y", actor=Actor("cli:root"))
    note("budget.create", "bud_1")

    assert sorted(actions(rows.page(10, wanted))) == sorted(found)
