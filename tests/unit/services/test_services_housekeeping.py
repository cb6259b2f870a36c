"""Housekeeping: each duty when it is due, by one of all, and none stops another."""

import threading
from datetime import timedelta

import pytest
from fakes import FakeClock

from flaskllm.core.errors import ServiceUnavailable
from flaskllm.services.housekeeping import (
    EVERY_SECONDS,
    LEASE_SECONDS,
    Duty,
    Housekeeping,
    Report,
)
from flaskllm.storage.leases import Lease, Leases

HOUR = 3600.0


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def database(database_url, make_database):
    return make_database(database_url)


@pytest.fixture
def leases(database):
    return Leases(database)


class Counted:
    """A duty that counts its turns; `fails` is raised instead when it is set."""

    def __init__(self, name, every_seconds=HOUR, during=None):
        self.turns = 0
        self.fails = None
        self._during = during
        self.duty = Duty(name, every_seconds, self.run)

    def run(self):
        if self.fails:
            raise self.fails
        self.turns += 1
        if self._during:
            self._during()
        return self.turns * 10


def keeper(leases, clock, *counted, threaded=True):
    duties = tuple(each.duty for each in counted)
    return Housekeeping(leases, duties, clock, "host", threaded=threaded)


def test_what_was_never_done_is_due(leases, clock):
    house = keeper(leases, clock, Counted("a"), Counted("b"))

    assert house.run_due() == {"a": 10, "b": 10}


def test_what_was_done_is_due_again_after_its_period(leases, clock):
    a = Counted("a", HOUR)
    house = keeper(leases, clock, a)

    house.run_due()
    clock.advance(HOUR - 1)
    assert house.run_due() == {}
    clock.advance(1)
    assert house.run_due() == {"a": 20}


def test_each_duty_has_its_own_period(leases, clock):
    house = keeper(leases, clock, Counted("a", 60), Counted("b", HOUR))

    house.run_due()
    clock.advance(60)

    assert house.run() == (Report("a", "done", 20), Report("b", "not_due"))


def test_two_houses_over_one_database_do_a_duty_once(leases, clock):
    first, second = Counted("a"), Counted("a")

    assert keeper(leases, clock, first).run_due() == {"a": 10}
    assert keeper(leases, clock, second).run_due() == {}
    assert (first.turns, second.turns) == (1, 0)


def test_a_duty_that_somebody_is_at_is_left_to_them(leases, clock):
    other = Counted("a")
    reports = []
    first = Counted(
        "a", during=lambda: reports.extend(keeper(leases, clock, other).run())
    )

    keeper(leases, clock, first).run_due()

    assert reports == [Report("a", "not_due")]
    assert other.turns == 0


def test_even_regardless_of_what_is_due_two_are_never_at_one_duty(leases, clock):
    other = Counted("a")
    first = Counted(
        "a", during=lambda: keeper(leases, clock, other).run(regardless=True)
    )

    keeper(leases, clock, first).run(regardless=True)

    assert (first.turns, other.turns) == (1, 0)


def test_threads_that_begin_together_do_each_duty_once(leases, clock):
    barrier, a = threading.Barrier(6), Counted("a")
    houses = [keeper(leases, clock, a) for _ in range(6)]

    def begin(house):
        barrier.wait()
        house.run_due()

    threads = [threading.Thread(target=begin, args=(house,)) for house in houses]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert a.turns == 1


def test_regardless_runs_what_is_not_due(leases, clock):
    house = keeper(leases, clock, Counted("a"))
    house.run_due()

    assert house.run(regardless=True) == (Report("a", "done", 20),)


def test_a_holder_that_died_is_waited_for_no_longer_than_its_lease(leases, clock):
    now = clock.now()
    until = now + timedelta(seconds=LEASE_SECONDS)
    leases.take(Lease("a", "dead", until, None), now, now)
    house = keeper(leases, clock, Counted("a"))

    clock.advance(LEASE_SECONDS - 1)
    assert house.run_due() == {}
    clock.advance(1)
    assert house.run_due() == {"a": 10}


@pytest.mark.parametrize(
    "error", [ServiceUnavailable(details="full"), ZeroDivisionError("prompt text")]
)
def test_a_duty_that_fails_is_logged_by_its_name_and_stops_no_other(
    leases, clock, caplog, error
):
    bad, good = Counted("bad"), Counted("good")
    bad.fails = error

    reports = keeper(leases, clock, bad, good).run()

    assert reports == (Report("bad", "failed"), Report("good", "done", 10))
    (record,) = caplog.records
    assert record.msg == "duty_failed"
    assert record.fields["duty"] == "bad"
    assert record.fields["code"] in ("SERVICE_UNAVAILABLE", "ZeroDivisionError")
    assert "prompt text" not in str(record.fields)


def test_a_duty_that_failed_is_due_at_once(leases, clock):
    bad = Counted("bad")
    bad.fails = ServiceUnavailable()
    house = keeper(leases, clock, bad)
    house.run_due()
    bad.fails = None

    assert house.run_due() == {"bad": 10}


class Broken:
    """Leases of a database that does not answer."""

    def list(self):
        raise ServiceUnavailable(details="locked", retry_after_seconds=1)


class TestKeepHouse:
    """What happens at the end of requests."""

    def test_nothing_is_done_in_the_first_minute(self, leases, clock):
        a = Counted("a")
        house = keeper(leases, clock, a, threaded=False)
        clock.advance(EVERY_SECONDS - 1)

        house.keep_house()

        assert a.turns == 0

    def test_it_looks_once_a_minute_at_most(self, clock):
        looks = []

        class Watched:
            def list(self):
                looks.append(clock.monotonic())
                return {}

        house = Housekeeping(Watched(), (), clock, "host", threaded=False)
        for _ in range(180):
            clock.advance(1)
            house.keep_house()

        assert [each - 1000 for each in looks] == [60, 120, 180]

    def test_without_threads_whoever_comes_does_it(self, leases, clock):
        a = Counted("a")
        house = keeper(leases, clock, a, threaded=False)
        clock.advance(EVERY_SECONDS)

        house.keep_house()

        assert a.turns == 1

    def test_without_threads_no_duty_is_begun_after_a_second(self, leases, clock):
        slow = Counted("slow", during=lambda: clock.advance(1.0))
        last = Counted("last")
        house = keeper(leases, clock, slow, last, threaded=False)
        clock.advance(EVERY_SECONDS)

        house.keep_house()
        assert (slow.turns, last.turns) == (1, 0)

        clock.advance(EVERY_SECONDS)
        house.keep_house()
        assert (slow.turns, last.turns) == (1, 1)

    def test_with_threads_nobody_waits_for_it(self, database, clock):
        go_on, finished = threading.Event(), threading.Event()

        class Watched(Leases):
            def finish(self, taken, at):
                super().finish(taken, at)
                finished.set()

        a = Counted("a", during=lambda: go_on.wait(10))
        house = keeper(Watched(database), clock, a)
        clock.advance(EVERY_SECONDS)

        house.keep_house()

        assert not finished.is_set()
        go_on.set()
        assert finished.wait(10)
        assert a.turns == 1

    def test_a_database_that_does_not_answer_is_logged_and_goes_no_further(
        self, clock, caplog
    ):
        house = Housekeeping(Broken(), (), clock, "host", threaded=False)
        clock.advance(EVERY_SECONDS)

        house.keep_house()

        (record,) = caplog.records
        assert record.msg == "housekeeping_failed"
        assert record.fields["reason"] == "locked"


def test_who_asks_for_it_hears_that_the_database_does_not_answer(clock):
    with pytest.raises(ServiceUnavailable):
        Housekeeping(Broken(), (), clock, "host").run_due()
