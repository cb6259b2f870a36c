"""Leases: one holder at a time, and only for what is due."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from flaskllm.storage.leases import Lease, Leases

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
WANTED = Lease("sweep", "anna", NOON + 5 * MINUTE, None)
BEN = replace(WANTED, holder="ben", until=NOON + 20 * MINUTE)


@pytest.fixture
def leases(database_url, make_database):
    return Leases(make_database(database_url))


def test_a_lease_that_nobody_ever_had_can_be_taken(leases):
    assert leases.take(WANTED, NOON, NOON) is True
    assert leases.list() == {"sweep": WANTED}


def test_a_lease_that_somebody_holds_cannot_be_taken_until_it_ends(leases):
    leases.take(WANTED, NOON, NOON)

    assert leases.take(BEN, NOON + 4 * MINUTE, NOON) is False
    assert leases.list()["sweep"].holder == "anna"
    assert leases.take(BEN, NOON + 5 * MINUTE, NOON) is True
    assert leases.list()["sweep"] == BEN


def test_what_was_done_lately_cannot_be_taken(leases):
    leases.take(WANTED, NOON, NOON)
    leases.finish(WANTED, NOON + MINUTE)

    assert leases.take(BEN, NOON + 2 * MINUTE, NOON) is False
    assert leases.take(BEN, NOON + 9 * MINUTE, NOON + MINUTE) is True
    assert leases.list()["sweep"].done_at == NOON + MINUTE


def test_what_was_given_back_undone_can_be_taken_at_once(leases):
    leases.take(WANTED, NOON, NOON)
    leases.release(WANTED, NOON + MINUTE)

    assert leases.take(BEN, NOON + MINUTE, NOON) is True
    assert leases.list()["sweep"].done_at is None


@pytest.mark.parametrize("give_back", ["finish", "release"])
def test_who_lost_a_lease_gives_back_nothing(leases, give_back):
    leases.take(WANTED, NOON, NOON)
    leases.take(BEN, NOON + 6 * MINUTE, NOON)

    getattr(leases, give_back)(WANTED, NOON + 7 * MINUTE)

    assert leases.list()["sweep"] == BEN


@pytest.mark.parametrize("is_done", [True, False], ids=["done", "held"])
def test_what_a_clock_that_was_wrong_has_written_keeps_nobody_out(leases, is_done):
    years = timedelta(days=3650)
    leases.take(replace(WANTED, until=WANTED.until + years), NOON + years, NOON)
    if is_done:
        leases.finish(WANTED, NOON + years)

    assert leases.list()["sweep"].lets(NOON, NOON - MINUTE) is True
    assert leases.take(BEN, NOON, NOON - MINUTE) is True
    assert leases.list()["sweep"].holder == "ben"


@pytest.mark.parametrize("is_done", [True, False], ids=["done", "held"])
def test_a_host_whose_clock_is_a_little_ahead_is_believed(leases, is_done):
    hours = timedelta(hours=23)
    leases.take(replace(WANTED, until=NOON + hours), NOON + hours, NOON)
    if is_done:
        leases.finish(WANTED, NOON + hours)

    assert leases.list()["sweep"].lets(NOON, NOON - MINUTE) is False
    assert leases.take(BEN, NOON, NOON - MINUTE) is False


def test_leases_of_two_names_know_nothing_of_each_other(leases):
    leases.take(WANTED, NOON, NOON)

    assert leases.take(replace(WANTED, name="expiry"), NOON, NOON) is True


def test_of_many_at_once_one_gets_it(leases):
    barrier, got = threading.Barrier(8), []

    def take(number):
        barrier.wait()
        if leases.take(replace(WANTED, holder=f"h{number}"), NOON, NOON):
            got.append(f"h{number}")

    threads = [threading.Thread(target=take, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert got == [leases.list()["sweep"].holder]


@pytest.mark.parametrize(
    ("until", "done_at", "lets"),
    [
        (NOON, None, True),
        (NOON + MINUTE, None, False),
        (NOON, NOON - 2 * MINUTE, True),
        (NOON, NOON - MINUTE, True),
        (NOON, NOON, False),
    ],
    ids=["free", "held", "long ago", "just due", "not due"],
)
def test_a_lease_tells_whether_it_can_be_taken(until, done_at, lets):
    assert Lease("sweep", "anna", until, done_at).lets(NOON, NOON - MINUTE) is lets
