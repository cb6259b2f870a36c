"""The store of limits gone: what a principal is admitted then, and afterwards."""

import sqlite3
import time

import pytest
from counter_storages import sql_counters
from log_lines import ours

from flaskllm.core.auth import Principal, PrincipalLimits, Scope
from flaskllm.core.errors import RateLimitExceeded
from flaskllm.services.limits import Limits

WHO = Principal(
    "p", "p", frozenset({Scope.CHAT}), "api", limits=PrincipalLimits(10, 1000)
)


class Process:
    """The limits of one process on a database."""

    def __init__(self, database, clock):
        self.database = database
        self.counted_locally = 0
        storage, mirror = sql_counters(database, clock)
        self.limits = Limits(mirror, storage, clock, count_local=self._count)

    def admits(self, times):
        """Return how many of so many requests pass; anything else is raised."""
        return sum(map(self._passes, range(times)))

    def _passes(self, _):
        try:
            self.limits.hit_request(WHO)
        except RateLimitExceeded:
            return False
        return True

    def _count(self):
        self.counted_locally += 1


@pytest.fixture
def make_process(make_database, fake_clock):
    return lambda url, **options: Process(make_database(url, **options), fake_clock)


def test_a_locked_file_keeps_nobody_waiting_but_the_first(
    make_process, sqlite_database_url, fake_clock, caplog
):
    """Who meets the lock first waits as long as any transaction does, 5 seconds."""
    process = make_process(sqlite_database_url)
    assert process.admits(4) == 4
    other = sqlite3.connect(sqlite_database_url.removeprefix("sqlite:///"))
    other.execute("BEGIN IMMEDIATE")
    started = time.monotonic()

    admitted = process.admits(20)

    assert admitted == 6  # as if nothing had happened: it had seen the others
    assert time.monotonic() - started < 8
    assert process.counted_locally == 20
    assert [line.message for line in ours(caplog)] == ["limits_counted_locally"]
    other.rollback()
    other.close()
    fake_clock.advance(1)
    assert process.admits(20) == 6  # the file was told of none of these
    assert process.counted_locally == 20


def test_a_server_that_stops_is_done_without_and_used_when_it_is_back(
    make_process, postgres, postgres_database_url, fake_clock
):
    one, other = (
        make_process(postgres_database_url, clock=fake_clock) for _ in range(2)
    )
    assert (one.admits(4), other.admits(2)) == (4, 2)
    postgres.stop("INT")  # killed, it may forget the last counts
    try:
        # Each goes on from what it saw last, and never beyond the limit.
        assert (one.admits(20), other.admits(20)) == (6, 4)
        charged_at = one.limits.charge_tokens(WHO, 700)
        one.limits.correct_tokens(WHO, -200, charged_at)
        with pytest.raises(RateLimitExceeded):
            one.limits.charge_tokens(WHO, 501)
    finally:
        postgres.start()
    fake_clock.advance(1)

    assert one.admits(20) + other.admits(20) == 4
