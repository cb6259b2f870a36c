"""Attempts are counted in the store of all, and here while that does not answer."""

import logging
import threading
from dataclasses import replace

import pytest
from fakes import FakeClock
from log_lines import ours
from no_threads import no_threads

from flaskllm.core.clock import SystemClock
from flaskllm.core.errors import ServiceUnavailable
from flaskllm.core.upstream_counts import (
    Counts,
    Given,
    Refused,
    Taken,
    Wanted,
    settle,
)
from flaskllm.services import upstream_counting as module
from flaskllm.services.upstream_counting import PATIENCE_SECONDS, UpstreamCounting

WANTED = Wanted("a", tokens=10, requests_per_minute=2, tokens_per_minute=100)


class Store:
    """Counts in memory an hour ahead of us; fails or hangs as the test says."""

    def __init__(self, clock):
        self.clock = clock
        self.counts = {}
        self.batches = []
        self.error = None
        self.hangs = threading.Event()
        self.hangs.set()
        self.is_asked = threading.Event()

    def settle(self, orders):
        self.batches.append(list(orders))
        self.is_asked.set()
        self.hangs.wait(10)
        if self.error:
            raise self.error
        now = self.clock.monotonic() + 3600.0
        came = []
        for order in orders:
            before = self.counts.get(order.key, Counts())
            came.append(settle(before, order.what, now))
            self.counts[order.key] = came[-1].counts
        return tuple(came)


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def store(clock):
    return Store(clock)


@pytest.fixture
def alone():
    """What was counted by this process alone."""
    return []


@pytest.fixture
def counting(store, clock, alone):
    """Without threads: everything is done at once."""
    return UpstreamCounting(store, clock, lambda: alone.append(1), threaded=False)


def kinds(answers):
    return [type(each).__name__ for each in answers]


def test_the_store_says_what_is_let_through(counting, alone):
    said = [counting.take("k", WANTED) for _ in range(3)]

    assert kinds(said) == ["Taken", "Taken", "Refused"]
    assert alone == []


def test_what_is_given_back_reaches_the_store(counting, store):
    taken = counting.take("k", WANTED)

    counting.give("k", Given("a", taken.second, -4))

    assert sum(store.counts["k"].tokens.values()) == 6


def test_when_the_store_fails_this_process_goes_on_from_what_it_saw(
    counting, store, clock, alone, caplog
):
    caplog.set_level(logging.INFO)
    counting.take("k", WANTED)
    store.error = ServiceUnavailable(details="Its disk is full.")
    clock.advance(5.0)

    said = [counting.take("k", WANTED) for _ in range(3)]

    assert kinds(said) == ["Taken", "Refused", "Refused"]
    assert said[2].seconds == pytest.approx(57.0)
    assert len(store.batches) == 2  # it was asked once more, and then left alone
    assert len(alone) == 3
    [line] = ours(caplog)
    assert line.message == "upstream_limits_counted_alone"
    assert line.fields["reason"] == "Its disk is full."


def test_a_deployment_that_nobody_saw_begins_with_nothing(counting, store):
    store.error = ServiceUnavailable()

    assert kinds(counting.take("k", WANTED) for _ in range(3)) == [
        "Taken",
        "Taken",
        "Refused",
    ]


def test_it_is_asked_again_a_second_later(counting, store, clock, caplog):
    caplog.set_level(logging.INFO)
    store.error = ServiceUnavailable()
    counting.take("k", WANTED)
    store.error = None
    clock.advance(1.0)

    counting.take("k", WANTED)

    assert len(store.batches) == 2
    assert ours(caplog)[-1].message == "upstream_limits_counted_together"


def test_what_could_not_be_given_back_is_given_with_the_next(counting, store, clock):
    seat = Wanted("a", concurrent_requests=1)
    taken = counting.take("k", seat)
    store.error = ServiceUnavailable()
    counting.take("other", WANTED)

    counting.give("k", Given("a", taken.second))
    clock.advance(1.0)
    store.error = None

    assert isinstance(counting.take("k", replace(seat, seat="b")), Taken)


def test_a_seat_is_free_here_too_while_the_store_fails(counting, store):
    seat = Wanted("a", concurrent_requests=1)
    taken = counting.take("k", seat)
    store.error = ServiceUnavailable()
    assert isinstance(counting.take("k", seat), Refused)

    counting.give("k", Given("a", taken.second))

    assert isinstance(counting.take("k", replace(seat, seat="b")), Taken)


def test_what_cannot_be_given_back_now_is_not_lost(counting, store, clock):
    seat = Wanted("a", concurrent_requests=1)
    taken = counting.take("k", seat)
    store.error = ServiceUnavailable()
    counting.give("k", Given("a", taken.second))
    store.error = None

    assert isinstance(counting.take("k", replace(seat, seat="b")), Taken)


@pytest.fixture
def threaded(store, alone):
    """With the thread of a process."""
    clock = SystemClock()
    return UpstreamCounting(store, clock, lambda: alone.append(1), threaded=True)


def test_many_attempts_cost_the_store_one_batch(threaded, store):
    store.hangs.clear()
    many = Wanted("a", requests_per_minute=100)
    threads = [
        threading.Thread(target=threaded.take, args=("k", many)) for _ in range(9)
    ]
    threads[0].start()
    assert store.is_asked.wait(5)
    for each in threads[1:]:
        each.start()
    threaded.give("k", Given("z", 0))
    store.hangs.set()
    for each in threads:
        each.join()

    assert len(store.batches) <= 3
    assert sum(map(len, store.batches)) >= 9


def test_a_store_that_hangs_holds_up_one_attempt_for_a_quarter_of_a_second(
    threaded, store, alone, caplog
):
    store.hangs.clear()
    clock = SystemClock()
    began = clock.monotonic()

    said = [threaded.take("k", WANTED) for _ in range(3)]
    took = clock.monotonic() - began
    store.hangs.set()

    assert kinds(said) == ["Taken", "Taken", "Refused"]
    assert len(alone) == 3
    assert PATIENCE_SECONDS <= took < PATIENCE_SECONDS + 0.2


SEAT = Wanted("a", concurrent_requests=1)


def answered(counting, store):
    """Let the store answer again, and return once it has done what came before."""
    store.hangs.set()
    counting._recovery.succeeded()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(module, "PATIENCE_SECONDS", 10.0)
        counting.take("last", WANTED)


def test_who_gave_up_before_the_store_was_asked_leaves_no_seat_there(
    threaded, store, monkeypatch
):
    store.hangs.clear()
    threaded.take("other", WANTED)  # the store hangs over this one
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.0)
    threaded._recovery.succeeded()
    taken = threaded.take("k", SEAT)
    threaded.give("k", Given("a", taken.second))

    answered(threaded, store)

    assert all(each.what != SEAT for batch in store.batches for each in batch)
    assert not store.counts["k"].seats


def test_who_gave_up_while_the_store_was_asked_gives_its_seat_back(threaded, store):
    store.hangs.clear()
    taken = threaded.take("k", SEAT)
    threaded.give("k", Given("a", taken.second))

    answered(threaded, store)

    assert [each.what for each in store.batches[0]] == [SEAT]
    assert not store.counts["k"].seats


def test_who_gave_up_and_was_refused_here_leaves_no_seat_in_the_store(threaded, store):
    threaded.take("k", SEAT)
    store.counts.clear()  # it ended by itself, which nobody here has seen
    store.hangs.clear()
    assert isinstance(threaded.take("k", replace(SEAT, seat="b")), Refused)

    answered(threaded, store)

    assert not store.counts["k"].seats


def test_without_a_thread_an_attempt_is_counted_here_and_given_back_later(
    threaded, store, alone, caplog
):
    with no_threads():
        taken = threaded.take("k", SEAT)
        threaded._recovery.succeeded()
        threaded.give("k", Given("a", taken.second))
        assert isinstance(threaded.take("k", replace(SEAT, seat="b")), Taken)
    assert store.batches == []
    assert len(alone) == 2
    assert ours(caplog)[-1].fields["code"] == "SERVICE_UNAVAILABLE"

    answered(threaded, store)

    assert Given("a", taken.second) in [each.what for each in store.batches[0]]
