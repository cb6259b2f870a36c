"""Overrides in the database: one for each deployment, until they are removed."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from postgres_sessions import SOMEBODY_WAITS, name_in, wait_until

from flaskllm.core.auth import Actor
from flaskllm.storage.overrides import Override, OverrideRows
from flaskllm.storage.tables import overrides

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ANNA = Actor("anna")
ROW = Override("mini", "open", NOON + HOUR, "abcdefABCDEF", NOON)


@pytest.fixture
def rows(database):
    return OverrideRows(database)


@pytest.mark.parametrize("ends", [NOON + HOUR, None])
def test_a_row_comes_out_as_it_went_in(rows, ends):
    row = replace(ROW, expires_at=ends)
    rows.put(row, ANNA)

    assert rows.list() == (row,)


def test_a_deployment_has_the_row_that_was_put_last(rows):
    other = replace(ROW, deployment="large")
    later = replace(ROW, state="closed", expires_at=None, set_at=NOON + HOUR / 2)
    for row in (ROW, other, later):
        rows.put(row, ANNA)

    assert rows.list() == (other, later)


def test_what_has_expired_goes_with_the_next_put(rows):
    rows.put(ROW, ANNA)
    lasting = replace(ROW, deployment="large", expires_at=None)
    rows.put(lasting, ANNA)
    new = replace(ROW, deployment="new", set_at=NOON + HOUR, expires_at=None)
    rows.put(new, ANNA)

    assert rows.list() == (lasting, new)


def test_a_row_is_removed_once(rows):
    other = replace(ROW, deployment="large")
    rows.put(ROW, ANNA)
    rows.put(other, ANNA)

    assert rows.remove("mini", ANNA, NOON) is True
    assert rows.remove("mini", ANNA, NOON) is False
    assert rows.list() == (other,)


def test_of_two_who_put_at_once_the_later_one_stands(
    postgres, postgres_database_url, make_database
):
    database = make_database(postgres_database_url)
    rows, later = OverrideRows(database), replace(ROW, state="closed")

    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as connection:
            connection.execute(overrides.insert().values(asdict(ROW)))
            put = pool.submit(rows.put, later, ANNA)
            wait_until(postgres, SOMEBODY_WAITS, name_in(postgres_database_url))
        put.result()

    assert rows.list() == (later,)
