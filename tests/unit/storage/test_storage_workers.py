"""The rows of workers: who they are, and whether one was heard of lately."""

from dataclasses import replace

import pytest

from flaskllm.core.clock import SystemClock
from flaskllm.storage.workers import WorkerRow, Workers

FIRST = WorkerRow("wrk_1", "here", "1:1", 4)
SECOND = WorkerRow("wrk_2", "there", "2:2", 8)


@pytest.fixture
def workers(database_url, make_database, fake_clock):
    return Workers(make_database(database_url), fake_clock)


def test_a_worker_is_there_with_its_last_beat_until_it_is_removed(workers):
    workers.beat(FIRST)
    workers.beat(SECOND)
    workers.beat(replace(FIRST, beats=3))
    seen = workers.list()
    workers.remove(["wrk_1", "wrk_unknown"])
    workers.remove([])

    assert seen == (replace(FIRST, beats=3), SECOND)
    assert workers.list() == (SECOND,)


def test_a_worker_that_was_removed_comes_back_with_its_next_beat(workers):
    workers.beat(FIRST)
    workers.remove(["wrk_1"])

    workers.beat(replace(FIRST, beats=9))

    assert workers.list() == (replace(FIRST, beats=9),)


def test_a_worker_is_fresh_for_fifteen_seconds_after_its_beat(
    sqlite_database_url, make_database, fake_clock
):
    workers = Workers(make_database(sqlite_database_url), fake_clock)
    found = [workers.any_fresh()]
    workers.beat(FIRST)
    for seconds in (15.0, 1.0):
        fake_clock.advance(seconds)
        found.append(workers.any_fresh())
    workers.beat(replace(FIRST, beats=1))
    found.append(workers.any_fresh())

    assert found == [False, True, False, True]


def test_on_a_shared_server_no_hosts_clock_makes_a_worker_stale(
    postgres_database_url, make_database, fake_clock
):
    database = make_database(postgres_database_url)
    Workers(database, SystemClock()).beat(FIRST)

    assert Workers(database, fake_clock).any_fresh()
