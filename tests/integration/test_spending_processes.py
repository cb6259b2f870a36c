"""Several processes spend at the same time, and together not more than they may."""

import threading

import pytest
from database_rows import INSERT
from fakes import FakeClock
from ledger_scene import (
    NOON,
    disagreements,
    open_attempts,
    open_ledger,
    reservation,
    set_budget,
    settled,
    spent_of,
    usage_by_id,
)
from spenders import Spree, run_sprees

from flaskllm.core.clock import SystemClock

UNIT = 1_000_000


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


@pytest.fixture
def today():
    return SystemClock().now().date()


def test_200_requests_of_one_unit_against_a_budget_of_50_admit_exactly_50(
    database_url, database, today, record_property
):
    set_budget(database, "tag:team", 50 * UNIT)

    admitted = run_sprees(database_url, [Spree(50, UNIT)] * 4)

    record_property("figure", f"admitted {admitted}, together {sum(admitted)} of 200")
    assert sum(admitted) == 50
    assert spent_of(database, "tag:team", today) == (0, 50 * UNIT)
    assert open_attempts(database) == set()
    assert sum(row.cost_nanos for row in usage_by_id(database).values()) == 50 * UNIT
    assert [each for each in disagreements(database) if "tag:" not in each] == []


def test_no_more_attempts_are_under_way_than_the_principal_may(database_url, database):
    with database.transaction() as connection:
        connection.execute(INSERT, {"id": "ann"})

    admitted = run_sprees(database_url, [Spree(20, at_once=7, settles=False)] * 3)

    assert sum(admitted) == 7
    assert len(open_attempts(database)) == 7


def test_sweepers_and_late_news_at_the_same_time_settle_nothing_twice(
    database_url, database, make_database
):
    """Whoever comes first, in the end each attempt costs what was told last."""
    held = [reservation(f"att_{number:03}", 1000) for number in range(200)]
    clock = FakeClock(NOON)
    open_ledger(database, clock).write(held, [])
    clock.advance(361)
    swept, barrier = [], threading.Barrier(4)

    def sweep():
        ledger = open_ledger(make_database(database_url), clock)
        barrier.wait()
        while count := ledger.sweep(7):
            swept.append(count)

    def tell(some):
        ledger = open_ledger(make_database(database_url), clock)
        barrier.wait()
        for each in some:
            ledger.write([], [settled(each, 300), settled(each, 400)])

    news = [held[0:100], list(reversed(held[50:150]))]
    threads = [
        *(threading.Thread(target=sweep) for _ in range(2)),
        *(threading.Thread(target=tell, args=(some,)) for some in news),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(swept) <= 200
    assert open_attempts(database) == set()
    assert disagreements(database) == []
    costs = [row.cost_nanos for row in usage_by_id(database).values()]
    assert sorted(costs) == [300] * 150 + [500] * 50
    assert spent_of(database, "principal:ann") == (0, 150 * 300 + 50 * 500)
