"""Inbound endpoints are kept on either store, sealed, and each change is audited."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from flaskllm.core.auth import Actor
from flaskllm.core.clock import SystemClock
from flaskllm.storage.api_tokens import Noted
from flaskllm.storage.inbound import InboundChange, InboundRow, InboundRows

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
ROW = InboundRow(
    "inb_1", "anna", "Desk", "zoom", "enabled", NOW, b'{"secret": "canary"}'
)
ACTOR = Actor("anna")
MOST = 3


def noted(action):
    return Noted(action, ACTOR, NOW, {"name": "Desk"})


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


@pytest.fixture
def rows(database):
    return InboundRows(database, SystemClock())


def test_rows_are_kept_in_order_and_found_again(rows):
    others = [replace(ROW, id=f"inb_{number}") for number in (2, 3)]

    stored = [rows.add(each, noted("inbound.create"), MOST) for each in (ROW, *others)]
    too_many = rows.add(replace(ROW, id="inb_4"), noted("inbound.create"), MOST)

    assert (stored, too_many) == ([True] * 3, False)
    assert rows.list() == (ROW, *others)
    assert rows.find("inb_1") == ROW
    assert rows.find("inb_4") is None


def test_the_terms_lie_sealed(rows, database):
    rows.add(ROW, noted("inbound.create"), MOST)

    with database.reading() as connection:
        kept = connection.execute(text("SELECT terms FROM inbound_endpoints")).scalar()
    assert b"canary" not in bytes(kept)


def test_a_change_and_a_removal_leave_their_audit_rows(rows, database):
    rows.add(ROW, noted("inbound.create"), MOST)
    changed = replace(ROW, name="New")

    left = rows.change("inb_1", lambda row, at: None)
    after = rows.change(
        "inb_1", lambda row, at: InboundChange(changed, noted("inbound.update"))
    )
    removed = [rows.remove("inb_1", noted("inbound.remove")) for _ in range(2)]

    assert (left, after, removed) == (ROW, changed, [True, False])
    assert rows.change("inb_1", lambda row, at: None) is None
    with database.reading() as connection:
        actions = connection.execute(text("SELECT action FROM audit ORDER BY action"))
        assert actions.scalars().all() == [
            "inbound.create",
            "inbound.remove",
            "inbound.update",
        ]
