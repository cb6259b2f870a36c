"""Processes are killed at any moment, and the books are right all the same."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
import requests
from crash_scene import CALLERS, Gateway, Invoices, Load, ask
from fakes import FakeClock, Upstream
from ledger_scene import (
    disagreements,
    open_attempts,
    open_ledger,
    reserved_by_id,
    usage_by_id,
)
from rounds import IS_FULL, rounds

from flaskllm.storage.usage import ABANDONED

KILLS = rounds(4, 100)
SPAN = (0.2, 1.0) if IS_FULL else (0.2, 0.6)
# Settling rows may follow an answer within a second; a busy disk may take longer.
LONGEST_UNTOLD_SECONDS = 5.0


def sweep_all(database):
    """Sweep as if an hour had passed, and return how many were swept."""
    clock = FakeClock(datetime.now(UTC) + timedelta(hours=1))
    ledger, swept = open_ledger(database, clock), 0
    while count := ledger.sweep(100):
        swept += count
    return swept


@pytest.fixture
def upstream():
    with Upstream() as server:
        yield server


@pytest.mark.timeout(rounds(300, 2400))
def test_after_kills_the_ledger_is_the_sum_of_the_invoices(
    database_url, make_database, house, upstream, record_property
):
    random, invoices = Random(5), Invoices()
    upstream.always(invoices)
    gateway = Gateway(house, upstream, database_url)
    with Load(gateway.url) as load:
        for _ in range(KILLS):
            load.go_on(random.uniform(*SPAN))
            gateway.kill(random)
        load.go_on(0.5)
        gateway.stop()

    gateway.start()  # no step by hand is needed
    with requests.Session() as session:
        ask(session, gateway.url, 999_999)
    gateway.stop()
    database = make_database(database_url)
    left = len(open_attempts(database))
    swept = sweep_all(database)

    rows = usage_by_id(database)
    record_property(
        "figure",
        f"{len(rows)} attempts, {len(gateway.kills)} kills, {swept} swept; "
        f"{len(load.answered)} answered in full",
    )
    assert swept == left <= CALLERS * len(gateway.kills)
    assert open_attempts(database) == set()
    assert disagreements(database) == []
    assert database.examine().faults == ()
    check_attempts(database, rows, invoices)
    check_answers(rows, load, gateway)


def check_attempts(database, rows, invoices):
    """Each attempt costs its invoice, or an estimate within its reservation."""
    reserved = reserved_by_id(database)
    for row in rows.values():
        due = invoices.nanos.get(row.request_id, [])
        if row.outcome == "OK":
            assert [row.cost_nanos] == due, row.request_id
        elif row.outcome == ABANDONED:
            assert row.is_estimated
            assert 0 <= row.cost_nanos <= reserved[row.id]
    told = {row.request_id for row in rows.values()}
    assert set(invoices.nanos) <= told, "an upstream was called without a reservation"


def check_answers(rows, load, gateway):
    """What was answered a while before any kill is settled at its true cost."""
    outcomes = {row.request_id: row.outcome for row in rows.values()}
    for request_id, answered_seconds in load.answered.items():
        if outcomes[request_id] == "OK":
            continue
        assert outcomes[request_id] == ABANDONED
        ages = [kill - answered_seconds for kill in gateway.kills]
        assert min(age for age in ages if age > -0.5) < LONGEST_UNTOLD_SECONDS
