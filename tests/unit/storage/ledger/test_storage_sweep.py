"""The sweep: what expired ends at its estimate, and what is told later corrects it."""

from datetime import timedelta

import pytest
from ledger_scene import (
    NOON,
    entries_of,
    open_attempts,
    released,
    reservation,
    settled,
    spent_of,
    usage_by_id,
    usage_row,
)
from log_lines import ours

from flaskllm.storage import tables
from flaskllm.storage.ledger import Closing
from flaskllm.storage.usage import ABANDONED

ANN = "principal:ann"


def test_the_sweep_settles_what_expired_at_its_estimate(ledger, database, clock):
    held = reservation("a", 1000, tags=("x",))
    late = reservation("b", 1000, expires_at=NOON + timedelta(seconds=400))
    ledger.write([held, late], [])
    clock.advance(360)

    assert ledger.sweep(10) == 1

    assert open_attempts(database) == {"b"}
    assert entries_of(database, "a") == {
        ("reserve", 1000, False),
        ("settle", 500, True),
    }
    assert spent_of(database, ANN) == (1000, 500)
    assert spent_of(database, "tag:x") == (0, 500)
    row = usage_by_id(database)["a"]
    assert (row.outcome, row.cost_nanos, row.is_estimated) == (ABANDONED, 500, True)
    assert (row.alias, row.deployment, row.source) == ("fast", "mini", "chat")
    assert (row.tags, row.created_at, row.input_uncached) == ("x", NOON, 0)


def test_the_sweep_goes_in_batches_and_ends_at_nothing(ledger, database, clock):
    ledger.write([reservation(f"{n}") for n in range(5)], [])
    clock.advance(361)

    assert [ledger.sweep(2) for _ in range(4)] == [2, 2, 1, 0]
    assert open_attempts(database) == set()
    assert spent_of(database, ANN) == (0, 5 * 500)


def test_one_that_cannot_be_swept_keeps_no_other_from_its_end(
    ledger, database, clock, caplog
):
    ledger.write([reservation(name) for name in ("a", "bad", "c")], [])
    entry = {
        "attempt_id": "bad",
        "entry": "settle",
        "principal_id": "ann",
        "request_id": "r",
        "nanos": 0,
        "is_estimated": False,
        "at": NOON,
    }
    with database.transaction() as connection:
        connection.execute(tables.ledger.insert().values(entry))
    clock.advance(400)

    assert ledger.sweep(10) == 2
    assert open_attempts(database) == {"bad"}
    (line,) = [each for each in ours(caplog) if each.levelname == "ERROR"]
    assert line.msg == "reservation_not_swept"


@pytest.mark.parametrize("cost", [0, 300, 500, 5000])
def test_what_is_told_after_the_sweep_corrects_it(ledger, database, clock, cost):
    held = reservation("a", 1000, tags=("x",))
    ledger.write([held], [])
    clock.advance(361)
    ledger.sweep(10)

    ledger.write([], [settled(held, cost)])
    ledger.write([], [settled(held, cost + 1)])

    assert entries_of(database, "a") == {
        ("reserve", 1000, False),
        ("settle", 500, True),
        ("correct", cost - 500, False),
    }
    assert spent_of(database, ANN) == spent_of(database, "tag:x") == (0, cost)
    assert usage_by_id(database) == {"a": usage_row(held, cost)}


def test_a_failure_that_is_told_after_the_sweep_gives_it_back(ledger, database, clock):
    held = reservation("a", 1000)
    ledger.write([held], [])
    clock.advance(361)
    ledger.sweep(10)

    ledger.write([], [released(held)])

    assert spent_of(database, ANN) == (0, 0)
    assert usage_by_id(database)["a"].outcome == "LLM_TIMEOUT"


def test_what_was_never_made_and_swept_leaves_no_usage(ledger, database, clock):
    held = reservation("a", 1000)
    ledger.write([held], [])
    clock.advance(361)
    ledger.sweep(10)

    ledger.write([], [Closing("a", NOON, held, None, is_released=True)])

    assert spent_of(database, ANN) == (0, 0)
    assert usage_by_id(database) == {}


def test_an_unknown_price_stays_unknown_through_sweep_and_correction(
    ledger, database, clock
):
    held = reservation("a", 0, expected_nanos=None)
    ledger.write([held], [])
    clock.advance(361)
    ledger.sweep(10)
    assert usage_by_id(database)["a"].cost_nanos is None

    ledger.write([], [settled(held, None)])

    assert entries_of(database, "a") == {
        ("reserve", 0, False),
        ("settle", None, True),
        ("correct", None, False),
    }
