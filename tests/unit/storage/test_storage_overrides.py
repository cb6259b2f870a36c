"""Overrides in the database: one for each deployment, until they are removed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flaskllm.storage.overrides import Override, OverrideRows

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ROW = Override("mini", "open", NOON + HOUR, "abcdefABCDEF", NOON)


@pytest.fixture
def rows(database):
    return OverrideRows(database)


@pytest.mark.parametrize("ends", [NOON + HOUR, None])
def test_a_row_comes_out_as_it_went_in(rows, ends):
    row = replace(ROW, expires_at=ends)
    rows.put(row)

    assert rows.list() == (row,)


def test_a_deployment_has_the_row_that_was_put_last(rows):
    other = replace(ROW, deployment="large")
    later = replace(ROW, state="closed", expires_at=None, set_at=NOON + HOUR / 2)
    for row in (ROW, other, later):
        rows.put(row)

    assert rows.list() == (other, later)


def test_what_has_expired_goes_with_the_next_put(rows):
    rows.put(ROW)
    lasting = replace(ROW, deployment="large", expires_at=None)
    rows.put(lasting)
    new = replace(ROW, deployment="new", set_at=NOON + HOUR, expires_at=None)
    rows.put(new)

    assert rows.list() == (lasting, new)


def test_a_row_is_removed_once(rows):
    other = replace(ROW, deployment="large")
    rows.put(ROW)
    rows.put(other)

    assert rows.remove("mini") is True
    assert rows.remove("mini") is False
    assert rows.list() == (other,)
